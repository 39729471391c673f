"""Writes visits as iCalendar (RFC 5545), for the calendar of a base or of a technician.

The calendar holds only codes. Names and addresses must be looked up where they are protected.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from icalendar import Calendar, Event

if TYPE_CHECKING:
    from collections.abc import Iterable


class CalendarEvent(NamedTuple):
    """An entry of a calendar. With dates it takes whole days, and ``end`` is the day after the last one."""

    uid: str
    """It stays as long as the entry is the same one, so that a changed day moves the entry."""
    begin: date | datetime
    end: date | datetime
    summary: str
    description: str
    is_confirmed: bool
    categories: tuple[str, ...]
    is_busy: bool
    """Whether the calendar shows the time as taken."""


def calendar(events: Iterable[CalendarEvent], made: datetime, *, about: str) -> bytes:
    """Return the calendar; ``about`` is the part of Vetlla that made it. Times are written in UTC."""
    book = Calendar()
    book.add("prodid", f"-//Vetlla//{about}//EN")
    book.add("version", "2.0")
    for one in events:
        event = Event()
        event.add("uid", one.uid)
        event.add("dtstamp", made)
        event.add("dtstart", _utc(one.begin))
        event.add("dtend", _utc(one.end))
        event.add("summary", one.summary)
        event.add("description", one.description)
        event.add("status", "CONFIRMED" if one.is_confirmed else "TENTATIVE")
        event.add("categories", list(one.categories))
        event.add("transp", "OPAQUE" if one.is_busy else "TRANSPARENT")
        book.add_component(event)
    return bytes(book.to_ical())


def _utc(moment: date | datetime) -> date | datetime:
    # A zone by name would need its rules in the file, and every calendar shows UTC in its own zone.
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment
