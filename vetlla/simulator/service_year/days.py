"""Days and terms of the generated year, counted day by day.

The rules of duties count in another way (``service.duties.clock``), so that a mistake of theirs is found by this one.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from vetlla.domain.clock import HOUR_US, MINUTE_US, SECOND_US, to_datetime, to_us
from vetlla.service.calendar import add_months, working_days

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from vetlla.service.parameters import Reading

IN_US = {"minutes": MINUTE_US, "hours": HOUR_US}


class Term(NamedTuple):
    """A limit: its number and its unit as the parameter has them."""

    amount: int
    unit: str

    @property
    def length_us(self) -> int | None:
        """Its length; None if it is counted in days or months."""
        return self.amount * IN_US[self.unit] if self.unit in IN_US else None


class Month(NamedTuple):
    """A month in which duties are opened."""

    days: Sequence[date]
    calendar: YearCalendar
    rng: random.Random

    def moment(self, hours: str) -> int:
        """Return a random moment of the month, as ``YearCalendar.moment`` does."""
        return self.calendar.moment(self.rng, self.days, hours)


class YearCalendar:
    """One year of the service, and the beginning of the next one."""

    def __init__(self, year: int, reading: Reading) -> None:
        self.year = year
        self.zone = ZoneInfo(reading.text("zone"))
        self.local = sorted(day for day in reading.dates("holidays.local") if day.year == year)
        self.working = working_days(date(year, 1, 1), date(year + 1, 12, 31), reading.dates("holidays.local"))
        self._working = frozenset(self.working)
        self.end_us = self.at(date(year + 1, 1, 1), 0) - 1

    def at(self, day: date, hour: int, minute: int = 0) -> int:
        """Return a local time of a day in microseconds UTC."""
        return to_us(datetime.combine(day, time(hour, minute), self.zone))

    def day_of(self, at_us: int) -> date:
        """Return the day of a moment."""
        return to_datetime(at_us).astimezone(self.zone).date()

    def end_of(self, day: date) -> int:
        """Return the last microsecond of a day."""
        return self.at(day + timedelta(days=1), 0) - 1

    def after(self, day: date, number: int, *, working: bool) -> date:
        """Return the day that is a number of days or of working days later."""
        while number:
            day += timedelta(days=1)
            number -= not working or day in self._working
        return day

    def deadline(self, opened_us: int, term: Term) -> int:
        """Return the last moment of a term: of its last day, or after its minutes."""
        if term.length_us is not None:
            return opened_us + term.length_us
        day = self.day_of(opened_us)
        if term.unit == "months":
            return self.end_of(add_months(day, term.amount))
        return self.end_of(self.after(day, term.amount, working=term.unit == "working days"))

    def one_more(self, deadline_us: int, term: Term) -> int:
        """Return the deadline after the clock stood for a day: 24 hours, or a day that the unit counts."""
        if term.length_us is not None:
            return deadline_us + 24 * 60 * MINUTE_US
        return self.end_of(self.after(self.day_of(deadline_us), 1, working=term.unit == "working days"))

    def months(self) -> Sequence[list[date]]:
        """Return the days of each month."""
        firsts = [date(self.year, month, 1) for month in range(1, 13)]
        return [
            [first + timedelta(days=number) for number in range((add_months(first, 1) - first).days)]
            for first in firsts
        ]

    def clocks_forward(self) -> date:
        """Return the Sunday on which summer time begins: the last one of March."""
        last = date(self.year, 3, 31)
        return last - timedelta(days=last.isoweekday() % 7)

    def moment(self, rng: random.Random, days: Sequence[date], hours: str) -> int:
        """Return a random moment of these days, to the second: in office hours of a working day, or at any time."""
        if hours == "office":
            working = [day for day in days if day in self._working]
            return self.at(rng.choice(working), 9) + rng.randrange(9 * 3600) * SECOND_US
        return self.at(rng.choice(days), 0) + rng.randrange(23 * 3600) * SECOND_US
