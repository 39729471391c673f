"""The ordinary duties of a year: as many as the profile says, and each of them kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from vetlla.domain.clock import MINUTE_US, SECOND_US
from vetlla.service.duties.kinds import ClockKind
from vetlla.simulator.service_year.calls import AwaitedCall
from vetlla.simulator.service_year.telling import DutyStory, ToldEvent

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from vetlla.domain.homes import Home
    from vetlla.simulator.service_year.days import Month, YearCalendar
    from vetlla.simulator.service_year.telling import Facts

TWICE = 3
"""Support level of the homes with two follow-ups a month (tender, section 5)."""
CALLS_IN = 40
"""The user calls in for the follow-ups of one home in forty. The number is even: no breach is planted in such homes."""
LEAST, MOST = 2, 90
"""How much of its time an ordinary duty takes, in percent."""


def ordinary(one: Facts, plan: Mapping[str, Any], number: int, month: Month) -> Iterator[list[ToldEvent]]:
    """Yield the events of a number of ordinary duties that are opened in a month."""
    calendar, rng = month.calendar, month.rng
    before = plan.get("before", [])
    for _ in range(number):
        opened_us = month.moment(plan["hours"])
        begin, end, promise = _time(one, plan, opened_us, calendar, rng)
        end = min(end, calendar.end_us)
        done = _between(begin, end, rng)
        step = (done - opened_us) // (len(before) + 1)
        on_the_way = [ToldEvent(name, opened_us + (place + 1) * step) for place, name in enumerate(before)]
        closed = min(done + rng.randrange(90) * MINUTE_US, calendar.end_us)
        closing = [event if event.name == one.done else event._replace(at_us=closed) for event in one.closing(done)]
        yield [ToldEvent(one.kind.opens, opened_us, promise), *on_the_way, *closing]


def _time(
    one: Facts, plan: Mapping[str, Any], opened_us: int, calendar: YearCalendar, rng: random.Random
) -> tuple[int, int, tuple[int, int] | None]:
    """Return from when to when the duty is kept, and the time that its opening promises, if it does."""
    if one.kind.clock is ClockKind.NONE:
        return opened_us, calendar.end_us, None
    if one.kind.clock is ClockKind.DATE:
        day = calendar.day_of(opened_us)
        end = calendar.end_of(day + timedelta(days=plan["days"]))
        return opened_us, end, (calendar.at(day, 0), end)
    assert one.term is not None
    if one.kind.clock is ClockKind.INTERVAL:
        assert one.term.length_us is not None
        begin = opened_us + (1 + rng.randrange(14)) * 24 * 60 * MINUTE_US
        begin = max(min(begin, calendar.end_us - one.term.length_us), opened_us)
        return begin, begin + one.term.length_us, (begin, begin + one.term.length_us)
    return opened_us, calendar.deadline(opened_us, one.term), None


def _between(begin: int, end: int, rng: random.Random) -> int:
    """Return a moment to the second that leaves some time before the end."""
    share = rng.randrange(LEAST * 100, MOST * 100)
    return min(end, max(begin, begin + (end - begin) * share // 10_000 // SECOND_US * SECOND_US))


def follow_ups(
    one: Facts, homes: Sequence[Home], number: int, month: Month, calls: list[AwaitedCall]
) -> Iterator[DutyStory]:
    """Yield the follow-up calls of a month: two to homes of level 3, and one to as many others as the number leaves.

    Every second home's calls have no reference, so that they find their duty by the time. Some follow-ups are left
    open, and the call that fulfils each is added to ``calls``.
    """
    days, calendar, rng = month
    middle, last = days[14], days[-1]
    halves = ((days[0], middle), (middle + timedelta(days=1), last))
    twice = sum(home.level == TWICE for home in homes)
    others = max(len(homes) - twice, 1)
    for place, home in enumerate(homes):
        spans = halves if home.level == TWICE else ((days[0], last),)
        if home.level != TWICE and rng.randrange(others) >= number - 2 * twice:
            continue
        for half, (first, until) in enumerate(spans):
            opened_us, end = calendar.at(first, 6), calendar.end_of(until)
            ref = f"FU{first:%y%m}-{half}-{home.code}" if place % 2 else ""
            if place % CALLS_IN == 0:
                last_us = min(end, calendar.end_us)
                calls.append(AwaitedCall(home.code, opened_us, last_us))
            done = _between(opened_us, end, rng)
            opening = ToldEvent(one.kind.opens, opened_us, (calendar.at(first, 0), end))
            closing = [] if place % CALLS_IN == 0 else one.closing(done)
            yield DutyStory(one.name, home.code, ref, [opening, *closing], home.base, f"OP{rng.randrange(60):02}")
