"""Cases of ANS 18 and 21: the times in which a component was not available, or in which no probe saw it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import iso
from vetlla.domain.service_levels import CaseVerdict, LevelCase
from vetlla.service.probes.availability import Condition
from vetlla.service.probes.combined import Unseen, unseen_rule
from vetlla.service.probes.telling import component_text, note_text, span_text, weighed
from vetlla.tasks.probes.times import Outage, Within, outages
from vetlla.tasks.sla.availability import LEVELS, PARTS, Probed, probed
from vetlla.tasks.sla.explain.candidate import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.probes.availability import ProbedSpan
    from vetlla.service.probes.telling import Weighed
    from vetlla.service.sla.explaining import TellTime
    from vetlla.tasks.sla.month import MonthRecord

_LISTED: Final = 10_000
"""Probes that the command lists: an outage of three days has as many, if a probe comes every 30 s."""


class _Told(NamedTuple):
    """What the sentences of a case are made of."""

    record: MonthRecord
    found: Probed
    of: Weighed
    outage: Outage
    span: ProbedSpan
    time: TellTime


def probed_cases(record: MonthRecord, ans: int, time: TellTime) -> Iterator[Candidate]:
    """Yield the outages and the unseen times of each component, in the order of their begin."""
    found = record.once(probed, PARTS[ans])
    unseen = CaseVerdict.BREACHED if unseen_rule(found.reading) is Unseen.UNAVAILABLE else CaseVerdict.UNMEASURED
    of = {name: weighed(name, found.times, found.reading) for name in found.times}
    for one in _outages(record, found):
        if one.span is None:
            continue
        verdict = unseen if one.span.condition is Condition.UNSEEN else CaseVerdict.BREACHED
        told = _Told(record, found, of[one.component], one, one.span, time)
        yield Candidate(verdict, "", one.span.begin_us, partial(_case, told, verdict))


def probed_sentences(record: MonthRecord, ans: int, time: TellTime) -> Iterator[str]:
    """Yield what the figure is made of: each component, the command for all of them, and notes without an outage."""
    found = record.once(probed, PARTS[ans])
    if found.times:
        yield "The numbers are microseconds, times the weight of each component."
    for name, its_time in found.times.items():
        yield component_text(weighed(name, found.times, found.reading), its_time, found.reading)
    for one in _outages(record, found):
        if one.span is None:
            yield f"Component {one.component} has no such time here. {note_text(one.notes[0], time)}"
    if found.times:
        yield f"Shown by: vetlla probe report --month {record.month:%Y-%m}"


def _outages(record: MonthRecord, found: Probed) -> list[Outage]:
    """Return the times of the components of a part, and the notes about these components that touch none of them."""
    whole = Within(record.begin_us, record.end_us + 1)
    every = outages(record.connection, {found.part: found.times}, whole)
    return [one for one in every if one.component in found.times]


def _case(told: _Told, verdict: CaseVerdict) -> LevelCase:
    span, time, component = told.span, told.time, told.outage.component
    is_older = span.condition is Condition.UNAVAILABLE and span.failed_us < told.record.begin_us
    older = " It began before the month." if is_older else ""
    notes = [note_text(one, time) for one in told.outage.notes] or ["Nothing is noted beside it."]
    clause = f"Source: tender 20220428, 16.{LEVELS[told.found.part]}."
    return LevelCase(
        what="component",
        number="",
        home="",
        subject=component,
        verdict=verdict,
        counts=f"It counts from {time(span.begin_us)} to {time(span.end_us)}, which is in the month.{older}",
        why=" ".join([span_text(told.of, span, told.found.reading, time), *notes, clause]),
        show=_command(told),
    )


def _command(told: _Told) -> str:
    """Return the command that lists the probes of an outage, or the unseen times of the component."""
    span, component = told.span, told.outage.component
    if span.condition is Condition.UNSEEN:
        return f"vetlla probe incident list --month {told.record.month:%Y-%m} --component {component}"
    since_us = min(span.begin_us, span.failed_us)
    within = f"--since {iso(since_us)} --until {iso(span.end_us)}"
    return f"vetlla probe list --component {component} {within} --limit {_LISTED}"
