"""The figures of ANS 18 and 21: the time in which probes reached the system, and the authority's access to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.probes import ProbedPart
from vetlla.domain.service_levels import (
    LISTED_AT_MOST,
    BreachReason,
    GroupedBy,
    LevelBreach,
    LevelGroup,
    LevelNote,
    PartName,
)
from vetlla.service.probes.availability import Condition
from vetlla.service.probes.combined import Unseen, by_day, together, unseen_rule
from vetlla.service.sla.comparing import figure, share
from vetlla.tasks.probes.times import Within, times

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.parameters import Reading
    from vetlla.service.probes.availability import ComponentTime, ProbedSpan
    from vetlla.tasks.sla.month import MonthRecord

LEVELS: Final = {ProbedPart.SYSTEM: 18, ProbedPart.ACCESS: 21}
"""Part of the service -> number of the level that judges it."""
PARTS: Final = {ans: part for part, ans in LEVELS.items()}
_SHARES: Final = {ProbedPart.SYSTEM: "availability.share", ProbedPart.ACCESS: "availability.share.access"}
_REASONS: Final = {
    Condition.UNAVAILABLE: BreachReason.UNAVAILABLE,
    Condition.UNSEEN: BreachReason.NOT_CHECKED,
}


class Probed(NamedTuple):
    """What probes saw of a part of the service in a month."""

    part: ProbedPart
    times: Mapping[str, ComponentTime]
    """By component; empty if no probe saw any of the month."""
    days: tuple[date, ...]
    """Days of the month that have begun: those of ``ComponentTime.days``."""
    reading: Reading
    """Has given the parameters behind the times."""


def probed_span(record: MonthRecord) -> Within:
    """Return the time that probes are asked for: the month, or what is over of it."""
    return Within(record.begin_us, max(record.begin_us, min(record.end_us + 1, record.seen_us)))


def probed(record: MonthRecord, part: ProbedPart) -> Probed:
    """Return the time of each component of a part. Raises ConfigError for a wrong parameter."""
    reading, within = record.reading(), probed_span(record)
    every = (record.month + timedelta(days=number) for number in range(record.last.day))
    begins = {day: record.rules.calendar.begin_of(day.toordinal()) for day in every}
    days = tuple(day for day, begin_us in begins.items() if begin_us < within.end_us)
    edges = [begins[day] for day in days[1:]]
    return Probed(part, times(record.connection, part, within, reading, edges), days, reading)


def of_probes(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of a level from the probes of the month."""
    return probed_figure(record, record.once(probed, PARTS[ans]))


def probed_figure(record: MonthRecord, found: Probed) -> LevelFigure:
    """Return the figures of the level of a part, in microseconds times the weight of each component.

    It is not measured if no probe saw any of the month. A month that still runs is judged until now.
    """
    ans, reading = LEVELS[found.part], found.reading
    sums = together(found.times, reading)
    if not sums.total:
        return figure(ans, record.month, [])
    threshold = reading.money(_SHARES[found.part])
    is_strict = unseen_rule(reading) is Unseen.UNAVAILABLE
    spans = [
        (name, span)
        for name, time in found.times.items()
        for span in time.spans
        if is_strict or span.condition is Condition.UNAVAILABLE
    ]
    spans.sort(key=lambda one: (one[1].begin_us, one[0]))
    return figure(
        ans,
        record.month,
        [share(PartName.AVAILABLE, sums.available, sums.total, threshold)],
        [_breach(name, span) for name, span in spans[:LISTED_AT_MOST]],
        breach_count=sum(one.span_count for one in found.times.values()) if is_strict else len(spans),
        assumed=reading.assumed(),
        groups=_groups(found),
        notes=()
        if is_strict or not any(one.unseen_us for one in found.times.values())
        else (LevelNote.UNSEEN_EXCLUDED,),
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


def _groups(found: Probed) -> tuple[LevelGroup, ...]:
    """Return the time available of each day, which adds up to the part; and of each component its own time.

    Of a component there are its time available and its time unseen, both of its whole time and without its weight.
    """
    days = zip(found.days, by_day(found.times, found.reading), strict=True)
    return (
        *(LevelGroup(GroupedBy.DAY, f"{day}", *sums) for day, sums in days if sums.total),
        *(
            LevelGroup(by, name, part, time.total_us)
            for name, time in found.times.items()
            for by, part in ((GroupedBy.COMPONENT, time.available_us), (GroupedBy.UNSEEN, time.unseen_us))
        ),
    )
