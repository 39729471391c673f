"""Says a figure of a service level, and the cases behind it, in sentences for people who check them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.calls import CallOutcome
from vetlla.domain.clock import SECOND_US
from vetlla.domain.communications import CommunicationSource
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.service_levels import CaseVerdict, GroupedBy, LevelVerdict
from vetlla.service.calls.proofs import Proof
from vetlla.service.duties.kinds import ClockKind
from vetlla.service.duties.why import named
from vetlla.service.sla.communications import left_out
from vetlla.service.sla.from_duties import CountedBy
from vetlla.service.sla.levels import LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    from vetlla.domain.calls import PhoneCall
    from vetlla.domain.communications import Communication
    from vetlla.domain.service_levels import LevelFigure, LevelPart
    from vetlla.service.duties.standing import Standing
    from vetlla.service.parameters import Parameter, Parameters, Reading
    from vetlla.service.sla.communications import T3Rules

TellTime: TypeAlias = Callable[[int], str]
"""Writes a moment, given in microseconds UTC."""

_OF_VERDICT: Final = {
    LevelVerdict.KEPT: "It is kept.",
    LevelVerdict.NOT_KEPT: "It is not kept.",
    LevelVerdict.NOT_MEASURED: "It is not measured, and does not count as kept.",
    LevelVerdict.EMPTY: "There was no case in the month.",
}
_OF_CASES: Final = {
    CaseVerdict.UNDECIDED: "Not in the parts, because the clock still runs: {n}.",
    CaseVerdict.UNMEASURED: "Not in the parts, because the time was not recorded: {n}.",
    CaseVerdict.LEFT_OUT: "Left out, because they are no case of this level: {n}.",
}
_OF_DUTY: Final = {
    DutyVerdict.KEPT: CaseVerdict.KEPT,
    DutyVerdict.BREACHED: CaseVerdict.BREACHED,
    DutyVerdict.OPEN: CaseVerdict.UNDECIDED,
    DutyVerdict.CANCELLED: CaseVerdict.LEFT_OUT,
}


# --- the figure -------------------------------------------------------------------------------------------------------


def figure_sentences(
    found: LevelFigure, counts: Mapping[CaseVerdict, int], parameters: Parameters, last_day: date
) -> Iterator[str]:
    """Yield what a figure says: each part, its threshold, what is not in it, and each value that no contract says.

    ``counts`` has the cases of the month by verdict.
    """
    level = LEVELS[found.ans - 1]
    yield f"ANS {found.ans} of {found.month:%Y-%m} (tender 20220428, {level.clause}): {level.subject}."
    yield from (_part(part) for part in found.parts)
    yield _OF_VERDICT[found.verdict]
    if found.breach_count:
        yield f"Breaches: {found.breach_count}."
    yield from (text.format(n=counts[one]) for one, text in _OF_CASES.items() if counts.get(one))
    for group in found.groups:
        if group.by is GroupedBy.LEFT_OUT:
            yield f"Left out by parameter sla.t3.{group.name}: {group.denominator}."
    for name in found.assumed:
        entry = parameters.find(name, last_day)
        if entry is not None:
            yield named(entry)


def _part(part: LevelPart) -> str:
    if part.verdict is LevelVerdict.NOT_MEASURED:
        return f"{part.name}: nothing was recorded, so it is not measured."
    if part.value is None:
        return f"{part.name}: there was no case."
    if part.unit == "%":
        counted = f"{part.numerator} of {part.denominator}, which is {part.value} %; {part.threshold} % are required"
    else:
        value, most = f"{part.value} {part.unit}", f"at most {part.threshold} is allowed"
        counted = f"{part.numerator} with {part.denominator}, which is {value}; {most}"
    return f"{part.name}: {counted}, so this part is {'kept' if part.verdict is LevelVerdict.KEPT else 'not kept'}."


# --- duties -----------------------------------------------------------------------------------------------------------


def of_duty(one: Standing) -> CaseVerdict:
    """Return the verdict of a duty as that of a case."""
    return _OF_DUTY[one.verdict]


def duty_counts(one: Standing, at_us: int, month: Parameter, time: TellTime) -> str:
    """Return why a duty counts in the month of a moment; ``month`` is the parameter that decides it."""
    if CountedBy(str(month.value)) is CountedBy.OPENED or one.terms.kind.clock is ClockKind.NONE:
        return f"It counts in the month in which it was opened, at {time(at_us)}. {named(month)}"
    what = "its clock ran out" if one.due_us is not None else "it ended without a promised time"
    return f"It counts in the month in which {what}, at {time(at_us)}. {named(month)}"


# --- communications ---------------------------------------------------------------------------------------------------


class Stamps(NamedTuple):
    """What was recorded of a communication; None and "" if it was not."""

    established_us: int | None
    ready_us: int | None
    answered_us: int | None
    operator: str
    alarm: int | None = None


def stamps_text(stamps: Stamps, time: TellTime) -> str:
    """Return the stamps of a communication as a sentence."""
    answered = f"answered at {time(stamps.answered_us)}" if stamps.answered_us is not None else "not answered"
    by = f" by {stamps.operator}" if stamps.operator and stamps.answered_us is not None else ""
    parts = [
        f"established at {time(stamps.established_us)}" if stamps.established_us is not None else "",
        f"ready at {time(stamps.ready_us)}" if stamps.ready_us is not None else "",
        f"{answered}{by}",
    ]
    alarm = f" Its alarm is {stamps.alarm}." if stamps.alarm is not None else ""
    return f"It was {', '.join(filter(None, parts))}.{alarm}"


def t2_text(one: Communication, reading: Reading) -> str:
    """Return what ANS 5 says of a communication, and by which limit."""
    if one.t2_us is None:
        return "Its t2 was not recorded."
    return f"Its t2 is {_seconds(one.t2_us)}. {named(reading.entry('sla.t2_s'))} Source: tender 20220428, 16.5."


def t3_text(one: Communication, judged: tuple[CaseVerdict, int], rules: T3Rules, reading: Reading) -> str:
    """Return what ANS 6 says of a communication that is ``judged_t3``, and by which limits."""
    verdict, waited_us = judged
    match verdict:
        case CaseVerdict.LEFT_OUT:
            return f"It is no case. {named(reading.entry(f'sla.t3.{left_out(one, rules)}'))}"
        case CaseVerdict.UNMEASURED:
            return "Its t3 was not recorded."
    what = "Its t3 is" if one.t3_us is not None else "It was not answered, and waited"
    limits = " ".join(named(reading.entry(f"calls.{name}")) for name in ("t3_s", "t3_share", "t3_max_s"))
    return f"{what} {_seconds(waited_us)}. {limits} Source: tender 20220428, 16.6."


def came_in(one: Communication, time: TellTime) -> str:
    """Return why a communication counts in its month."""
    what = "received" if one.source is CommunicationSource.TERMINAL else "begun"
    return f"It counts in the month in which it was {what}, at {time(one.begun_us)}."


def proofs_text(call: PhoneCall, missing: Collection[Proof]) -> str:
    """Return which proofs of ANS 7 a call has."""
    if Proof.RECORDED in missing:
        recorded = "its recording or the hash of it is missing"
    elif call.record.outcome is CallOutcome.ANSWERED:
        recorded = "it is recorded"
    else:
        recorded = "it was not answered, so no recording is due"
    registered = "its start, number or outcome is missing" if Proof.REGISTERED in missing else "it is registered"
    filed = "it is in no file" if Proof.FILED in missing else "it is in a file"
    return f"Of its proofs: {registered}; {recorded}; {filed}."


def _seconds(duration_us: int) -> str:
    return f"{duration_us / SECOND_US:g} s"
