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
    from vetlla.tasks.probes.times import Outage
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
    yield proofs.outages(_seen(outages(record.connection, times, within)), record.rules.calendar.zone)


def _seen(found: Sequence[Outage]) -> Iterator[SeenOutage]:
    """Yield the outages that probes saw with their notes, and each note that stands beside none of them once.

    Time that no probe saw is no outage. The table of components has its sum.
    """
    told: set[int] = set()
    seen = [one for one in found if one.span is not None and one.span.condition is Condition.UNAVAILABLE]
    rows = []
    for one in seen:
        told.update(note.number for note in one.notes)
        noted = "; ".join(note.note for note in one.notes)
        rows.append(SeenOutage(one.component, one.begin_us, one.end_us, Condition.UNAVAILABLE.value, noted))
    alone = {note.number: note for one in found for note in one.notes if note.number not in told}
    rows += [SeenOutage(one.component, one.begun_us, one.ended_us, NOTED, one.note) for one in alone.values()]
    yield from sorted(rows, key=lambda one: (one.begin_us, one.component))
