"""Erases a person who asks for it, and reports what was kept of the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.reminders import audit, citizens, export, retention
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.store.reminders.pseudonyms import Pseudonyms


class PersonErased(NamedTuple):
    """What an erasure removed, or would remove."""

    removed: dict[str, int]
    """Rows that named the person and no longer do, by table; statistics keep them without the person."""
    left: dict[str, int]
    """Rows that still name the person: an opt-out stays, so that the city goes on respecting it."""
    pseudonyms: dict[str, int]
    """Rows that had a pseudonym of the person and no longer do, by table."""

    def __bool__(self) -> bool:
        return bool(self.removed or self.left or self.pseudonyms)


def erase(
    db: sqlite3.Connection,
    phone: str,
    by: str,
    now: datetime,
    pseudonyms: Pseudonyms,
    *,
    keep_opt_out: bool = True,
    dry_run: bool = False,
) -> PersonErased:
    """Remove a person from all rows, also from those with a pseudonym of a year whose key is there.

    With ``dry_run`` nothing is removed. The audit has the numbers of rows, and nothing about the person.
    """
    person = citizens.known_phone(db, phone)
    names = {phone} if person is None else {phone, citizens.citizen(db, person).person} - {""}
    hidden = retention.rows_under(db, {one for name in names for one in pseudonyms.all_of(name)})
    counts = {table: len(ids) for table, ids in hidden.items()}
    with atomic(db):
        rows = {} if person is None else _counts(db, person)
        opted = {name: rows[name] for name in ("citizens", "opt_outs") if rows.get(name)}
        if dry_run:
            return _erased(rows, opted if keep_opt_out and "opt_outs" in opted else {}, counts)
        if person is not None:
            retention.erase(db, person, keep_opt_out=keep_opt_out)
        retention.erase_pseudonyms(db, hidden)
        done = _erased(rows, {} if person is None else _counts(db, person), counts)
        if done:
            audit.record(db, now, by, "erased", subject="a person", detail=done._asdict())
    return done


def _erased(before: dict[str, int], left: dict[str, int], pseudonyms: dict[str, int]) -> PersonErased:
    gone = {table: count - left.get(table, 0) for table, count in before.items()}
    return PersonErased({table: count for table, count in gone.items() if count}, left, pseudonyms)


def _counts(db: sqlite3.Connection, person: int) -> dict[str, int]:
    return {table: len(rows) for table, rows in export.rows_of_citizen(db, person).items() if rows}
