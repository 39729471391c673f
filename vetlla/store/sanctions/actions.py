"""Reads and appends the events of corrective actions. Each function works within the caller's transaction."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from vetlla.domain.sanctions import ActionEvent

if TYPE_CHECKING:
    import sqlite3

_ADD: Final = (
    'INSERT INTO action_events (action, event, about, what, who, due, at_us, ref, "by", recorded_us, source)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)
_ALL: Final = (
    'SELECT id, action, event, about, what, who, due, at_us, ref, "by", recorded_us FROM action_events ORDER BY id'
)


def add(connection: sqlite3.Connection, event: ActionEvent, source: str) -> ActionEvent:
    """Append an event; return it with its number. ``source`` is the command."""
    row = event._replace(due=None)[1:]
    due = event.due.isoformat() if event.due else None
    (number,) = connection.execute(_ADD, (*row[:5], due, *row[6:], source)).fetchone()
    return event._replace(id=number)


def all_events(connection: sqlite3.Connection) -> list[ActionEvent]:
    """Return every event in the order of recording."""
    events = (ActionEvent._make(row) for row in connection.execute(_ALL))
    return [one._replace(due=date.fromisoformat(str(one.due)) if one.due else None) for one in events]
