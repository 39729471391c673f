"""Writes the rows of one batch in as few calls of SQLite as possible, because each one may wait for the interpreter."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from vetlla.store.journal.numbers import next_number
from vetlla.store.journal.rows import ALARM_COLUMNS, SIGNAL_COLUMNS, alarm_row
from vetlla.store.journal.sink_rows import write_sinks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from vetlla.store.journal.batch import Batch
    from vetlla.store.journal.rows import Row

ROWS_PER_STATEMENT = 64
"""Rows in one INSERT at most. Each call of SQLite releases the interpreter's lock and may then wait for the event loop
to get it back. One statement of 64 rows waits once; 64 statements would wait 64 times."""

_COMMIT = "INSERT INTO commits (id, boot, began_us) VALUES (?, ?, ?)"
_STAMP = "UPDATE commits SET durable_us = ?, ready_us = ?, ready_mono_us = ? WHERE id = ?"
_REJECT = f"""
INSERT INTO rejects (id, at_us, listener, transport, peer, protocol, reason, receiver, line, account, text, raw)
VALUES ({next_number("rejects")}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - a constant name
_DUPLICATE = (
    "INSERT INTO duplicates (signal_id, count, last_us, last_mono_us, transport, peer) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count, last_us = excluded.last_us,"
    " last_mono_us = excluded.last_mono_us, transport = excluded.transport, peer = excluded.peer"
)


def _inserts(into: str, columns: Sequence[str]) -> list[str]:
    """Return the statements that insert 0, 1, 2 ... rows at once."""
    one = f"({', '.join('?' * len(columns))})"
    head = f"{into} ({', '.join(columns)}) VALUES "
    return [head + ", ".join([one] * rows) for rows in range(ROWS_PER_STATEMENT + 1)]


# OR ROLLBACK, because write() rolls back the whole transaction anyway and SQLite need not undo a single statement.
# Otherwise SQLite creates a statement journal for every commit, which costs 15 us a frame.
_SIGNALS = _inserts("INSERT OR ROLLBACK INTO signals", SIGNAL_COLUMNS)
_ALARMS = _inserts("INSERT OR REPLACE INTO alarms", ALARM_COLUMNS)
_AUDIT = _inserts("INSERT OR ROLLBACK INTO audit", ("id", "at_us", "actor", "action", "subject", "detail", "hash"))


def insert(connection: sqlite3.Connection, batch: Batch, audit_rows: Sequence[Row]) -> None:
    """Insert all rows of a batch, with the chained records of its audit, within the connection's open transaction."""
    if batch.stamps:
        stamps = [(s.durable_us, s.ready_us, s.ready_mono_us, s.commit) for s in batch.stamps]
        connection.executemany(_STAMP, stamps)
    if batch.signals:
        connection.executemany(_COMMIT, [(batch.commit, batch.boot, batch.began_us)])
        _put(connection, _SIGNALS, batch.signals)
    if batch.rejects:
        connection.executemany(_REJECT, batch.rejects)
    if batch.duplicates:
        connection.executemany(_DUPLICATE, [(signal, *again) for signal, again in batch.duplicates.items()])
    _put(connection, _ALARMS, [alarm_row(alarm) for alarm in batch.alarms.values()])
    if batch.notes:
        connection.executemany("INSERT INTO notes (alarm_id, at_us, operator, text) VALUES (?, ?, ?, ?)", batch.notes)
    for place, test in batch.tests.items():
        connection.execute("DELETE FROM on_test WHERE (account, receiver, line) = (?, ?, ?)", place)
        if test:
            connection.execute("INSERT INTO on_test VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*test.place, *test[1:]))
    if not batch.supervision.empty:
        batch.supervision.write(connection)
    write_sinks(connection, batch.sinks.values())
    if batch.pulse:
        connection.execute("UPDATE boots SET alive_us = ? WHERE id = ?", (batch.began_us, batch.boot))
    put_audit(connection, audit_rows)


def put_audit(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert chained records of the audit."""
    _put(connection, _AUDIT, rows)


def _put(connection: sqlite3.Connection, inserts: list[str], rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        some = rows[start : start + ROWS_PER_STATEMENT]
        connection.executemany(inserts[len(some)], [list(chain.from_iterable(some))])
