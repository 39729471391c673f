"""Reads and appends the events of emergency units. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.emergencies import UnitEvent

if TYPE_CHECKING:
    import sqlite3

_ADD: Final = (
    'INSERT INTO unit_events (unit, event, base, vehicle, at_us, "by", note, source, recorded_us)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ALL: Final = 'SELECT unit, event, base, vehicle, at_us, "by", note FROM unit_events ORDER BY unit, at_us, id'


def add(connection: sqlite3.Connection, event: UnitEvent, source: str, recorded_us: int) -> None:
    """Append an event."""
    connection.execute(_ADD, (*event, source, recorded_us))


def all_events(connection: sqlite3.Connection) -> list[UnitEvent]:
    """Return every event, by unit and time."""
    return [UnitEvent._make(row) for row in connection.execute(_ALL)]
