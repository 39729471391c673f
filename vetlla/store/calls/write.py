"""Adds what files say of calls, and ties. Nothing is changed. Each call must be made in the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.calls import CallKey, Origin
from vetlla.store.calls.rows import (
    ORIGINS,
    RECORD_COLUMNS,
    TIE_COLUMNS,
    record_from,
    record_row,
    tie_from,
    tie_row,
)

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.calls import CallRecord, Tie

_FIND = "SELECT id FROM calls WHERE external = ? AND source = ?"
_RECORDS = f"""
SELECT i.origin, r.import, {RECORD_COLUMNS} FROM call_records AS r JOIN call_imports AS i ON i.id = r.import
WHERE call = ? ORDER BY r.id
"""  # noqa: S608 - ours
_TIE = f"SELECT {TIE_COLUMNS} FROM call_ties WHERE call = ? ORDER BY id DESC LIMIT 1"  # noqa: S608 - ours
_ADD_RECORD = f"INSERT INTO call_records (call, import, {RECORD_COLUMNS}) VALUES (?, ?{', ?' * 15})"  # noqa: S608 - ours
_ADD_TIE = f"INSERT INTO call_ties (call, at_us, {TIE_COLUMNS}) VALUES (?, ?{', ?' * 8})"  # noqa: S608 - ours


class Known(NamedTuple):
    """A call that the registry has: its newest records, and the number of the import that made each."""

    id: int
    records: dict[Origin, CallRecord]
    imports: dict[Origin, int]
    tie: Tie | None


class CallBook:
    """The calls of one source, and one import that adds to them."""

    def __init__(self, connection: sqlite3.Connection, source: str) -> None:
        self._connection = connection
        self._source = source
        self._number = _source_number(connection, source)
        self._import = 0
        # The next number of a call: nothing else writes while a transaction is open.
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()
        self._last = int(last)

    def begin(self, origin: Origin, *, at_us: int, by: str, file: str) -> int:
        """Note that an import begins; return its number."""
        cursor = self._connection.execute(
            "INSERT INTO call_imports (at_us, by, origin, file) VALUES (?, ?, ?, ?)", (at_us, by, origin.value, file)
        )
        self._import = int(cursor.lastrowid or 0)
        return self._import

    def known(self, external: str) -> Known | None:
        """Return what is known of a call; None if there is none with this id."""
        found = self._connection.execute(_FIND, (external, self._number)).fetchone()
        if found is None:
            return None
        records: dict[Origin, CallRecord] = {}
        imports: dict[Origin, int] = {}
        for origin, number, *values in self._connection.execute(_RECORDS, found):
            records[ORIGINS[origin]] = record_from(values)
            imports[ORIGINS[origin]] = number
        tie = self._connection.execute(_TIE, found).fetchone()
        return Known(found[0], records, imports, tie_from(tie) if tie else None)

    def key(self, external: str) -> CallKey:
        """Return the key of a call of this source."""
        return CallKey(self._source, external)

    def add_call(self, external: str) -> int:
        """Add a call; return its number."""
        self._last += 1
        self._connection.execute("INSERT INTO calls VALUES (?, ?, ?)", (self._last, self._number, external))
        return self._last

    def add_record(self, call: int, record: CallRecord) -> None:
        """Add what the import's kind of file says of a call; it holds from now on."""
        self._connection.execute(_ADD_RECORD, (call, self._import, *record_row(record)))


def add_tie(connection: sqlite3.Connection, call: int, tie: Tie, at_us: int) -> None:
    """Tie a call; this holds from now on."""
    connection.execute(_ADD_TIE, (call, at_us, *tie_row(tie)))


def _source_number(connection: sqlite3.Connection, name: str) -> int:
    connection.execute("INSERT OR IGNORE INTO call_sources (name) VALUES (?)", (name,))
    (number,) = connection.execute("SELECT id FROM call_sources WHERE name = ?", (name,)).fetchone()
    return int(number)
