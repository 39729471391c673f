"""A month of the agenda: its working days, and on which of them a home or a person can be called."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import last_of_month

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.homes import Period
    from vetlla.service.duties.calendar import ServiceCalendar


class AgendaMonth(NamedTuple):
    """A month with its working days. Sets of working days are bits: the first working day is bit 0."""

    first: date
    last: date
    days: Sequence[date]
    """Its working days, in order; at least one."""

    @property
    def name(self) -> str:
        """The month as 2026-12."""
        return f"{self.first:%Y-%m}"

    @property
    def all_days(self) -> int:
        """Every working day, as bits."""
        return (1 << len(self.days)) - 1

    def between(self, first: date, last: date) -> int:
        """Return the working days from one day to another, both included, as bits."""
        return sum(1 << place for place, day in enumerate(self.days) if first <= day <= last)

    def part(self, place: int, parts: int) -> tuple[date, date]:
        """Return the first and the last day of an equal part of the month."""
        length = (self.last - self.first).days + 1
        begin, end = (length * edge // parts for edge in (place, place + 1))
        return self.first + timedelta(days=begin), self.first + timedelta(days=end - 1)

    def days_of(self, active: Sequence[Period], suspended: Sequence[Period], out: Iterable[Period] = ()) -> int:
        """Return the working days on which a home is in the service, and is not suspended or ``out``, as bits."""
        resting = [*suspended, *out]
        touching = [one for one in resting if one.since <= self.last and not _ended(one, self.first)]
        if not touching and any(one.since <= self.first and not _ended(one, self.last) for one in active):
            return self.all_days
        return sum(
            1 << place
            for place, day in enumerate(self.days)
            if any(one.covers(day) for one in active) and not any(one.covers(day) for one in touching)
        )

    def last_of(
        self, last: date, active: Sequence[Period], suspended: Sequence[Period], out: Iterable[Period] = ()
    ) -> date:
        """Return the last day up to ``last`` on which a home is in the service, and is not suspended or ``out``.

        Return ``last`` if there is no such day in the month.
        """
        resting = [*suspended, *out]
        day = last
        while day >= self.first:
            if any(one.covers(day) for one in active) and not any(one.covers(day) for one in resting):
                return day
            day -= timedelta(days=1)
        return last


def agenda_month(first: date, calendar: ServiceCalendar) -> AgendaMonth:
    """Return the month with this first day."""
    last = last_of_month(first)
    every = range(first.toordinal(), last.toordinal() + 1)
    return AgendaMonth(first, last, tuple(date.fromordinal(day) for day in every if calendar.is_working(day)))


def _ended(period: Period, day: date) -> bool:
    """Return True if a period ended before a day."""
    return period.until is not None and period.until < day
