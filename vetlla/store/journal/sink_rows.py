"""The rows of table ``sinks``: how far each sink has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.onward import KeptSink

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from vetlla.store.journal.audit_comparison import Read

_WRITE = f"INSERT OR REPLACE INTO sinks ({', '.join(KeptSink._fields)}) VALUES ({', '.join('?' * 8)})"  # noqa: S608 - ours


def read_sinks(connection: sqlite3.Connection) -> tuple[KeptSink, ...]:
    """Return the row of each sink that was ever configured, by name."""
    rows = connection.execute("SELECT * FROM sinks ORDER BY name").fetchall()
    return tuple(KeptSink(*(row[name] for name in KeptSink._fields)) for row in rows)


def write_sinks(connection: sqlite3.Connection, sinks: Collection[KeptSink]) -> None:
    """Write the rows of sinks within the connection's open transaction."""
    if sinks:
        connection.executemany(_WRITE, sinks)


def slowest(read: Read, names: Sequence[str]) -> tuple[str, int] | None:
    """Return the sink of these that has the lowest position, and that position; None if none of them has a row."""
    marks = ", ".join("?" * len(names))
    rows = read(
        f"SELECT name, position FROM sinks WHERE name IN ({marks}) ORDER BY position LIMIT 1",  # noqa: S608 - marks
        tuple(names),
    )
    return next(((row["name"], row["position"]) for row in rows), None)
