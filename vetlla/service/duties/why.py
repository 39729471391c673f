"""Says in sentences why a duty has its verdict: what happened, the limit and its parameter, and the clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.clock import SECOND_US, stretch
from vetlla.domain.duties import DutyVerdict
from vetlla.service.duties.kinds import ClockKind
from vetlla.service.parameters import Basis, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.domain.duties import DutyEvent
    from vetlla.service.duties.standing import Standing
    from vetlla.service.parameters import Parameter


def why(one: Standing, time: Callable[[int], str]) -> str:
    """Return the reasons of a verdict; ``time`` writes a moment, given in microseconds UTC."""
    return " ".join(_sentences(one, time))


def _sentences(one: Standing, time: Callable[[int], str]) -> Iterator[str]:
    opening = one.duty.events[0].told
    yield f"It was opened ({opening.event}) at {time(opening.at_us)}."
    yield from _clock(one, time)
    for begin, end, event in one.stops:
        until = f"until {time(end)}" if end is not None else "and has not started again"
        yield f"The clock stood from {time(begin)} ({event}) {until}."
    yield _verdict(one, time)
    if one.is_worse and (worse := one.terms.kind.worse):
        yield f"The limit is exceeded by more than {worse.over} %, which is a {worse.is_} ({worse.clause})."
    yield from (named(parameter) for parameter in one.terms.asked)
    yield f"Source: {one.terms.kind.clause}."


def _clock(one: Standing, time: Callable[[int], str]) -> Iterator[str]:
    limit, kind = one.terms.limit, one.terms.kind
    if limit is not None:
        what = "The limit" if kind.clock is ClockKind.LIMIT else "The widest interval that may be promised"
        yield f"{what} is {limit.value} {limit.unit} (parameter {limit.name}, {limit.basis}: {limit.ref})."
    if one.promise is not None:
        yield f"The promised time is {_interval(one.promise, time)} ({one.promise.told.event})."


def _interval(promise: DutyEvent, time: Callable[[int], str]) -> str:
    begin, end = promise.told.begin_us, promise.told.end_us
    until = time(end) if end is not None else "an unknown time"
    return f"up to {until}" if begin is None else f"{time(begin)} to {until}"


def _verdict(one: Standing, time: Callable[[int], str]) -> str:
    decided, due = one.judging, one.due_us
    at = f"{decided.told.event} at {time(decided.told.at_us)}" if decided else ""
    match one.verdict:
        case DutyVerdict.OPEN if due is None:
            has_clock = one.terms.kind.clock is not ClockKind.NONE
            return "It is open, and its clock stands." if has_clock else "It is open, and it has no clock."
        case DutyVerdict.OPEN:
            return f"It is open, and its clock runs out at {time(due or 0)}."
        case DutyVerdict.KEPT:
            return f"It is kept: {at}" + (f", and its clock would have run out at {time(due)}." if due else ".")
        case DutyVerdict.CANCELLED:
            ended = one.ended
            return f"It was called off ({ended.told.event}) at {time(ended.told.at_us)}." if ended else ""
    return f"It is breached: {_breach(one, at, time)}."


def _breach(one: Standing, at: str, time: Callable[[int], str]) -> str:
    decided, due = one.judging, one.due_us
    if decided is None:
        end = f", before it was called off ({one.ended.told.event})" if one.ended else ""
        return f"its clock ran out at {time(due or 0)}{end}"
    if due is not None and decided.told.at_us > due:
        return f"{at}, {stretch((decided.told.at_us - due) // SECOND_US)} after its clock ran out at {time(due)}"
    if decided.told.event not in one.terms.judged:
        return f"{at} does not fulfil it"
    promise = one.promise
    if promise is None:
        return f"{at}, and no time was promised"
    if promise.told.begin_us is not None and decided.told.at_us < promise.told.begin_us:
        return f"{at}, before the promised interval"
    return f"{at}, and the promised interval is wider than allowed"


def named(parameter: Parameter) -> str:
    """Return the value of a parameter and where it comes from, as a sentence."""
    basis = f"{parameter.basis}: {parameter.ref}" if parameter.basis is not Basis.CONTRACT else parameter.ref
    return f"Parameter {parameter.name} is {shown(parameter.value) or 'empty'} ({basis})."
