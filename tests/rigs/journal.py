"""Reads the journal of a running daemon, as any reader may."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from vetlla.store.journal import audit
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from vetlla.store.journal.rows import SqlValue


def query(state_dir: Path, sql: str, *values: SqlValue) -> list[sqlite3.Row]:
    """Return the rows of a query."""
    with Archive(state_dir) as archive:
        return archive.read(sql, values)


def stored(state_dir: Path) -> Counter[bytes]:
    """Return how often each sent DC-09 frame is stored. The parts of one frame count once.

    The CR is not stored, because the receiver takes a complete frame without waiting for the CR.
    """
    return Counter(row["raw"] + b"\r" for row in query(state_dir, "SELECT raw FROM signals WHERE part = 1"))


def records(state_dir: Path, actor: str = "%") -> list[tuple[str, str]]:
    """Return action and subject of the audit records of one actor or of all, in order."""
    sql = "SELECT action, subject FROM audit WHERE actor LIKE ? ORDER BY id"
    return [(row["action"], row["subject"]) for row in query(state_dir, sql, actor)]


def flaws(state_dir: Path) -> list[audit.Flaw]:
    """Return the flaws that the audit's verification finds."""
    with Archive(state_dir) as archive:
        return list(audit.verify(archive.read))
