"""Writes iCalendar (RFC 5545): what a base or an office plans, as events of a calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from icalendar import Calendar, Event

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime


class CalendarEntry(NamedTuple):
    """One all-day event."""

    uid: str
    """It stays the same as long as it is the same thing, so that another day moves the event."""
    day: date
    summary: str
    description: str
    category: str
    is_certain: bool = True
    """Whether its day is agreed or fixed."""


def calendar(subject: str, entries: Iterable[CalendarEntry], made: datetime) -> bytes:
    """Return the calendar of a subject, such as renewals.

    Give it only codes: names and addresses must be looked up where they are protected.
    """
    book = Calendar()
    book.add("prodid", f"-//Vetlla//{subject}//EN")
    book.add("version", "2.0")
    for entry in entries:
        event = Event()
        event.add("uid", f"{entry.uid}@vetlla")
        event.add("dtstamp", made)
        event.add("dtstart", entry.day)
        event.add("dtend", entry.day + timedelta(days=1))
        event.add("summary", entry.summary)
        event.add("description", entry.description)
        event.add("status", "CONFIRMED" if entry.is_certain else "TENTATIVE")
        event.add("categories", [entry.category])
        event.add("transp", "TRANSPARENT")
        book.add_component(event)
    return bytes(book.to_ical())
