"""How much of a base's capacity is free on each day, and which intervals to propose for one more visit."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import MINUTE_US, to_us
from vetlla.domain.codes import code_key
from vetlla.service.visits.fitting import VisitSlot, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, tzinfo

    from vetlla.service.visits.visit import HomeVisit


class FreeDay(NamedTuple):
    """A day of a base, in minutes of its technicians."""

    day: date
    capacity: int
    """0 on a day that is no working day."""
    scheduled: int
    """Visits with a promised interval."""
    planned: int
    """Visits of the plan of renewals whose interval is not promised yet."""

    @property
    def free(self) -> int:
        """What is left; never below 0."""
        return max(0, self.capacity - self.scheduled - self.planned)


class Window(NamedTuple):
    """An interval that can be promised, and the minutes that are free in it."""

    begin_us: int
    end_us: int
    free: int


class Hours(NamedTuple):
    """The hours in which visits are proposed, and how wide an interval is."""

    first: int
    last: int
    """Hours of the day at which the first interval begins and the last one is over."""
    width: int
    """Minutes."""


def free_days(
    capacity: Mapping[date, int], scheduled: Iterable[tuple[date, int]], planned: Iterable[tuple[date, int]]
) -> list[FreeDay]:
    """Return each day of ``capacity`` with its work; ``scheduled`` and ``planned`` are minutes of visits by day."""
    work: dict[date, list[int]] = {day: [0, 0] for day in capacity}
    for place, visits in enumerate((scheduled, planned)):
        for day, minutes in visits:
            if day in work:
                work[day][place] += minutes
    return [FreeDay(day, capacity[day], *work[day]) for day in sorted(capacity)]


def windows(
    days: Sequence[FreeDay],
    visits: Sequence[HomeVisit],
    hours: Hours,
    zone: tzinfo,
    *,
    minutes: int,
    after_us: int,
    technician: str = "",
) -> Iterator[Window]:
    """Yield intervals in which a visit of some minutes fits: day by day, on each day the freest first.

    An interval has its share of the day's capacity. ``visits`` are those of the base; those of ``technician``, if one
    is named, must fit together with the new one. Intervals that begin before ``after_us`` are left out.
    """
    busy = [visit for visit in visits if visit.takes_time]
    mine = [stop_of(visit) for visit in busy if technician and code_key(visit.technician) == code_key(technician)]
    for day in days:
        if day.free < minutes:
            continue
        found = [
            window
            for begin, end in _edges(day.day, hours, zone)
            if (window := _window(day, begin, end, busy, hours)).free >= minutes
            and begin >= after_us
            and (not technician or fit([*mine, VisitSlot(begin, end, minutes * MINUTE_US)]))
        ]
        yield from sorted(found, key=lambda window: (-window.free, window.begin_us))


def proposed(found: Iterator[Window], number: int) -> list[Window]:
    """Return the first intervals."""
    return list(islice(found, number))


def stop_of(visit: HomeVisit) -> VisitSlot:
    """Return a visit as a stop on the way of its technician, in microseconds."""
    return VisitSlot(visit.begin_us, visit.end_us, visit.minutes * MINUTE_US)


def _edges(day: date, hours: Hours, zone: tzinfo) -> Iterator[tuple[int, int]]:
    begin = datetime(day.year, day.month, day.day, hours.first, tzinfo=zone)
    last = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(hours=hours.last)
    while (end := begin + timedelta(minutes=hours.width)) <= last:
        yield to_us(begin), to_us(end)
        begin = end


def _window(day: FreeDay, begin_us: int, end_us: int, visits: Iterable[HomeVisit], hours: Hours) -> Window:
    share = day.capacity * hours.width // max(1, (hours.last - hours.first) * 60)
    taken = sum(visit.minutes for visit in visits if begin_us <= visit.begin_us < end_us)
    return Window(begin_us, end_us, max(0, min(day.free, share - taken)))
