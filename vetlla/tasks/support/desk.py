"""Opens tickets of the support desk and keeps what is done about them, with an audit record that has no text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.support import TicketAct, TicketEvent
from vetlla.service.support.life import life_of, refuse_future, refuse_wrong
from vetlla.service.support.standing import standing
from vetlla.store.reminders import audit, support
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from vetlla.domain.support import ContactWay, Ticket
    from vetlla.service.support.levels import ServiceLevels
    from vetlla.service.support.standing import TicketStanding

_NEEDS_TEXT: Final = {
    TicketAct.PAUSED: "say what the city must decide",
    TicketAct.REOPENED: "say what was not solved",
    TicketAct.SEVERITY: "say why it is raised or lowered",
    TicketAct.NOTE: "write the note",
}
"""Acts that mean nothing without a text, and what it says."""


class ActRecord(NamedTuple):
    """When something happened, when it is written down, and by which user."""

    at: datetime
    now: datetime
    by: str


def open_ticket(
    db: sqlite3.Connection,
    levels: ServiceLevels,
    severity: str,
    title: str,
    *,
    way: ContactWay,
    reference: str,
    recorded: ActRecord,
) -> TicketStanding:
    """Open a ticket; return how it stands. Raises UsageError for an unknown severity or a time to come."""
    refuse_future(recorded.at, recorded.now)
    levels.refuse_early(recorded.at)
    if not title.strip():
        raise UsageError("a ticket needs a title", remedy="say in a few words what does not work, without names")
    opening = _event(TicketAct.OPENED, recorded, title.strip(), levels.known(severity))
    with atomic(db):
        number = support.add_ticket(db, way, reference, opening)
        _audit(db, number, opening)
        return standing(ticket_of(db, number), levels, recorded.now)


def act_on(
    db: sqlite3.Connection,
    levels: ServiceLevels,
    number: int,
    act: TicketAct,
    text: str = "",
    *,
    recorded: ActRecord,
    severity: str = "",
) -> TicketStanding:
    """Keep an act on a ticket; return how the ticket stands.

    Raises UsageError if there is no such ticket, if its state does not allow the act, or if the time is before the
    ticket's last event or to come.
    """
    if act in _NEEDS_TEXT and not text.strip():
        raise UsageError("a text is missing", remedy=_NEEDS_TEXT[act])
    with atomic(db):
        ticket = ticket_of(db, number)
        refuse_wrong(ticket, act, recorded.at, recorded.now)
        if act is TicketAct.SEVERITY and levels.known(severity) == life_of(ticket).severity:
            raise UsageError(f"ticket {number} is {severity} already", remedy=f"one of {', '.join(levels.severities)}")
        event = _event(act, recorded, text.strip(), severity)
        support.add_event(db, number, event)
        _audit(db, number, event)
        return standing(ticket_of(db, number), levels, recorded.now)


def ticket_of(db: sqlite3.Connection, number: int) -> Ticket:
    """Return a ticket. Raises UsageError if there is none of this number."""
    found = support.ticket_of(db, number)
    if found is None:
        raise UsageError(f"there is no ticket {number}", remedy="vetlla support list --all has all numbers")
    return found


def standings(
    db: sqlite3.Connection,
    levels: ServiceLevels,
    now: datetime,
    opened_from: datetime | None = None,
    opened_before: datetime | None = None,
) -> Iterator[TicketStanding]:
    """Yield how the tickets stand that were opened in a time, by number."""
    return (standing(one, levels, now) for one in support.tickets(db, opened_from, opened_before))


def open_standings(db: sqlite3.Connection, levels: ServiceLevels, now: datetime) -> Iterator[TicketStanding]:
    """Yield how the tickets stand that are not solved, by number."""
    return (standing(one, levels, now) for one in support.open_tickets(db))


def empty_texts(db: sqlite3.Connection, number: int, by: str, now: datetime) -> int:
    """Remove the texts of a ticket, because they have personal data; return how many. Acts and times stay."""
    with atomic(db):
        ticket_of(db, number)
        count = support.empty_texts(db, number)
        if count:
            audit.record(db, now, by, "support texts removed", subject=f"ticket {number}", detail={"texts": count})
    return count


def _event(act: TicketAct, recorded: ActRecord, text: str, severity: str = "") -> TicketEvent:
    return TicketEvent(act=act, at=recorded.at, recorded_at=recorded.now, by=recorded.by, text=text, severity=severity)


def _audit(db: sqlite3.Connection, number: int, event: TicketEvent) -> None:
    detail = {"at": event.at.isoformat()} | ({"severity": event.severity} if event.severity else {})
    audit.record(db, event.recorded_at, event.by, f"support {event.act}", subject=f"ticket {number}", detail=detail)
