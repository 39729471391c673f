"""Heartbeats between two writings: counted in memory by caller, written now and then in bounded batches.

Nobody waits for them to be durable: what a crash takes from them is a few seconds of counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from vetlla.clock import SECOND_US
from vetlla.store.rows import heartbeat_row

if TYPE_CHECKING:
    from vetlla.clock import Instant
    from vetlla.signals import AccountId
    from vetlla.store.rows import Row

EVERY_S = 5.0
"""Heartbeats stay in memory this long before they are written."""
PER_BATCH = 500
"""Rows in one transaction, so that an alarm never waits for a fleet's heartbeats."""

_Beats: TypeAlias = "dict[tuple[str, AccountId], list[int]]"
"""By protocol and caller: when last (microseconds UTC), and how often."""


class Heartbeats:
    """What was heard since the last writing, and what of it is on its way to the disk."""

    def __init__(self) -> None:
        self._heard: _Beats = {}
        self._leaving: _Beats = {}
        self._since_us = 0
        self._hastened = False

    @property
    def leaving(self) -> bool:
        """Whether there are rows that should be written now."""
        return bool(self._leaving or (self._hastened and self._heard))

    def add(self, protocol: str, who: AccountId, now: Instant) -> bool:
        """Count one; say whether it is the first since the last writing."""
        first = not self._heard
        if first:
            self._since_us = now.mono_us
        beat = self._heard.get((protocol, who))
        if beat is None:
            self._heard[protocol, who] = [now.utc_us, 1]
        else:
            beat[0] = now.utc_us
            beat[1] += 1
        return first

    def due_in_s(self, now: Instant) -> float | None:
        """Return the time until something should be written; None: nothing was heard."""
        if not self._heard:
            return None
        return max(0.0, EVERY_S - (now.mono_us - self._since_us) / SECOND_US)

    def hasten(self) -> None:
        """Let all of it leave from now on without delay."""
        self._hastened = True

    def take(self, now: Instant) -> list[Row]:
        """Return the next rows to write: those of one transaction, if their time has come."""
        if not self._leaving and (self._hastened or self.due_in_s(now) == 0):
            self._leaving, self._heard = self._heard, {}
        beats = [self._leaving.popitem() for _ in range(min(len(self._leaving), PER_BATCH))]
        return [heartbeat_row(protocol, who, at_us, count) for (protocol, who), (at_us, count) in beats]
