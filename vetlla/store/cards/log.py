"""The log of the cards: who read, changed, exported or erased which card, when and why. It is never changed.

It is a chain of hashes like the journal's audit, in the same form and with the same code. It is in ``cards.db`` and not
in the journal, because only the receiver writes the journal. A person on the floor cannot wait for a receiver: the card
must be readable, and its reading recorded, while no receiver runs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.errors import StoreError
from vetlla.store.journal.audit import Head, chain, head_of, holds, link_flaws, read_head
from vetlla.store.journal.batch import Entry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vetlla.domain.cards import ReadReason
    from vetlla.store.journal.audit import Flaw

READ, SET, ERASE, EXPORT, IMPORT, REKEY, RESTORE = "read", "set", "erase", "export", "import", "rekey", "restore"
ABSENT, FAILED, REFUSED = "absent", "failed", "refused"
"""Attempts to read: the home has no card, its card does not open, or the reason was not accepted."""
ALL: Final = "all homes"
"""Subject of a record about all cards."""
CHANGES: Final = (SET, ERASE, REKEY)
"""Actions that change a card; their records have its digest."""
READINGS: Final = (READ, EXPORT)
"""Actions after which a person knows what cards say."""
ATTEMPTS: Final = (ABSENT, FAILED, REFUSED)
"""Actions after which a person does not, but tried."""

_INSERT = "INSERT INTO audit (id, at_us, actor, action, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
_READERS = f"""
SELECT id, at_us, actor, action, subject, detail FROM audit
WHERE action IN {READINGS + ATTEMPTS} AND (:subject IS NULL OR subject IN (:subject, '{ALL}'))
  AND (:by IS NULL OR actor = :by OR substr(actor, 1, length(:by) + 5) = :by || ' (as ') AND at_us >= :since_us
ORDER BY id
"""  # noqa: S608 - constant words
_LAST_CHANGES = f"""
SELECT subject, detail FROM audit WHERE id IN (
    SELECT max(id) FROM audit WHERE action IN {CHANGES} AND subject <> '{ALL}' GROUP BY subject)
"""  # noqa: S608 - constant words
_LAST_CHANGE = f"""
SELECT detail FROM audit WHERE subject = ? AND action IN {CHANGES} ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - constant words

_LAST_ACTION = f"""
SELECT action, at_us FROM audit WHERE subject = ? AND action IN {CHANGES} ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - constant words


class CardReading(NamedTuple):
    """A record of a reading, or of an attempt."""

    id: int
    at_us: int
    actor: str
    action: str
    """One of ``READINGS`` and ``ATTEMPTS``."""
    home: str
    """Empty for a reading of all cards."""
    alarm: int | None
    reason: str


def subject_of(home: str) -> str:
    """Return the subject of records about one home."""
    return f"home {home}"


def write(db: sqlite3.Connection, entries: Iterable[Entry]) -> Head:
    """Write records at the end of the chain; return its new end. The caller's transaction must have begun."""
    rows, head = chain(read_head(db), entries)
    db.executemany(_INSERT, rows)
    return head


def entry(at_us: int, by: str, action: str, home: str, detail: Mapping[str, Any]) -> Entry:
    """Return a record about one home, or about all if ``home`` is empty."""
    return Entry(at_us, by, action, subject_of(home) if home else ALL, dict(detail))


def reason_fields(reason: ReadReason) -> dict[str, object]:
    """Return the fields of a record that say why."""
    return {"reason": reason.text} if reason.alarm is None else {"alarm": reason.alarm, "reason": reason.text}


def readings(db: sqlite3.Connection, *, home: str = "", by: str = "", since_us: int = 0) -> Iterator[CardReading]:
    """Yield who read cards or tried to, oldest first; for one home also those who read all of them."""
    values = {"subject": subject_of(home) if home else None, "by": by or None, "since_us": since_us}
    for row in db.execute(_READERS, values):
        detail = _detail(row)
        alarm = detail.get("alarm")
        yield CardReading(
            row["id"],
            row["at_us"],
            row["actor"],
            row["action"],
            "" if row["subject"] == ALL else row["subject"].removeprefix("home "),
            alarm if isinstance(alarm, int) else None,
            str(detail.get("reason", "")),
        )


def expected_digests(db: sqlite3.Connection) -> dict[str, str]:
    """Return the digest that each home's row should have; "" for an erased card."""
    return {
        row["subject"].removeprefix("home "): str(_detail(row).get("digest", "")) for row in db.execute(_LAST_CHANGES)
    }


def expected_digest(db: sqlite3.Connection, home: str) -> str:
    """Return the digest that a home's row should have; "" for an erased card and for a home that never had one."""
    row = db.execute(_LAST_CHANGE, (subject_of(home),)).fetchone()
    return "" if row is None else str(_detail(row).get("digest", ""))


def erased_us(db: sqlite3.Connection, home: str) -> int | None:
    """Return when a home's card was erased, in microseconds UTC; None if that was not the last change of it."""
    row = db.execute(_LAST_ACTION, (subject_of(home),)).fetchone()
    return int(row["at_us"]) if row is not None and row["action"] == ERASE else None


def head(db: sqlite3.Connection) -> Head:
    """Return the end of the chain."""
    return read_head(db)


def contains(db: sqlite3.Connection, earlier: Head) -> bool:
    """Return True if the chain contains a head that was printed earlier, so that nothing up to there was cut."""
    return holds(lambda sql, values: db.execute(sql, values).fetchall(), earlier)


def last_restore(db: sqlite3.Connection) -> int | None:
    """Return when a backup last replaced the log, in microseconds UTC; None if it never did."""
    (at_us,) = db.execute("SELECT max(at_us) FROM audit WHERE action = ?", (RESTORE,)).fetchone()
    return at_us if isinstance(at_us, int) else None


def flaws(db: sqlite3.Connection) -> Iterator[Flaw]:
    """Yield each broken link of the chain."""

    def read(sql: str, values: Sequence[Any]) -> list[sqlite3.Row]:
        return db.execute(sql, values).fetchall()

    return link_flaws(read, head_of(read))


def _detail(row: sqlite3.Row) -> dict[str, Any]:
    try:
        detail = json.loads(row["detail"])
    except ValueError as error:
        raise StoreError(
            "a record of the log of cards was changed by hand", remedy="vetlla cards verify shows which"
        ) from error
    return detail if isinstance(detail, dict) else {}
