"""The figures of ANS 20 from the complaints and claims, and the people that the service attends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.service.complaints.complaint import ComplaintKind, complaint
from vetlla.service.complaints.report import MonthInput
from vetlla.service.sla.comparing import figure
from vetlla.service.sla.from_duties import CountedBy
from vetlla.service.sla.pertinent import pertinent_figure
from vetlla.tasks.complaints.desk import pertinent_month
from vetlla.tasks.sla.cases import standings
from vetlla.tasks.sla.from_duties import is_recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.complaints.complaint import Complaint
    from vetlla.tasks.sla.month import MonthRecord

_KINDS: Final = (ComplaintKind.COMPLAINT.value, ComplaintKind.CLAIM.value)
"""Suggestions are not in 16.20."""


def of_pertinent(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of complaints and claims. It is not measured if none was ever recorded."""
    if not is_recorded(record, _KINDS):
        return figure(ans, record.month, [])
    reading = record.reading()
    given = MonthInput(
        first=record.month,
        complaints=complaints(record),
        homes=record.homes,
        people=record.people.values(),
        month_of=pertinent_month(reading),
        per_pertinent=reading.integer("complaint.users_per_pertinent", least=1),
    )
    return pertinent_figure(ans, given, reading, record.cases)


def complaints(record: MonthRecord) -> Iterator[Complaint]:
    """Yield the complaints and claims that can count in the month: their arrival or their verdict is an event of it."""
    return map(complaint, standings(record, _KINDS, CountedBy.OPENED))
