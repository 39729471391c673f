"""Writes a plan as iCalendar (RFC 5545): one all-day event for each visit, so that a base's calendar shows its week."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from icalendar import Calendar, Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from vetlla.domain.visits import Visit


def calendar(visits: Iterable[Visit], reasons: Mapping[int, list[str]], made: datetime) -> bytes:
    """Return the calendar. A visit keeps its UID as long as it keeps its number, so that a changed day moves the event.

    The calendar holds only codes. Names and addresses must be looked up where they are protected.
    """
    book = Calendar()
    book.add("prodid", "-//Vetlla//renewals//EN")
    book.add("version", "2.0")
    for visit in visits:
        event = Event()
        event.add("uid", f"visit-{visit.number}@vetlla")
        event.add("dtstamp", made)
        event.add("dtstart", visit.day)
        event.add("dtend", visit.day + timedelta(days=1))
        event.add("summary", f"{visit.home or 'new home'} ({visit.base}, {visit.minutes} min)")
        event.add("description", "\n".join(reasons.get(visit.number, [])))
        event.add("status", "CONFIRMED" if visit.agreed else "TENTATIVE")
        event.add("categories", [visit.base])
        event.add("transp", "TRANSPARENT")
        book.add_component(event)
    return bytes(book.to_ical())
