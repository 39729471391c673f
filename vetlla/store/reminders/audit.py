"""The audit of what people and the service did: each record has the hash of the record before it.

Records have no personal data, because they are never changed or removed. Values are hashed as ``ascii()`` of their
tuple writes them, as in the journal's audit.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from datetime import datetime

GENESIS: Final = bytes(32)


class AuditRecord(NamedTuple):
    """One record."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    is_sound: bool
    """False if the record, or one before it, was changed or is missing."""


def record(
    db: sqlite3.Connection,
    now: datetime,
    actor: str,
    action: str,
    *,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write that a person or the service did something."""
    last = db.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    values = (stored(now), actor, action, subject, json.dumps(detail or {}, sort_keys=True))
    db.execute(
        "INSERT INTO audit (at_us, actor, action, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (*values, _hash(last["hash"] if last else GENESIS, values)),
    )


def records(db: sqlite3.Connection) -> Iterator[AuditRecord]:
    """Yield all records in order, each with whether the chain holds up to it."""
    for row, is_sound in _links(db):
        yield AuditRecord(
            row["id"],
            read(row["at_us"]),
            row["actor"],
            row["action"],
            row["subject"],
            json.loads(row["detail"]),
            is_sound,
        )


def _links(db: sqlite3.Connection) -> Iterator[tuple[sqlite3.Row, bool]]:
    before, number, is_sound = GENESIS, 0, True
    for row in db.execute("SELECT * FROM audit ORDER BY id"):
        values = (row["at_us"], row["actor"], row["action"], row["subject"], row["detail"])
        is_sound = is_sound and row["hash"] == _hash(before, values) and row["id"] == number + 1
        before, number = row["hash"], row["id"]
        yield row, is_sound


def head(db: sqlite3.Connection) -> str:
    """Return the end of the chain: the number of the last record and its hash."""
    row = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return f"{row['id']}:{row['hash'].hex()}" if row else f"0:{GENESIS.hex()}"


def flaw(db: sqlite3.Connection) -> str | None:
    """Return where the chain is broken first; None if it holds, and no record is missing at its end."""
    last = 0
    for row, is_sound in _links(db):
        last = row["id"]
        if not is_sound:
            return f"audit record {last}: it was changed, or one before it is missing"
    written = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    if written and written["seq"] != last:
        return f"audit record {last}: the chain ends here, but {written['seq']} records were written"
    return None


def last_at(db: sqlite3.Connection, action: str) -> datetime | None:
    """Return when an action was recorded last; None if it never was."""
    row = db.execute("SELECT at_us FROM audit WHERE action = ? ORDER BY at_us DESC LIMIT 1", (action,)).fetchone()
    return read(row["at_us"]) if row else None


def _hash(before: bytes, values: tuple[object, ...]) -> bytes:
    return hashlib.sha256(before + ascii(values).encode("ascii")).digest()
