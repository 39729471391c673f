"""The figures of the service levels whose cases are duties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.service_levels import PartName
from vetlla.service.sla.comparing import figure
from vetlla.service.sla.from_duties import counted_by, counting, from_duties
from vetlla.store.duties import events as store
from vetlla.tasks.sla.cases import standings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.duties.standing import Standing
    from vetlla.tasks.sla.month import MonthRecord

APART: Final = {14: ((PartName.SOLVED, "fault"), (PartName.SCHEDULED, "fault_visit"))}
"""Levels with a part for each kind of duty. The tender demands both of ANS 14 for each fault (16.14)."""


def kinds_of(record: MonthRecord, ans: int) -> list[str]:
    """Return the kinds of duty that feed a level."""
    return [name for name in record.rules.kinds.names() if record.rules.kinds.kind(name).ans == ans]


def counted(record: MonthRecord, ans: int) -> Iterator[tuple[int, Standing]]:
    """Yield the duties of a level that count in the month, each after the moment that puts it there."""
    by = counted_by(record.reading(), ans)
    return counting(standings(record, kinds_of(record, ans), by), by, record.cases)


def is_recorded(record: MonthRecord, kinds: Iterable[str]) -> bool:
    """Return True if an event of one of these kinds was recorded, of the month or of a time before it."""
    return any(store.is_recorded(record.connection, kind, record.end_us) for kind in kinds)


def of_duties(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of a level from the duties of the kinds that feed it.

    It is not measured if nothing was ever recorded of these kinds.
    """
    kinds = kinds_of(record, ans)
    if not is_recorded(record, kinds):
        return figure(ans, record.month, [])
    apart = dict(APART.get(ans, ()))
    others = frozenset(kinds) - frozenset(apart.values())
    groups = [(name, frozenset({kind})) for name, kind in apart.items() if kind in kinds]
    groups += [(PartName.ALL, others)] if others else []
    reading = record.reading()
    found = standings(record, kinds, counted_by(reading, ans))
    return from_duties(ans, found, groups, reading, record.cases)
