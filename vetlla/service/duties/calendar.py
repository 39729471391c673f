"""The days of the service: on which day a moment is, when a day ends, and how many working days lie between two days.

Days are ordinals (``date.toordinal``), because three million events need many of them.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from vetlla.domain.clock import SECOND_US, to_us
from vetlla.service.calendar import working_days
from vetlla.service.local_time import FIRST_YEAR, LAST_YEAR, LocalTime

if TYPE_CHECKING:
    from collections.abc import Iterable


class ServiceCalendar:
    """The calendar of one time zone with the local holidays of its city."""

    def __init__(self, zone: str, local: Iterable[date]) -> None:
        """Take a zone such as Europe/Madrid. Raises ValueError if there is none of this name."""
        try:
            self.zone = ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:  # OSError: a folder of zones, such as "Europe"
            raise ValueError(f"there is no time zone {zone!r}") from error
        self.local_time = LocalTime(self.zone)
        """Reads times that are written without an offset."""
        self._local = frozenset(local)
        self._working: list[int] = []
        self._years: set[int] = set()
        self._end_of = lru_cache(maxsize=1 << 14)(self._computed_end)

    def day_of(self, at_us: int) -> int:
        """Return the day on which a moment is."""
        return datetime.fromtimestamp(at_us // SECOND_US, self.zone).toordinal()

    def date_of(self, at_us: int) -> date:
        """Return the date on which a moment is."""
        return datetime.fromtimestamp(at_us // SECOND_US, self.zone).date()

    def shown(self, at_us: int) -> str:
        """Return a moment as a person of the service reads it, such as "2026-11-05 10:02:00 CET"."""
        return f"{datetime.fromtimestamp(at_us // SECOND_US, self.zone):%Y-%m-%d %H:%M:%S %Z}"

    def begin_of(self, day: int) -> int:
        """Return the first microsecond of a day."""
        return self._end_of(day - 1) + 1

    def end_of(self, day: int) -> int:
        """Return the last microsecond of a day."""
        return self._end_of(day)

    def is_working(self, day: int) -> bool:
        """Return True for a working day."""
        working = self._working_days(day, day)
        place = bisect_right(working, day)
        return place > 0 and working[place - 1] == day

    def working_between(self, first: int, last: int) -> int:
        """Return the number of working days after ``first``, up to and with ``last``; 0 if it is not later."""
        if last <= first:
            return 0
        working = self._working_days(first, last)
        return bisect_right(working, last) - bisect_right(working, first)

    def working_after(self, day: int, number: int) -> int:
        """Return the day that is the ``number``-th working day after a day; the day itself for 0."""
        if number <= 0:
            return day
        span = number * 2 + 31
        working = self._working_days(day, day + span)
        place = bisect_right(working, day) + number - 1
        while place >= len(working):
            span *= 2
            working = self._working_days(day, day + span)
            place = bisect_right(working, day) + number - 1
        return working[place]

    def _computed_end(self, day: int) -> int:
        # Midnight may not exist or come twice elsewhere; in Madrid the clocks change at two and three.
        midnight = datetime.combine(date.fromordinal(day) + timedelta(days=1), datetime.min.time(), self.zone)
        return to_us(midnight) - 1

    def _working_days(self, first: int, last: int) -> list[int]:
        """Return the working days of every year from the first day to the last one, and of years asked for before."""
        years = range(date.fromordinal(first).year, date.fromordinal(last).year + 1)
        if years[0] in self._years and years[-1] in self._years:
            return self._working
        # A term that begins in the last year may end in the next one, and a rolling year begins before the first one.
        if not FIRST_YEAR - 1 <= years[0] <= years[-1] <= LAST_YEAR + 1:
            raise ValueError(f"the calendar has the years {FIRST_YEAR} to {LAST_YEAR}, and one more at each end")
        low, high = min({*self._years, years[0]}), max({*self._years, years[-1]})
        self._years = set(range(low, high + 1))
        self._working = [
            day.toordinal() for day in working_days(date(low, 1, 1), date(high, 12, 31), local=self._local)
        ]
        return self._working
