"""The figures of ANS 18 and 21: the time in which probes reached the system, and the authority's access to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.probes import ProbedPart
from vetlla.domain.service_levels import LISTED_AT_MOST, BreachReason, LevelBreach, LevelGroup
from vetlla.service.probes.availability import Condition
from vetlla.service.probes.combined import Unseen, together, unseen_rule
from vetlla.service.sla.comparing import figure, share
from vetlla.tasks.probes.times import Within, times

if TYPE_CHECKING:
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.probes.availability import ComponentTime, ProbedSpan
    from vetlla.tasks.sla.month import MonthRecord

_PARTS: Final = {18: ProbedPart.SYSTEM, 21: ProbedPart.ACCESS}
_SHARES: Final = {18: "availability.share", 21: "availability.share.access"}
_REASONS: Final = {
    Condition.UNAVAILABLE: BreachReason.UNAVAILABLE,
    Condition.UNSEEN: BreachReason.NOT_CHECKED,
}


def of_probes(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of a level from the probes of the month, in microseconds times the weight of each component.

    It is not measured if no probe saw any of the month. A month that still runs is judged until now.
    """
    reading = record.reading()
    within = Within(record.begin_us, min(record.end_us + 1, record.seen_us))
    found = times(record.connection, _PARTS[ans], within, reading)
    sums = together(found, reading)
    if not sums.total:
        return figure(ans, record.month, [])
    threshold = reading.money(_SHARES[ans])
    is_strict = unseen_rule(reading) is Unseen.UNAVAILABLE
    spans = [
        (name, span)
        for name, time in found.items()
        for span in time.spans
        if is_strict or span.condition is Condition.UNAVAILABLE
    ]
    spans.sort(key=lambda one: (one[1].begin_us, one[0]))
    return figure(
        ans,
        record.month,
        [share("available", sums.available, sums.total, threshold)],
        [_breach(name, span) for name, span in spans[:LISTED_AT_MOST]],
        breach_count=sum(one.span_count for one in found.values()) if is_strict else len(spans),
        assumed=tuple(sorted(entry.name for entry in reading.not_agreed())),
        groups=_groups(found),
        notes=() if is_strict or not any(one.unseen_us for one in found.values()) else ("unseen_excluded",),
    )


def _breach(name: str, span: ProbedSpan) -> LevelBreach:
    return LevelBreach(
        what="component",
        number="",
        home="",
        subject=name,
        reason=_REASONS[span.condition],
        begun_us=span.begin_us,
        at_us=span.end_us,
        measured_us=span.length_us,
    )


def _groups(found: dict[str, ComponentTime]) -> tuple[LevelGroup, ...]:
    """Return for each component its time available and its time unseen, both of its whole time."""
    return tuple(
        LevelGroup(by, name, part, time.total_us)
        for name, time in found.items()
        for by, part in (("component", time.available_us), ("unseen", time.unseen_us))
    )
