"""Events in the middle of a run: the network fails and comes back, or some homes fall silent."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from vetlla.simulator.scenario import Outage, Silence
    from vetlla.simulator.statistics import FleetStatistics

Tell: TypeAlias = Callable[[str], None]
NAMED = 8
"""Largest number of accounts that a sentence names. The report names all of them."""


class Member(Protocol):
    """One home of a fleet, in any protocol."""

    name: str
    """Its account."""

    def lose_network(self) -> bool:
        """Cut the home off. Return True if that broke an open line."""
        ...

    def find_network(self) -> None:
        """Reconnect the home, which then sends the messages that became due meanwhile."""
        ...

    def fall_silent(self) -> None:
        """Send nothing from now on, but keep the line open."""
        ...


class Story:
    """The events of one run."""

    def __init__(
        self,
        fleet: Sequence[Member],
        counts: FleetStatistics,
        stop: asyncio.Event,
        *,
        outage: Outage | None,
        silence: Silence | None,
        seed: int,
        tell: Tell | None,
    ) -> None:
        self._outage = outage
        self._silence = silence
        self._fleet = fleet
        self._counts = counts
        self._stop = stop
        self._tell = tell or (lambda _: None)
        self._random = Random(f"{seed}/events")  # noqa: S311 - a simulation, not a secret
        self._began = time.monotonic()

    def chapters(self) -> list[Coroutine[None, None, None]]:
        """Return the coroutines to run beside those of the homes."""
        chapters = []
        if self._outage:
            chapters.append(self._suffer(self._outage))
        if self._silence:
            chapters.append(self._fall_silent(self._silence))
        return chapters

    async def _suffer(self, outage: Outage) -> None:
        """Break all lines, then let the homes return. If the run is stopped meanwhile, they return at once."""
        if await self._until(outage.after_s):
            return
        self._counts.cut = sum([member.lose_network() for member in self._fleet])
        homes = f"{len(self._fleet):,} homes without network"
        self._say(f"the network fails: {self._counts.cut:,} connections broken, {homes}")
        end_s = outage.after_s + outage.length_s
        returns = sorted(
            (end_s + self._random.uniform(0, outage.return_within_s), number) for number in range(len(self._fleet))
        )
        await self._until(end_s)
        self._counts.back_ns = time.monotonic_ns()
        pace = f"within {outage.return_within_s:g} s" if outage.return_within_s else "all at once"
        self._say(f"the network is back, homes return {pace}")
        for at_s, number in returns:
            await self._until(at_s)
            self._fleet[number].find_network()
        self._say("every home has dialled again or is about to")

    async def _fall_silent(self, silence: Silence) -> None:
        if await self._until(silence.after_s):
            return
        count = math.ceil(silence.share * len(self._fleet))
        quiet = sorted(self._random.sample(range(len(self._fleet)), count))
        for number in quiet:
            self._fleet[number].fall_silent()
        names = tuple(self._fleet[number].name for number in quiet)
        self._counts.silent = names
        rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        self._say(f"{len(names):,} homes fall silent: {', '.join(names[:NAMED])}{rest}")

    async def _until(self, after_s: float) -> bool:
        """Wait until a time of the run. Return True if the run was stopped."""
        wait_s = self._began + after_s - time.monotonic()
        if wait_s > 0 and not self._stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._stop.wait()
        return self._stop.is_set()

    def _say(self, what: str) -> None:
        self._tell(f"{time.monotonic() - self._began:7.1f} s  {what}")
