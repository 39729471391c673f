"""The clock of a duty: the times in which it was stopped, and when it runs out.

A limit in minutes or hours is real time. A limit in days counts whole days on the calendar of the service: the day of
the opening is day 0, and the clock runs out at the end of the last day. A stop adds its own length: real time, or the
days after its first day up to its last one. If a stop interrupted a working day and ended on another day, the clock
goes on with the next working day. A limit in months ends on the same day of a later month; its stops add natural
days.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.calendar import add_months
from vetlla.service.duties.terms import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.duties import DutyEvent
    from vetlla.service.duties.calendar import ServiceCalendar
    from vetlla.service.duties.terms import Terms


class ClockStop(NamedTuple):
    """A time in which the clock stood; ``end_us`` is None while it stands."""

    begin_us: int
    end_us: int | None
    event: str


def stops_of(terms: Terms, events: Iterable[DutyEvent]) -> list[ClockStop]:
    """Return the times in which the events stopped the clock, in order and without overlap."""
    if not terms.stops:
        return []
    stopped_by: dict[str, frozenset[str]] = {}
    begin_us, first = 0, ""
    found: list[ClockStop] = []
    for event in events:
        name = event.told.event
        if stopped_by:
            stopped_by = {by: until for by, until in stopped_by.items() if name not in until}
            if not stopped_by:
                found.append(ClockStop(begin_us, event.told.at_us, first))
        if name in terms.stops:
            if not stopped_by:
                begin_us, first = event.told.at_us, name
            stopped_by[name] = terms.stops[name]
    if stopped_by:
        found.append(ClockStop(begin_us, None, first))
    return found


def ended_by(stops: Iterable[ClockStop], at_us: int) -> list[ClockStop]:
    """Return the stops of a duty that ended at a time: its end ends a stop, too, and later stops are not its own."""
    return [
        stop._replace(end_us=at_us if stop.end_us is None else min(at_us, stop.end_us))
        for stop in stops
        if stop.begin_us < at_us
    ]


def due_us(terms: Terms, calendar: ServiceCalendar, opened_us: int, stops: Sequence[ClockStop]) -> int | None:
    """Return the last moment at which a duty with a limit is kept; None if its clock stands before that."""
    extra = going_on = 0
    due = _end_of_limit(terms, calendar, opened_us, extra)
    for begin, end, _ in stops:
        if begin > due:
            break
        if end is None:
            return None
        first = max(begin, going_on)
        going_on = _going_on(terms, calendar, first, end)
        extra += _length(terms, calendar, first, going_on)
        due = _end_of_limit(terms, calendar, opened_us, extra)
    return due


def used(terms: Terms, calendar: ServiceCalendar, opened_us: int, at_us: int, stops: Sequence[ClockStop]) -> int:
    """Return how much of a limit is used at a time: microseconds, or days for a limit in days or months."""
    whole = _length(terms, calendar, opened_us, at_us)
    return whole - sum(
        _length(terms, calendar, begin, min(at_us, at_us if end is None else end))
        for begin, end, _ in stops
        if begin < at_us
    )


def whole_limit(terms: Terms, calendar: ServiceCalendar, opened_us: int) -> int:
    """Return a limit as ``used`` counts it: microseconds, or days; months are the days that they have."""
    if terms.unit is Unit.MONTHS:
        return calendar.day_of(_end_of_limit(terms, calendar, opened_us, 0)) - calendar.day_of(opened_us)
    return terms.limit_us or terms.amount


def _going_on(terms: Terms, calendar: ServiceCalendar, begin_us: int, end_us: int) -> int:
    """Return when a clock really goes on after a stop.

    A working day that a stop interrupted is completed on a working day, not on the Saturday on which the stop ended.
    """
    day = calendar.day_of(end_us)
    if (
        terms.unit is not Unit.WORKING_DAYS
        or calendar.is_working(day)
        or not calendar.is_working(calendar.day_of(begin_us))
    ):
        return end_us
    return calendar.begin_of(calendar.working_after(day, 1))


def _end_of_limit(terms: Terms, calendar: ServiceCalendar, opened_us: int, extra: int) -> int:
    match terms.unit:
        case Unit.NATURAL_DAYS:
            return calendar.end_of(calendar.day_of(opened_us) + terms.amount + extra)
        case Unit.WORKING_DAYS:
            return calendar.end_of(calendar.working_after(calendar.day_of(opened_us), terms.amount + extra))
        case Unit.MONTHS:
            first = date.fromordinal(calendar.day_of(opened_us))
            return calendar.end_of(add_months(first, terms.amount).toordinal() + extra)
    return opened_us + (terms.limit_us or 0) + extra


def _length(terms: Terms, calendar: ServiceCalendar, begin_us: int, end_us: int) -> int:
    """Return the time between two moments in the unit of the limit: microseconds, natural or working days."""
    if terms.unit is Unit.WORKING_DAYS:
        return calendar.working_between(calendar.day_of(begin_us), calendar.day_of(end_us))
    if terms.unit in {Unit.NATURAL_DAYS, Unit.MONTHS}:
        return max(0, calendar.day_of(end_us) - calendar.day_of(begin_us))
    return max(0, end_us - begin_us)
