"""The figures of ANS 11 and 12 from the duties of emergencies in the street."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vetlla.domain.clock import MINUTE_US
from vetlla.service.dispatch.emergency import emergency
from vetlla.service.sla.arrivals import arrivals_figure
from vetlla.service.sla.comparing import figure
from vetlla.service.sla.from_duties import counted_by
from vetlla.tasks.dispatch import figures
from vetlla.tasks.sla.cases import standings
from vetlla.tasks.sla.from_duties import is_recorded, kinds_of

if TYPE_CHECKING:
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.tasks.sla.month import MonthRecord


def of_emergencies(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of the type of a level. It is not measured if no emergency of it was ever recorded."""
    kinds = kinds_of(record, ans)
    if not is_recorded(record, kinds):
        return figure(ans, record.month, [])
    reading = record.reading()
    found = map(emergency, standings(record, kinds, counted_by(reading, ans)))
    return arrivals_figure(ans, found, partial(share_us, record), reading, record.cases)


def share_us(record: MonthRecord, one: StreetEmergency) -> int:
    """Return the time of the share that holds for an emergency."""
    return figures.reading(record.rules, one.opened_us).integer("umo.share_minutes", least=1) * MINUTE_US
