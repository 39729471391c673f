"""Gives turns to strangers, because junk on a thousand connections must not delay the homes that report meanwhile.

A home that connects is a stranger, too, until its first report is read. So the first bytes of a connection are read
before all other bytes of strangers, if they are not longer than a report. The last bytes of strangers that have hung up
are read last.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

TURNS_AT_ONCE = 16
"""Turns of strangers in one turn of the loop, of 256 bytes each: some 5 ms of the most expensive junk."""
FIRST_AT_ONCE = 64
"""Strangers whose first bytes are read at once in one turn of the loop; to let them wait costs 5 us for each."""
GONE_MAX = 1_000
"""Strangers that have hung up and whose last bytes wait for their turn: some 5 MB."""


class Stranger(Protocol):
    """A connection that has sent no report of a registered account."""

    is_gone: bool
    """True after the peer has hung up."""

    @property
    def is_first(self) -> bool:
        """True if the first bytes wait for their turn, and are not longer than a report."""

    def take_turn(self) -> None:
        """Read some of the waiting bytes."""

    def give_up(self) -> None:
        """Drop the waiting bytes, because too many strangers that have hung up wait."""


class Turns:
    """Gives turns to strangers one after the other, a few at a time."""

    def __init__(self, *, gone_max: int = GONE_MAX) -> None:
        self._first: deque[Stranger] = deque()
        self._waiting: deque[Stranger] = deque()
        self._gone: deque[Stranger] = deque()
        self._gone_max = gone_max
        self._is_due = False
        self._at_once = FIRST_AT_ONCE
        """Strangers whose first bytes may still be read in this turn of the loop."""

    def at_once(self) -> bool:
        """Return True if a stranger's first bytes may be read now; each turn of the loop allows it to a few."""
        if self._first or not self._at_once:
            return False
        if self._at_once == FIRST_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._renew)
        self._at_once -= 1
        return True

    def _renew(self) -> None:
        self._at_once = FIRST_AT_ONCE

    def ask(self, stranger: Stranger) -> None:
        """Call ``take_turn`` in a later turn of the loop. If too many have hung up, call ``give_up`` on one of them."""
        if stranger.is_first:
            self._first.append(stranger)
        elif not stranger.is_gone:
            self._waiting.append(stranger)
        else:
            self._gone.append(stranger)
            if len(self._gone) > self._gone_max:
                self._gone.popleft().give_up()
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_due and (self._first or self._waiting or self._gone):
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._is_due = False
        for _ in range(TURNS_AT_ONCE):
            if (stranger := self._next()) is None:
                break
            stranger.take_turn()
        self._schedule()

    def _next(self) -> Stranger | None:
        if self._first:
            return self._first.popleft()
        while self._waiting:
            stranger = self._waiting.popleft()
            if not stranger.is_gone:
                return stranger
            self.ask(stranger)  # it has hung up meanwhile
        return self._gone.popleft() if self._gone else None
