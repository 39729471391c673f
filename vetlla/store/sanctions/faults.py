"""Reads and appends recorded faults. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.sanctions import RecordedFault

if TYPE_CHECKING:
    import sqlite3

_ADD: Final = (
    'INSERT INTO recorded_faults (fault, at_us, subject, reason, ref, cents, "by", withdraws, recorded_us, source)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)
_ALL: Final = (
    'SELECT id, fault, at_us, subject, reason, ref, cents, "by", withdraws, recorded_us'
    " FROM recorded_faults ORDER BY id"
)


def add(connection: sqlite3.Connection, record: RecordedFault, source: str) -> RecordedFault:
    """Append a record; return it with its number. ``source`` is the command."""
    (number,) = connection.execute(_ADD, (*record[1:], source)).fetchone()
    return record._replace(id=number)


def all_records(connection: sqlite3.Connection) -> list[RecordedFault]:
    """Return every record, withdrawn ones and withdrawals too, in the order of recording."""
    return [RecordedFault._make(row) for row in connection.execute(_ALL)]
