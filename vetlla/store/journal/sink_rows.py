"""The rows of table ``sinks``: how far each sink has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.onward import KeptSink
from vetlla.domain.removal import What

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from vetlla.domain.removal import Terms
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


# --- removals ---------------------------------------------------------------------------------------------------------

SENT = frozenset({What.POSITIONS, What.SIGNALS})
"""Kinds of data that sinks send. The raw bytes of a signal are not sent, so their removal waits for no sink."""


class Slowest(NamedTuple):
    """The sink that has come less far than the others."""

    name: str
    position: int


def slowest(read: Read, terms: Terms) -> Slowest | None:
    """Return the slowest configured sink; None if there is none, or none that has a row yet."""
    marks = ", ".join("?" * len(terms.sinks))
    rows = read(
        f"SELECT name, position FROM sinks WHERE name IN ({marks}) ORDER BY position LIMIT 1",  # noqa: S608 - marks
        terms.sinks,
    )
    return next((Slowest(row["name"], row["position"]) for row in rows), None)


def passed_by_all(read: Read, what: What, terms: Terms) -> int | None:
    """Return the number up to which all sinks have passed the signals; None if this removal waits for no sink."""
    found = slowest(read, terms) if what in SENT and terms.sinks else None
    return None if found is None else found.position


def waits_for(read: Read, terms: Terms) -> str:
    """Return the sink for which signals stay that are too old; empty if there is none."""
    found = slowest(read, terms) if terms.sinks else None
    kinds = SENT & terms.keep_us.keys()
    if found is None or not kinds:
        return ""
    before_us = max(terms.before_us(what) for what in kinds)
    rows = read("SELECT received_us FROM signals WHERE id > ? ORDER BY id LIMIT 1", (found.position,))
    return found.name if any(row["received_us"] < before_us for row in rows) else ""
