"""How long a receiver was running. Of a silence that began before the last restart, only that time counts."""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from typing import TYPE_CHECKING

from vetlla.domain.clock import SECOND_US
from vetlla.service.supervision.days import service_day, service_day_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo


class Uptime:
    """The days until the previous run last recorded that it was alive, with the downtime of each."""

    def __init__(self, alive_us: int | None, all_down_s: Mapping[str, int], zone: ZoneInfo) -> None:
        """``all_down_s``: the downtime of each recorded day. ``alive_us`` is None if there was no previous run."""
        self._alive_us = alive_us or 0
        self._begins_us: list[int] = []
        self._down_us: list[int] = []
        """For each day: how long there was no receiver, on it and on all days after it."""
        if alive_us is None:
            return
        day, down_us = service_day_of(self._alive_us, zone), 0
        first = min(all_down_s, default=day.day.isoformat())
        # On a day without an entry no receiver ran, except the previous run's last day if it was the very first day.
        down_s = {day.day.isoformat(): 0, **all_down_s}
        while day.day.isoformat() >= first:
            down_us += down_s.get(day.day.isoformat(), day.length_s) * SECOND_US
            self._begins_us.append(day.began_us)
            self._down_us.append(down_us)
            day = service_day(day.day - timedelta(days=1), zone)
        self._begins_us.reverse()
        self._down_us.reverse()

    def back(self, heard_us: int) -> int:
        """Return the instant (UTC) since which a receiver ran for ``heard_us``: the inverse of ``since``."""
        for began_us, down_us in zip(reversed(self._begins_us), reversed(self._down_us), strict=True):
            since_us = self._alive_us - down_us - heard_us
            if since_us >= began_us:
                return since_us
        return self._alive_us - heard_us

    def since(self, since_us: int) -> int:
        """Return how long, at least, a receiver ran between an instant (UTC) and the end of the previous run.

        The whole downtime of a day is subtracted, wherever in the day it was. Time before the first known day does not
        count.
        """
        place = bisect_right(self._begins_us, since_us) - 1
        if place < 0:
            return 0
        return max(0, self._alive_us - since_us - self._down_us[place])
