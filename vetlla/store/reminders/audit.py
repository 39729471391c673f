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
    before, number, is_sound = GENESIS, 0, True
    for row in db.execute("SELECT * FROM audit ORDER BY id"):
        values = (row["at_us"], row["actor"], row["action"], row["subject"], row["detail"])
        is_sound = is_sound and row["hash"] == _hash(before, values) and row["id"] == number + 1
        before, number = row["hash"], row["id"]
        yield AuditRecord(
            row["id"],
            read(row["at_us"]),
            row["actor"],
            row["action"],
            row["subject"],
            json.loads(row["detail"]),
            is_sound,
        )


def _hash(before: bytes, values: tuple[object, ...]) -> bytes:
    return hashlib.sha256(before + ascii(values).encode("ascii")).digest()
