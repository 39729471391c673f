"""Pauses: an office sends nothing until a time, because it is closed today, or something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError
from vetlla.domain.outbox import MessageReason
from vetlla.store.reminders import audit, offices, outbox
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.store.reminders.offices import Pause


def pause(db: sqlite3.Connection, office: str, now: datetime, until: datetime | None, *, why: str, by: str) -> Pause:
    """Send nothing about an office's appointments from now on; None: until a person ends the pause.

    Answers to citizens and cancellations go on. Raises UsageError for an office that was never polled.
    """
    with atomic(db):
        _refuse_unknown(db, office)
        if until is not None and until <= now:
            raise UsageError("the pause would have ended before now", remedy="give a later --until, or --for 2h")
        number = offices.pause(db, office, now, until, why=why, by=by)
        detail = {"pause": number, "until": until.isoformat() if until else None}
        audit.record(db, now, by, "paused", subject=f"office {office}", detail=detail)
        return next(one for one in offices.pauses(db, now) if one.id == number)


def resume(db: sqlite3.Connection, office: str, by: str, now: datetime) -> int:
    """End the pauses of an office; return how many there were. Messages that waited for their end are due at once.

    Raises UsageError for an office that was never polled.
    """
    with atomic(db):
        _refuse_unknown(db, office)
        count = offices.resume(db, office, now)
        if count:
            due = outbox.hasten(db, office, MessageReason.PAUSED, now)
            audit.record(db, now, by, "resumed", subject=f"office {office}", detail={"pauses": count, "messages": due})
    return count


def _refuse_unknown(db: sqlite3.Connection, office: str) -> None:
    known = offices.known_offices(db)
    if office not in known:
        raise UsageError(
            f"no office {office!r} was ever polled", remedy=f"the offices are {', '.join(known) or '(none)'}"
        )
