"""Writes a plan as iCalendar: one all-day event for each visit, so that a base's calendar shows its week."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vetlla.documents import icalendar_file
from vetlla.documents.icalendar_file import CalendarEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from vetlla.domain.visits import Visit


def calendar(visits: Iterable[Visit], reasons: Mapping[int, list[str]], made: datetime) -> bytes:
    """Return the calendar. A visit keeps its UID as long as it keeps its number, so that a changed day moves the event.

    A visit that is not agreed is tentative, and takes no time of the base.
    """
    events = (
        CalendarEvent(
            uid=f"visit-{visit.number}@vetlla",
            begin=visit.day,
            end=visit.day + timedelta(days=1),
            summary=f"{visit.home or 'new home'} ({visit.base}, {visit.minutes} min)",
            description="\n".join(reasons.get(visit.number, [])),
            is_confirmed=visit.agreed,
            categories=(visit.base,),
            is_busy=False,
        )
        for visit in visits
    )
    return icalendar_file.calendar(events, made, about="renewals")
