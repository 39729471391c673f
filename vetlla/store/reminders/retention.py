"""What is kept for how long: after the retention time a row keeps a pseudonym instead of a person, and no text.

The rows stay for statistics, and a message's row proves that it must not be sent again. Opt-outs stay, because the city
must go on respecting them; so does the number that they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.store.reminders.pseudonyms import Pseudonyms

ROUND: Final = 1_000
"""Most rows of a table in one transaction: it takes some hundredths of a second."""


class Retired(NamedTuple):
    """How many rows lost their personal data."""

    appointments: int = 0
    messages: int = 0
    replies: int = 0
    reports: int = 0
    citizens: int = 0

    def __bool__(self) -> bool:
        return any(tuple(self))


class _Kind(NamedTuple):
    table: str
    at: str
    """SQL for the time from which the retention counts."""
    due: str
    """SQL that is true for rows that have personal data left; ``?`` is the oldest time that is kept."""
    clear: str
    """What else is emptied."""


_KINDS: Final = (
    _Kind(
        "appointments",
        "end_us",
        "retired = 0 AND end_us < ?",
        "phone_given = '', language = '', consent_us = NULL, status_given = '', retired = 1",
    ),
    _Kind(
        "outbox",
        "max(start_us, planned_us)",
        "citizen IS NOT NULL AND max(start_us, planned_us) < ?"
        " AND state IN ('delivered', 'read', 'failed', 'expired', 'suppressed')",
        "text = '', detail = '', context = '', holder = ''",
    ),
    _Kind(
        "replies",
        "received_us",
        "retired = 0 AND received_us < ? AND handled_us IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM inbox WHERE reply = replies.id AND closed_us IS NULL)",
        "text = '', payload = '', context = '', retired = 1",
    ),
)


def retire(
    db: sqlite3.Connection, before: datetime, reports_before: datetime, now: datetime, pseudonyms: Pseudonyms
) -> Retired:
    """Remove personal data that are older than ``before``, and reports older than ``reports_before``.

    Call it, each time in a transaction of its own, until it returns nothing. An appointment counts from its end, a
    message from the hour that it speaks of. Raises ConfigError if the key of a year is missing.
    """
    some, messages, replies = (_retired(db, kind, before, pseudonyms) for kind in _KINDS)
    reports = db.execute(
        "DELETE FROM delivery_reports WHERE id IN (SELECT id FROM delivery_reports WHERE received_us < ? LIMIT ?)",
        (stored(reports_before), ROUND),
    ).rowcount
    db.execute("DELETE FROM dialogues WHERE expires_us <= ?", (stored(now),))
    return Retired(some, messages, replies, reports, _forgotten(db, before))


def _retired(db: sqlite3.Connection, kind: _Kind, before: datetime, pseudonyms: Pseudonyms) -> int:
    rows = db.execute(
        f"SELECT {kind.table}.id, {kind.at} AS at_us, coalesce(phone, person, '') AS who FROM {kind.table}"
        f" LEFT JOIN citizens ON citizens.id = citizen WHERE {kind.due} LIMIT ?",
        (stored(before), ROUND),
    ).fetchall()
    for row in rows:
        pseudonym = pseudonyms.of(row["who"], read(row["at_us"])) if row["who"] else ""
        db.execute(
            f"UPDATE {kind.table} SET citizen = NULL, pseudonym = ?, {kind.clear} WHERE id = ?",
            (pseudonym, row["id"]),
        )
        if kind.table == "replies":
            db.execute("UPDATE inbox SET answer = '' WHERE reply = ?", (row["id"],))
    return len(rows)


_UNUSED: Final = """
SELECT id FROM citizens WHERE seen_us < ? AND no_whatsapp_until_us < ?
    AND NOT EXISTS (SELECT 1 FROM opt_outs WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM appointments WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM replies WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM dialogues WHERE citizen = citizens.id)
LIMIT ?
"""


def _forgotten(db: sqlite3.Connection, before: datetime) -> int:
    return db.execute(f"DELETE FROM citizens WHERE id IN ({_UNUSED})", (stored(before), stored(before), ROUND)).rowcount


def erase(db: sqlite3.Connection, citizen: int, *, keep_opt_out: bool = True) -> Retired:
    """Remove a person from all rows, without a pseudonym; messages that are not sent yet are suppressed.

    ``keep_opt_out``: if the person opted out, the number stays for that alone. Otherwise the next appointment would be
    reminded of again. What the source has of the person must be erased there.
    """
    db.execute(
        "UPDATE outbox SET state = 'suppressed', reason = 'erased', leased_until_us = NULL WHERE citizen = ?"
        " AND state IN ('planned', 'claimed')",
        (citizen,),
    )
    db.execute(
        "UPDATE inbox SET closed_us = opened_us, closed_by = 'erasure', answer = ''"
        " WHERE closed_us IS NULL AND reply IN (SELECT id FROM replies WHERE citizen = ?)",
        (citizen,),
    )
    db.execute("UPDATE inbox SET answer = '' WHERE reply IN (SELECT id FROM replies WHERE citizen = ?)", (citizen,))
    db.execute(
        "UPDATE replies SET handled_us = received_us, outcome = 'erased' WHERE citizen = ? AND handled_us IS NULL",
        (citizen,),
    )
    some, messages, replies = (
        db.execute(
            f"UPDATE {kind.table} SET citizen = NULL, pseudonym = '', {kind.clear} WHERE citizen = ?", (citizen,)
        ).rowcount
        for kind in _KINDS
    )
    db.execute("DELETE FROM dialogues WHERE citizen = ?", (citizen,))
    if keep_opt_out and db.execute("SELECT 1 FROM opt_outs WHERE citizen = ?", (citizen,)).fetchone():
        db.execute(
            "UPDATE citizens SET language = '', consent_us = NULL, consent_where = '', no_whatsapp_until_us = 0"
            " WHERE id = ?",
            (citizen,),
        )
        return Retired(some, messages, replies)
    db.execute("DELETE FROM opt_outs WHERE citizen = ?", (citizen,))
    return Retired(
        some, messages, replies, citizens=db.execute("DELETE FROM citizens WHERE id = ?", (citizen,)).rowcount
    )
