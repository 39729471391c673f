"""What a restored database must not do: send again what was sent after the backup was made.

The backup does not know what the service did since. A message that was due before the restore may have been sent, so it
is not sent again. It ends with the reason ``restored``, by which people find it. Messages that the backup does not have
yet are held back when they are planned (``tasks/reminders/polling.py``); the audit's record of the restore says until
which hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.outbox import MessageReason
from vetlla.store.reminders import audit
from vetlla.store.reminders.citizens import citizen_id
from vetlla.store.reminders.moments import stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from datetime import datetime

ACTION: Final = "restored"
"""The action of the audit's record."""
_REASON: Final = MessageReason.RESTORED.value
# A pause that a person ends early makes its messages due at once, so the backup's hour says nothing about them.
_WAITING: Final = f"state IN ('planned', 'claimed') AND (due_us <= :now OR reason = '{MessageReason.PAUSED}')"
_UNREPORTED: Final = "state IN ('sending', 'unknown', 'accepted', 'sent')"


class Doubtful(NamedTuple):
    """Messages that had not ended in a backup, and that the service may have brought to their end since."""

    waiting: int = 0
    """They may have been sent since, and are not sent."""
    unreported: int = 0
    """They were handed over before the backup; their reports are lost, and no SMS follows them."""


def doubtful(db: sqlite3.Connection, now: datetime) -> Doubtful:
    """Return how many messages ``end_doubtful`` would end."""
    counts = (
        db.execute(f"SELECT count(*) FROM outbox WHERE {where}", {"now": stored(now)}).fetchone()[0]
        for where in (_WAITING, _UNREPORTED)
    )
    return Doubtful(*counts)


def end_doubtful(db: sqlite3.Connection, now: datetime) -> Doubtful:
    """End the messages that may have been sent, or reported, between a backup and its restore; return how many.

    A report that still comes counts: a message that is reported as delivered is delivered.
    """
    at = {"now": stored(now)}
    waiting = db.execute(
        f"UPDATE outbox SET state = 'suppressed', reason = '{_REASON}', leased_until_us = NULL WHERE {_WAITING}", at
    ).rowcount
    failed = db.execute(
        f"UPDATE outbox SET state = 'failed', reason = '{_REASON}', failed_us = :now, leased_until_us = NULL"
        " WHERE state IN ('sending', 'unknown')",
        at,
    ).rowcount
    expired = db.execute(
        f"UPDATE outbox SET state = 'expired', reason = '{_REASON}' WHERE state IN ('accepted', 'sent')"
    ).rowcount
    return Doubtful(waiting, failed + expired)


class KeptOptOut(NamedTuple):
    """An opt-out of the database that is replaced."""

    phone: str
    person: str
    channel: str
    at_us: int
    how: str


def kept_opt_outs(replaced: sqlite3.Connection) -> list[KeptOptOut]:
    """Return the opt-outs of the database that is replaced."""
    rows = replaced.execute(
        "SELECT coalesce(phone, ''), coalesce(person, ''), channel, at_us, how"
        " FROM opt_outs JOIN citizens ON citizens.id = citizen"
    )
    return [KeptOptOut(*row) for row in rows]


def carry_opt_outs(db: sqlite3.Connection, some: Iterable[KeptOptOut], now: datetime) -> int:
    """Keep the opt-outs of the database that is replaced, because citizens said so; return how many were new."""
    count = 0
    for one in some:
        person = citizen_id(db, one.phone, one.person, now)
        count += db.execute(
            "INSERT OR IGNORE INTO opt_outs (citizen, channel, at_us, how) VALUES (?, ?, ?, ?)",
            (person, one.channel, one.at_us, one.how),
        ).rowcount
    return count


def sign(db: sqlite3.Connection, now: datetime, actor: str, detail: Mapping[str, Any]) -> None:
    """Record that the database was restored."""
    audit.record(db, now, actor, ACTION, subject="the database", detail=detail)


def restored_at(db: sqlite3.Connection) -> datetime | None:
    """Return when the database was restored last; None if it never was."""
    return audit.last_at(db, ACTION)
