"""The tables of what machines prove: supervision from the figures of ANS 13, availability from the probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.service.activity import proofs
from vetlla.service.activity.proofs import SeenOutage
from vetlla.service.probes.availability import Condition
from vetlla.tasks.probes.times import Within, outages
from vetlla.tasks.sla.availability import LEVELS, probed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.domain.figures import FigureTable
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord

SUPERVISION: Final = 13
NOTED: Final = "noted"


def proof_tables(record: MonthRecord, figures: Sequence[LevelFigure]) -> Iterator[FigureTable]:
    """Yield the tables of supervision and availability; ``figures`` are those of all levels."""
    supervision = next(one for one in figures if one.ans == SUPERVISION)
    yield proofs.checks(supervision)
    yield proofs.silent(supervision)
    times = {part: record.once(probed, part).times for part in LEVELS}
    yield proofs.availability({LEVELS[part]: found for part, found in times.items()})
    within = Within(record.begin_us, record.end_us + 1)
    seen = (
        SeenOutage(
            one.component,
            one.begin_us,
            one.end_us,
            one.span.condition.value if one.span else NOTED,
            "; ".join(note.note for note in one.notes),
        )
        for one in outages(record.connection, times, within)
        if one.span is None or one.span.condition is Condition.UNAVAILABLE or one.notes
    )
    yield proofs.outages(seen, record.rules.calendar.zone)
