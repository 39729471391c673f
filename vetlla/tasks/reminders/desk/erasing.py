"""Erases a person who asks for it, and reports what was kept of the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.reminders import audit, citizens, export, retention
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


class PersonErased(NamedTuple):
    """What an erasure removed, or would remove."""

    removed: dict[str, int]
    """Rows that named the person and no longer do, by table; statistics keep them without the person."""
    left: dict[str, int]
    """Rows that still name the person: an opt-out stays, so that the city goes on respecting it."""


def erase(
    db: sqlite3.Connection, phone: str, by: str, now: datetime, *, keep_opt_out: bool = True, dry_run: bool = False
) -> PersonErased | None:
    """Remove a person from all rows; None if nothing is kept of this telephone.

    With ``dry_run`` nothing is removed. The audit has the numbers of rows, and nothing about the person.
    """
    person = citizens.known_phone(db, phone)
    if person is None:
        return None
    with atomic(db):
        rows = _counts(db, person)
        opted = {name: rows[name] for name in ("citizens", "opt_outs") if rows.get(name)}
        if dry_run:
            return _erased(rows, opted if keep_opt_out and "opt_outs" in opted else {})
        retention.erase(db, person, keep_opt_out=keep_opt_out)
        done = _erased(rows, _counts(db, person))
        audit.record(db, now, by, "erased", subject="a person", detail=done._asdict())
    return done


def _erased(before: dict[str, int], left: dict[str, int]) -> PersonErased:
    gone = {table: count - left.get(table, 0) for table, count in before.items()}
    return PersonErased({table: count for table, count in gone.items() if count}, left)


def _counts(db: sqlite3.Connection, person: int) -> dict[str, int]:
    return {table: len(rows) for table, rows in export.rows_of_citizen(db, person).items() if rows}
