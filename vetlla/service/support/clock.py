"""Working time: how much of it lies between two moments, and when an amount of it has passed.

Shifts are on the wall clock of the desk, and their lengths are real time. In the night in which the clocks change, a
shift is an hour shorter or longer than it seems.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, tzinfo

    from vetlla.service.support.hours import Shift

DAY: Final = timedelta(days=1)
NEVER_DAYS: Final = 400
"""A desk that is closed for this many days in a row does not open again: no calendar has such a gap."""


class WorkingClock:
    """Counts the time in which the desk works."""

    def __init__(self, zone: tzinfo, shifts_on: Callable[[date], tuple[Shift, ...]]) -> None:
        self._zone = zone
        self._shifts_on = shifts_on
        self._known: dict[date, tuple[tuple[datetime, datetime], ...]] = {}

    def between(self, first: datetime, last: datetime) -> timedelta:
        """Return the working time from a moment to a later one; none if it is not later."""
        worked = timedelta()
        day, end = self._day(first), self._day(last)
        while day <= end:
            for begin, stop in self._shifts(day):
                worked += max(timedelta(), min(stop, last) - max(begin, first))
            day += DAY
        return worked

    def after(self, start: datetime, needed: timedelta) -> datetime:
        """Return the first moment at which this much working time has passed since the start.

        With no time needed it is the next moment at which the desk works. Raises ValueError if the desk never works.
        """
        left = needed
        for begin, stop in self._from(start):
            at = max(begin, start)
            if stop > at and stop - at >= left:
                return at + left
            left -= max(timedelta(), stop - at)
        raise ValueError(f"the desk is closed for {NEVER_DAYS} days in a row")

    def _from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        day, closed = self._day(start), 0
        while closed < NEVER_DAYS:
            shifts = self._shifts(day)
            yield from shifts
            closed = 0 if shifts else closed + 1
            day += DAY

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _shifts(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        if day not in self._known:
            self._known[day] = tuple(self._made(day))
        return self._known[day]

    def _made(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        midnight = datetime.combine(day, time())
        last = datetime.min.replace(tzinfo=UTC)
        for shift in self._shifts_on(day):
            begin, end = (
                (midnight + timedelta(minutes=minutes)).replace(tzinfo=self._zone).astimezone(UTC) for minutes in shift
            )
            # Times that the clocks skip are read with the winter's offset, so they may reach into the next shift.
            begin = max(begin, last)
            if end > begin:
                yield begin, end
                last = end
