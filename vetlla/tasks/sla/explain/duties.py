"""Cases of the levels that are made of duties: also emergencies in the street, and complaints."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import MINUTE_US
from vetlla.domain.service_levels import CaseVerdict, LevelCase
from vetlla.service.complaints.report import counts_at as complaint_counts_at
from vetlla.service.dispatch.emergency import emergency
from vetlla.service.duties.standing import Standing  # noqa: TC001 - NamedTuple
from vetlla.service.duties.why import named, why
from vetlla.service.parameters import Parameter  # noqa: TC001 - NamedTuple
from vetlla.service.sla.arrivals import WITH_SHARE
from vetlla.service.sla.explaining import TellTime, duty_counts, of_duty
from vetlla.service.sla.from_duties import is_of_month
from vetlla.service.sla.pertinent import is_waiting
from vetlla.tasks.complaints.desk import pertinent_month
from vetlla.tasks.sla.complaints import complaints, of_pertinent
from vetlla.tasks.sla.emergencies import share_us
from vetlla.tasks.sla.explain.candidate import Candidate
from vetlla.tasks.sla.from_duties import counted
from vetlla.tasks.sla.month import MonthRecord  # noqa: TC001 - NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.complaints.complaint import Complaint


class _InMonth(NamedTuple):
    """A duty that counts in the month."""

    record: MonthRecord
    one: Standing
    at_us: int
    month: Parameter
    """The parameter that says which month it counts in."""
    time: TellTime


def duty_cases(record: MonthRecord, ans: int, time: TellTime) -> Iterator[Candidate]:
    """Yield the duties of a month for a level."""
    for found in _of_month(record, ans, time):
        home = record.place_of(found.one).home
        yield Candidate(of_duty(found.one), home, found.at_us, partial(_duty, found))


def emergency_cases(record: MonthRecord, ans: int, time: TellTime) -> Iterator[Candidate]:
    """Yield the emergencies of a month for ANS 11 or 12; one that misses only the time of the share is late."""
    told = _emergency if ans == WITH_SHARE else _duty_of_street
    for found in _of_month(record, ans, time):
        one, verdict = found.one, of_duty(found.one)
        if ans == WITH_SHARE and verdict is CaseVerdict.KEPT and one.elapsed_us > share_us(record, emergency(one)):
            verdict = CaseVerdict.LATE
        yield Candidate(verdict, one.duty.subject, found.at_us, partial(told, found, verdict))


def complaint_cases(record: MonthRecord, ans: int, time: TellTime) -> Iterator[Candidate]:
    """Yield the pertinent complaints of a month for ANS 20, and those of which the city has not decided."""
    breached = {one.number for one in of_pertinent(record, ans).breaches}
    entry = record.reading().entry("complaint.pertinent_month")
    month_of, cases = pertinent_month(record.reading()), record.cases
    for one in complaints(record):
        at_us = complaint_counts_at(one, month_of)
        if one.is_pertinent and is_of_month(at_us, cases):
            verdict = CaseVerdict.BREACHED if str(one.id) in breached else CaseVerdict.KEPT
        elif is_waiting(one, cases):
            verdict, at_us = CaseVerdict.UNDECIDED, one.standing.duty.opened_us
        else:
            continue
        yield Candidate(verdict, one.home, at_us, partial(_complaint, one, verdict, at_us, entry, time))


def _of_month(record: MonthRecord, ans: int, time: TellTime) -> Iterator[_InMonth]:
    month = record.reading().entry(f"sla.month.{ans}", "sla.month")
    for at_us, one in counted(record, ans):
        yield _InMonth(record, one, at_us, month, time)


def _duty(found: _InMonth) -> LevelCase:
    duty, home = found.one.duty, found.record.place_of(found.one).home
    return LevelCase(
        what=duty.kind,
        number=str(duty.id),
        home=home,
        subject="" if duty.subject == home else duty.subject,
        verdict=of_duty(found.one),
        counts=duty_counts(found.one, found.at_us, found.month, found.time),
        why=why(found.one, found.time),
        show=f"vetlla duties show {duty.id}",
    )


def _duty_of_street(found: _InMonth, verdict: CaseVerdict) -> LevelCase:
    show = f"vetlla dispatch show {emergency(found.one).label}"
    return _duty(found)._replace(verdict=verdict, home=found.one.duty.subject, subject="", show=show)


def _emergency(found: _InMonth, verdict: CaseVerdict) -> LevelCase:
    told = _duty_of_street(found, verdict)
    if verdict not in {CaseVerdict.KEPT, CaseVerdict.LATE}:
        return told
    where = "beyond" if verdict is CaseVerdict.LATE else "within"
    minutes = share_us(found.record, emergency(found.one)) // MINUTE_US
    offered = named(found.record.reading().entry("umo.offered_share"))
    return told._replace(why=f"{told.why} It is {where} the {minutes} minutes of the share. {offered}")


def _complaint(one: Complaint, verdict: CaseVerdict, at_us: int, month: Parameter, time: TellTime) -> LevelCase:
    arrived = f"It came at {time(one.standing.duty.opened_us)}."
    said = {
        CaseVerdict.UNDECIDED: "The city has not decided about it.",
        CaseVerdict.KEPT: "The city judged that it is pertinent. It is within the allowed number.",
        CaseVerdict.BREACHED: "The city judged that it is pertinent. It is beyond the allowed number.",
    }
    judged = f" The verdict is of {time(one.judged.told.at_us)}." if one.judged else ""
    return LevelCase(
        what=one.standing.duty.kind,
        number=str(one.id),
        home=one.home,
        subject=one.topic,
        verdict=verdict,
        counts=f"It counts in the month of {time(at_us)}. {named(month)}",
        why=f"{arrived} {said[verdict]}{judged} Source: tender 20220428, 16.20.",
        show=f"vetlla complaints show {one.id}",
    )
