"""The figures of the service levels whose cases are duties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.service.sla.comparing import figure
from vetlla.service.sla.from_duties import DutyCases, from_duties
from vetlla.store.duties import events as store
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.looking import Wanted

if TYPE_CHECKING:
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord

_APART: Final = {14: (("solved", "fault"), ("scheduled", "fault_visit"))}
"""Levels with a part for each kind of duty. The tender demands both of ANS 14 for each fault (16.14)."""


def of_duties(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of a level from the duties of the kinds that feed it.

    It is not measured if nothing was ever recorded of these kinds.
    """
    kinds = [name for name in record.rules.kinds.names() if record.rules.kinds.kind(name).ans == ans]
    if not any(store.is_recorded(record.connection, kind, record.end_us) for kind in kinds):
        return figure(ans, record.month, [])
    apart = dict(_APART.get(ans, ()))
    others = frozenset(kinds) - frozenset(apart.values())
    groups = [(name, frozenset({kind})) for name, kind in apart.items() if kind in kinds]
    groups += [("all", others)] if others else []
    found = looking.found(record.connection, record.rules, Wanted(kinds=kinds), record.seen_us)
    cases = DutyCases(record.month, record.begin_us, record.end_us, record.rules.calendar, record.place_of)
    return from_duties(ans, found, groups, record.reading(), cases)
