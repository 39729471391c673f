"""The registry as it was known at a past time: what was recorded later is out of sight.

A temporary view takes the place of each table whose rows say when they were recorded. So every statement of ``store``
answers about the past, and none has a parameter for it.
"""

from __future__ import annotations

import sqlite3
from typing import Final

_RECORDED: Final = "recorded_us <= {at}"
_FACT: Final = "recording <= (SELECT coalesce(max(id), 0) FROM main.recordings WHERE recorded_us <= {at})"
_CLOSED: Final = "closing IN (SELECT id FROM main.closed_months WHERE known_us <= {at})"
SEEN: Final = {
    "recordings": _RECORDED,
    "home_facts": _FACT,
    "person_facts": _FACT,
    "duty_events": _RECORDED,
    "duty_index": "0",  # the index is of now, so that every duty is computed
    "unit_events": _RECORDED,
    "recorded_faults": _RECORDED,
    "action_events": _RECORDED,
    "movements": _RECORDED,
    "upkeep": _RECORDED,
    "devices": "id IN (SELECT device FROM main.movements WHERE recorded_us <= {at})",
    "call_sources": "1",
    "call_imports": "at_us <= {at}",
    # A call is looked up by itself, because a set of the calls of all years costs a month as much as it has years.
    "calls": "EXISTS (SELECT 1 FROM call_records AS known WHERE known.call = calls.id)",
    "call_records": "import IN (SELECT id FROM main.call_imports WHERE at_us <= {at})",
    "call_ties": "at_us <= {at}",
    "probe_machines": "1",
    "probe_components": "1",
    "probe_reasons": "1",
    "probe_imports": "at_us <= {at}",
    "probes": "import IN (SELECT id FROM main.probe_imports WHERE at_us <= {at})",
    "probe_incidents": _RECORDED,
    "closed_months": "known_us <= {at}",
    "closed_inputs": _CLOSED,
    "closed_files": _CLOSED,
}
"""Which rows of a table were known at a time, in microseconds UTC. Every other table keeps only what holds now."""


def look_back(connection: sqlite3.Connection, at_us: int) -> None:
    """Let a connection see only what the registry knew at a time; it must not write.

    A statement that reads a table without a past then fails, because it would mix what is known now into the answer.
    """
    for table, rows in SEEN.items():
        connection.execute(f"DROP VIEW IF EXISTS temp.{table}")
        known = rows.format(at=int(at_us))
        connection.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE {known}")  # noqa: S608 - ours
    tables = {name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
    present = frozenset(tables.difference(SEEN))

    def allow(action: int, table: str | None, _: str | None, database: str | None, __: str | None) -> int:
        is_present = action == sqlite3.SQLITE_READ and database == "main" and table in present
        return sqlite3.SQLITE_DENY if is_present else sqlite3.SQLITE_OK

    connection.set_authorizer(allow)


def looks_back(connection: sqlite3.Connection) -> bool:
    """Return True for a connection that sees only what was known at a past time."""
    return connection.execute("SELECT 1 FROM temp.sqlite_master WHERE name = 'recordings'").fetchone() is not None
