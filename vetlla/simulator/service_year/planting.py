"""Breaches of every kind in every way, and near misses on the right side of each limit.

Each way is a function that tells the events of a duty. A near miss is kept or cancelled by one microsecond or by one
day: at equality, by a stop, by a holiday, by a change of the clocks.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import MINUTE_US
from vetlla.service.duties.kinds import ClockKind
from vetlla.simulator.service_year.telling import ToldEvent

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from vetlla.simulator.service_year.days import YearCalendar
    from vetlla.simulator.service_year.telling import Facts

LAST_MONTH = 5
"""Planted duties are opened from February to May, so that a limit of half a year ends within the year."""


class Way(NamedTuple):
    """One way to breach a duty, or nearly."""

    name: str
    verdict: str
    events: list[ToldEvent]
    worse: bool = False


def ways(one: Facts, calendar: YearCalendar, rng: random.Random) -> Iterator[Way]:
    """Yield a duty of a kind for every way that its clock allows."""
    days = [day for month in calendar.months()[1:LAST_MONTH] for day in month]
    opened_us = calendar.moment(rng, days, "office")
    match one.kind.clock:
        case ClockKind.LIMIT:
            yield from _of_limit(one, calendar, opened_us)
        case ClockKind.INTERVAL:
            yield from _of_interval(one, calendar, opened_us)
        case ClockKind.DATE:
            yield from _of_date(one, calendar, opened_us)
        case ClockKind.NONE:
            yield Way("without a clock", "kept", [ToldEvent(one.kind.opens, opened_us), *one.closing(calendar.end_us)])
            if one.not_done:
                events = [ToldEvent(one.kind.opens, opened_us), ToldEvent(one.not_done, opened_us)]
                yield Way("ended by an event that does not count", "breached", events)


# --- within a limit ---------------------------------------------------------------------------------------------------


def _of_limit(one: Facts, calendar: YearCalendar, opened_us: int) -> Iterator[Way]:
    opening, term = [ToldEvent(one.kind.opens, opened_us)], one.term
    assert term is not None
    end = calendar.deadline(opened_us, term)
    middle = opened_us + (end - opened_us) // 2
    yield Way("one microsecond too late", "breached", [*opening, *one.closing(end + 1)])
    yield Way("never ended", "breached", opening, worse=one.kind.worse is not None)
    yield Way("at the last moment", "kept", [*opening, *one.closing(end)])
    yield Way("at once", "kept", [*opening, *one.closing(opened_us)])
    for cancel in one.kind.cancels[:1]:
        yield Way("cancelled after the term", "breached", [*opening, ToldEvent(cancel, end + 1)])
        yield Way("cancelled at the last moment", "cancelled", [*opening, ToldEvent(cancel, end)])
    if one.not_done:
        yield Way("ended by an event that does not count", "breached", [*opening, ToldEvent(one.not_done, middle)])
    yield from _stopped(one, calendar, opening, end)
    if one.bad_stop:
        events = [*opening, ToldEvent(one.bad_stop, middle), *one.closing(end + 1)]
        yield Way("late after a stop that does not count", "breached", events)
    if one.kind.worse is not None and term.length_us is not None:
        far = opened_us + term.length_us * (100 + one.kind.worse.over) // 100
        yield Way("over by more than the share", "breached", [*opening, *one.closing(far + 1)], worse=True)
        yield Way("over by exactly the share", "breached", [*opening, *one.closing(far)])
    yield from _on_special_days(one, calendar)


def _stopped(one: Facts, calendar: YearCalendar, opening: list[ToldEvent], end: int) -> Iterator[Way]:
    term = one.term
    if not one.good_stop or term is None:
        return
    restart = one.kind.stops[one.good_stop].until[0]
    more = calendar.one_more(end, term)
    saved = [*opening, ToldEvent(one.good_stop, end), ToldEvent(restart, more)]
    yield Way("a stop at the last moment saves it", "kept", [*saved, *one.closing(more)])
    yield Way("late after a stop", "breached", [*saved, *one.closing(more + 1)])
    yield Way("a stop that stands saves it", "kept", [*saved[:2], *one.closing(more + 1)])
    late = [*opening, ToldEvent(one.good_stop, end + 1), ToldEvent(restart, more)]
    yield Way("stopped after the term", "breached", [*late, *one.closing(more)])


def _on_special_days(one: Facts, calendar: YearCalendar) -> Iterator[Way]:
    term = one.term
    assert term is not None
    before = calendar.clocks_forward() - timedelta(days=1)
    moments = {"over a change of the clocks": calendar.at(before, 12)}
    if term.unit == "working days":
        holiday = calendar.local[0]
        moments["a local holiday saves it"] = calendar.at(_working_day_before(holiday, calendar), 10)
        moments["opened on a local holiday"] = calendar.at(holiday, 10)
    for name, opened_us in moments.items():
        end = calendar.deadline(opened_us, term)
        opening = ToldEvent(one.kind.opens, opened_us)
        yield Way(name, "kept", [opening, *one.closing(end)])
        yield Way(f"{name}, not quite", "breached", [opening, *one.closing(end + 1)])


def _working_day_before(day: date, calendar: YearCalendar) -> date:
    return max(one for one in calendar.working if one < day)


# --- promised times ---------------------------------------------------------------------------------------------------


def _of_interval(one: Facts, calendar: YearCalendar, opened_us: int) -> Iterator[Way]:
    assert one.term is not None
    assert one.term.length_us is not None
    width = one.term.length_us
    begin = calendar.at(calendar.day_of(opened_us) + timedelta(days=3), 10)
    end = begin + width
    opening = [ToldEvent(one.kind.opens, opened_us, (begin, end))]
    yield Way("before the interval", "breached", [*opening, *one.closing(begin - 1)])
    yield Way("after the interval", "breached", [*opening, *one.closing(end + 1)])
    yield Way("never ended", "breached", opening)
    yield Way("at the begin", "kept", [*opening, *one.closing(begin)])
    yield Way("at the end", "kept", [*opening, *one.closing(end)])
    wide = ToldEvent(one.kind.opens, opened_us, (begin, end + 1))
    yield Way("an interval too wide", "breached", [wide, *one.closing(begin + MINUTE_US)])
    for cancel in one.kind.cancels[:1]:
        yield Way("cancelled after the interval", "breached", [*opening, ToldEvent(cancel, end + 1)])
        yield Way("cancelled at its end", "cancelled", [*opening, ToldEvent(cancel, end)])
    for move in (name for name in one.kind.promises if name != one.kind.opens):
        later = calendar.at(calendar.day_of(begin) + timedelta(days=1), 12)
        promise = (later, later + width)
        for at_us, verdict, name in ((end, "kept", "at the last moment"), (end + 1, "breached", "too late")):
            events = [*opening, ToldEvent(move, at_us, promise), *one.closing(later)]
            yield Way(f"moved {name}", verdict, events)


def _of_date(one: Facts, calendar: YearCalendar, opened_us: int) -> Iterator[Way]:
    day = calendar.day_of(opened_us)
    begin, end = calendar.at(day, 0), calendar.end_of(day + timedelta(days=20))
    opening = [ToldEvent(one.kind.opens, opened_us, (begin, end))]
    yield Way("one microsecond too late", "breached", [*opening, *one.closing(end + 1)])
    yield Way("never ended", "breached", opening)
    yield Way("at the last moment", "kept", [*opening, *one.closing(end)])
    yield Way("at once", "kept", [*opening, *one.closing(opened_us)])
    for cancel in one.kind.cancels:
        yield Way(f"{cancel} after the date", "breached", [*opening, ToldEvent(cancel, end + 1)])
        yield Way(f"{cancel} at the last moment", "cancelled", [*opening, ToldEvent(cancel, end)])
    if one.not_done:
        events = [*opening, ToldEvent(one.not_done, opened_us + MINUTE_US)]
        yield Way("ended by an event that does not count", "breached", events)
    for move in (name for name in one.kind.promises if name != one.kind.opens):
        yield Way(
            "moved too late", "breached", [*opening, ToldEvent(move, end + 1, (begin, end + 2)), *one.closing(end + 2)]
        )
