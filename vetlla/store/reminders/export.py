"""All that is stored, for the hand-over at the end of a contract, or of one person who asks for it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from vetlla.store.sqlite.ownership import create

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLES: Final = (
    "offices",
    "citizens",
    "opt_outs",
    "appointments",
    "appointment_events",
    "outbox",
    "delivery_reports",
    "replies",
    "inbox",
    "dialogues",
    "cancellations",
    "pauses",
    "channels",
    "templates",
    "approvals",
    "support_tickets",
    "support_events",
    "audit",
)
"""Every table but the record of migrations."""
_OF_CITIZEN: Final = {
    "citizens": "id = ?",
    "opt_outs": "citizen = ?",
    "appointments": "citizen = ?",
    "outbox": "citizen = ?",
    "replies": "citizen = ?",
    "dialogues": "citizen = ?",
    "delivery_reports": "message IN (SELECT id FROM outbox WHERE citizen = ?)",
    "inbox": "reply IN (SELECT id FROM replies WHERE citizen = ?)",
    "cancellations": "(source, appointment) IN (SELECT source, name FROM appointments WHERE citizen = ?)",
    "appointment_events": "(source, name) IN (SELECT source, name FROM appointments WHERE citizen = ?)",
}


@contextmanager
def snapshot(db: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a copy of all tables as they are at one moment, so that the service need not wait while they are read.

    Only its owner can read the file ``path``, and it is removed at the end. Raises OSError.
    """
    os.close(create(path, 0o600))
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            copy.row_factory = sqlite3.Row
            db.backup(copy)
            yield copy
    finally:
        path.unlink(missing_ok=True)


def rows_of(db: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one of ``TABLES``; times are microseconds UTC since 1970, and bytes are hex digits."""
    if table not in TABLES:
        raise ValueError(f"{table!r} is no table of the export")
    return map(
        _plain, db.execute(f"SELECT * FROM {table} ORDER BY rowid" if _has_rowid(table) else f"SELECT * FROM {table}")
    )


def rows_of_citizen(db: sqlite3.Connection, citizen: int) -> dict[str, list[dict[str, Any]]]:
    """Return all rows about a person, by table."""
    return {
        table: [_plain(row) for row in db.execute(f"SELECT * FROM {table} WHERE {where}", (citizen,))]
        for table, where in _OF_CITIZEN.items()
    }


def _has_rowid(table: str) -> bool:
    return table not in {"opt_outs", "offices", "channels", "templates"}


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name].hex() if isinstance(row[name], bytes) else row[name] for name in row.keys()}  # noqa: SIM118
