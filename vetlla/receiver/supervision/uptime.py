"""How long a receiver was there to hear: of a silence that began in an earlier life no more counts."""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from typing import TYPE_CHECKING

from vetlla.domain.clock import SECOND_US
from vetlla.receiver.supervision.daybook import span, span_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from vetlla.store.journal.units import Kept


class Uptime:
    """The days up to the last sign of life of the receiver itself."""

    def __init__(self, kept: Kept, zone: ZoneInfo) -> None:
        self._alive_us = kept.alive_us or 0
        self._begins_us: list[int] = []
        self._down_us: list[int] = []
        """Of each day and all after it: how long nobody could be heard."""
        if kept.alive_us is None:
            return
        day, down_us = span_of(self._alive_us, zone), 0
        first = min(kept.down_s, default=day.day.isoformat())
        # Of the day of its end nothing is written only if it was the first of all; another one had no receiver.
        down_s = {day.day.isoformat(): 0} | kept.down_s
        while day.day.isoformat() >= first:
            down_us += down_s.get(day.day.isoformat(), day.length_s) * SECOND_US
            self._begins_us.append(day.began_us)
            self._down_us.append(down_us)
            day = span(day.day - timedelta(days=1), zone)
        self._begins_us.reverse()
        self._down_us.reverse()

    def back(self, heard_us: int) -> int:
        """Return the instant (UTC) since which there was a receiver for so long: what ``since`` says the other way."""
        for began_us, down_us in zip(reversed(self._begins_us), reversed(self._down_us), strict=True):
            since_us = self._alive_us - down_us - heard_us
            if since_us >= began_us:
                return since_us
        return self._alive_us - heard_us

    def since(self, since_us: int) -> int:
        """Return how long there was a receiver between an instant (UTC) and its end, at the least.

        What a day's receiver did not hear is taken off as a whole, wherever in the day it was; of a time before the
        first day that is known nothing counts.
        """
        place = bisect_right(self._begins_us, since_us) - 1
        if place < 0:
            return 0
        return max(0, self._alive_us - since_us - self._down_us[place])
