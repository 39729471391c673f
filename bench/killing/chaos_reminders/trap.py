"""Kills the service at the instant of a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.killing.victim import Victim


class Trap:
    """Strikes at one instant."""

    def __init__(self) -> None:
        self.struck = ""
        """The instant at which it struck; "" if it did not."""
        self._wanted = ""
        self._left = 0
        self._later_s = 0.0
        self._victim: Victim | None = None
        self._strike: asyncio.TimerHandle | None = None

    def arm(self, victim: Victim, instant: str, count: int, later_s: float) -> None:
        """Wait for an instant to pass ``count`` times."""
        self._victim, self._wanted, self._left, self._later_s, self.struck = victim, instant, count, later_s, ""

    def disarm(self) -> None:
        """Wait for nothing, and strike no later process."""
        if self._strike is not None:
            self._strike.cancel()
        self._wanted, self.struck = "", ""

    def passed(self, instant: str) -> None:
        """Strike if it is the one."""
        if instant != self._wanted or self._victim is None:
            return
        self._left -= 1
        if self._left > 0:
            return
        self._wanted, self.struck = "", instant
        if self._later_s:
            self._strike = asyncio.get_running_loop().call_later(self._later_s, self._victim.strike)
        else:
            self._victim.strike()
