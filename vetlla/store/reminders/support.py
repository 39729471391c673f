"""Tickets of the support desk: each act is a row that is never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.support import ContactWay, Ticket, TicketAct, TicketEvent
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

_EVENTS: Final = """
SELECT support_tickets.id AS number, way, reference, act, at_us, recorded_us, by, severity, text
FROM support_tickets JOIN support_events ON support_events.ticket = support_tickets.id
"""
_ORDER: Final = "ORDER BY support_tickets.id, support_events.id"


def add_ticket(db: sqlite3.Connection, way: ContactWay, reference: str, opening: TicketEvent) -> int:
    """Keep a new ticket with the act that opened it; return its number."""
    row = db.execute(
        "INSERT INTO support_tickets (way, reference) VALUES (?, ?) RETURNING id", (way.value, reference)
    ).fetchone()
    number = int(row["id"])
    add_event(db, number, opening)
    return number


def add_event(db: sqlite3.Connection, ticket: int, event: TicketEvent) -> None:
    """Keep an act on a ticket."""
    db.execute(
        "INSERT INTO support_events (ticket, act, at_us, recorded_us, by, severity, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            ticket,
            event.act.value,
            stored(event.at),
            stored(event.recorded_at),
            event.by,
            event.severity,
            event.text,
        ),
    )


def ticket_of(db: sqlite3.Connection, number: int) -> Ticket | None:
    """Return a ticket; None if there is none of this number."""
    return next(_tickets(db.execute(f"{_EVENTS} WHERE support_tickets.id = ? {_ORDER}", (number,)).fetchall()), None)


def tickets(
    db: sqlite3.Connection, opened_from: datetime | None = None, opened_before: datetime | None = None
) -> Iterator[Ticket]:
    """Yield the tickets that were opened in a time, by number; without bounds all of them."""
    opened = "SELECT ticket FROM support_events WHERE act = 'opened' AND at_us >= ? AND at_us < ?"
    bounds = (stored(opened_from) if opened_from else _FIRST, stored(opened_before) if opened_before else _LAST)
    return _tickets(db.execute(f"{_EVENTS} WHERE support_tickets.id IN ({opened}) {_ORDER}", bounds).fetchall())


def open_tickets(db: sqlite3.Connection) -> Iterator[Ticket]:
    """Yield the tickets that are not solved, by number."""
    still_open = "SELECT ticket FROM support_events GROUP BY ticket HAVING sum(act = 'solved') = sum(act = 'reopened')"
    return _tickets(db.execute(f"{_EVENTS} WHERE support_tickets.id IN ({still_open}) {_ORDER}").fetchall())


_FIRST: Final = -(1 << 62)
_LAST: Final = 1 << 62
"""Earlier and later than any time in microseconds."""


def empty_texts(db: sqlite3.Connection, ticket: int) -> int:
    """Remove the texts of a ticket's acts; return how many there were."""
    return db.execute("UPDATE support_events SET text = '' WHERE ticket = ? AND text <> ''", (ticket,)).rowcount


def _tickets(rows: list[sqlite3.Row]) -> Iterator[Ticket]:
    events: list[TicketEvent] = []
    for place, row in enumerate(rows):
        events.append(_event(row))
        if place + 1 == len(rows) or rows[place + 1]["number"] != row["number"]:
            yield Ticket(id=row["number"], way=ContactWay(row["way"]), reference=row["reference"], events=tuple(events))
            events = []


def _event(row: sqlite3.Row) -> TicketEvent:
    return TicketEvent(
        act=TicketAct(row["act"]),
        at=read(row["at_us"]),
        recorded_at=read(row["recorded_us"]),
        by=row["by"],
        severity=row["severity"],
        text=row["text"],
    )
