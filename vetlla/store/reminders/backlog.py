"""What waits in the database for longer than it should: how many of each kind, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


class Backlog(NamedTuple):
    """Things of one kind that wait."""

    number: int
    since: datetime | None
    """Since when the oldest waits; None if there is none."""


def without_text(db: sqlite3.Connection) -> Backlog:
    """Return the messages that wait for a text, or because of a fault of the program."""
    return _waiting(
        db,
        "SELECT count(*), min(planned_us) FROM outbox WHERE state IN ('planned', 'claimed')"
        " AND reason IN ('text', 'fault')",
    )


def unhandled_replies(db: sqlite3.Connection, before: datetime) -> Backlog:
    """Return the replies that came before a time and were not handled."""
    return _waiting(
        db,
        "SELECT count(*), min(received_us) FROM replies WHERE handled_us IS NULL AND received_us <= ?",
        stored(before),
    )


def open_inbox(db: sqlite3.Connection, before: datetime) -> Backlog:
    """Return the replies that wait for a person since before a time."""
    return _waiting(
        db,
        "SELECT count(*), min(opened_us) FROM inbox JOIN replies ON replies.id = inbox.reply"
        " WHERE closed_us IS NULL AND outcome <> 'unread' AND opened_us < ?",
        stored(before),
    )


def unread_deliveries(db: sqlite3.Connection) -> Backlog:
    """Return the parts of deliveries that could not be read, and that no person has looked at."""
    return _waiting(
        db,
        "SELECT count(*), min(opened_us) FROM inbox JOIN replies ON replies.id = inbox.reply"
        " WHERE closed_us IS NULL AND outcome = 'unread'",
    )


def open_cancellations(db: sqlite3.Connection, before: datetime) -> Backlog:
    """Return the cancellations that citizens asked for before a time, and whose outcome is not known."""
    return _waiting(
        db,
        "SELECT count(*), min(asked_us) FROM cancellations"
        " WHERE state IN ('wanted', 'calling', 'unknown') AND asked_us <= ?",
        stored(before),
    )


def _waiting(db: sqlite3.Connection, query: str, *values: int) -> Backlog:
    count, oldest = db.execute(query, values).fetchone()
    return Backlog(int(count), read(oldest))
