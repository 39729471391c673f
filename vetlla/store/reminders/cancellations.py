"""Cancellations that citizens want: the attempt is committed before the call, and the outcome after it.

After a crash or a timeout the outcome is unknown. Then the source is asked what it has (GET) before another attempt.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import AppointmentKey
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


class CancellationState(StrEnum):
    """How far a cancellation is."""

    WANTED = "wanted"
    CALLING = "calling"
    """Written before the call."""
    UNKNOWN = "unknown"
    """The source did not answer: ask it what it has."""
    DONE = "done"
    GONE = "gone"
    """It was cancelled already."""
    REFUSED = "refused"
    MOVED = "moved"
    """It has another hour now: the citizen is asked again."""
    LATE = "late"
    """The hour came before the source could be reached."""


_ENDED: Final = "('done', 'gone', 'refused', 'moved', 'late')"


class Cancellation(NamedTuple):
    """What a citizen wants to cancel."""

    id: int
    appointment: AppointmentKey
    start: datetime
    """The hour that the citizen meant."""
    state: CancellationState
    tries: int
    fence: int
    """Number of the attempt; only its holder may write the outcome."""
    reply: int | None
    asked_at: datetime
    code: str = ""
    """Why the source or the rules refused it."""


def want_cancelled(
    db: sqlite3.Connection, key: AppointmentKey, start: datetime, reply: int | None, now: datetime
) -> bool:
    """Keep that a citizen cancels this hour; return False if that is known already.

    A cancellation that was refused, or that met another hour, is tried again.
    """
    return bool(
        db.execute(
            "INSERT INTO cancellations (source, appointment, start_us, reply, asked_us, state, next_us)"
            " VALUES (:source, :name, :start, :reply, :now, 'wanted', :now)"
            " ON CONFLICT (source, appointment, start_us) DO UPDATE SET state = 'wanted', next_us = :now,"
            " reply = :reply, asked_us = :now, ended_us = NULL WHERE state IN ('refused', 'moved', 'late')",
            {"source": key.source, "name": key.id, "start": stored(start), "reply": reply, "now": stored(now)},
        ).rowcount
    )


_SELECT: Final = "SELECT * FROM cancellations"


def due_cancellations(db: sqlite3.Connection, now: datetime) -> list[Cancellation]:
    """Return what is to be cancelled, or to be found out, now."""
    rows = db.execute(
        f"{_SELECT} WHERE state IN ('wanted', 'unknown') AND next_us <= ? ORDER BY start_us", (stored(now),)
    )
    return [_cancellation(row) for row in rows]


def cancellation(db: sqlite3.Connection, key: AppointmentKey, start: datetime) -> Cancellation | None:
    """Return the cancellation of an hour; None if no citizen wants one."""
    row = db.execute(
        f"{_SELECT} WHERE source = ? AND appointment = ? AND start_us = ?", (*key, stored(start))
    ).fetchone()
    return None if row is None else _cancellation(row)


def to_answer(db: sqlite3.Connection, since: datetime, waiting_since: datetime) -> list[Cancellation]:
    """Return cancellations by reply that ended after ``since``, or that have not ended since ``waiting_since``."""
    rows = db.execute(
        f"{_SELECT} WHERE reply IS NOT NULL AND (ended_us > ? OR (ended_us IS NULL AND asked_us <= ?)) ORDER BY id",
        (stored(since), stored(waiting_since)),
    )
    return [_cancellation(row) for row in rows]


def _cancellation(row: sqlite3.Row) -> Cancellation:
    return Cancellation(
        row["id"],
        AppointmentKey(row["source"], row["appointment"]),
        read(row["start_us"]),
        CancellationState(row["state"]),
        row["tries"],
        row["fence"],
        row["reply"],
        read(row["asked_us"]),
        row["code"],
    )


def begin_call(db: sqlite3.Connection, wanted: Cancellation, now: datetime, until: datetime) -> Cancellation | None:
    """Write that the source is asked to cancel now; commit before the call. None: another process has it.

    Call it only after a GET that shows the appointment at this hour, also if the outcome of an earlier call is unknown.
    """
    row = db.execute(
        "UPDATE cancellations SET state = 'calling', calling_us = ?, next_us = ?, tries = tries + 1, fence = fence + 1"
        " WHERE id = ? AND fence = ? AND state = ? RETURNING *",
        (stored(now), stored(until), wanted.id, wanted.fence, wanted.state),
    ).fetchone()
    return None if row is None else _cancellation(row)


def release_calls(db: sqlite3.Connection, now: datetime) -> int:
    """Give up calls whose process is gone: their outcome is unknown. Return how many."""
    return db.execute(
        "UPDATE cancellations SET state = 'unknown' WHERE state = 'calling' AND next_us <= ?", (stored(now),)
    ).rowcount


def try_later(db: sqlite3.Connection, wanted: Cancellation, state: CancellationState, due: datetime, code: str) -> bool:
    """Plan another attempt (``WANTED``: the call was certainly not carried out), or another question (``UNKNOWN``)."""
    return bool(
        db.execute(
            "UPDATE cancellations SET state = ?, next_us = ?, code = ? WHERE id = ? AND fence = ? AND state NOT IN"
            f" {_ENDED}",
            (state.value, stored(due), code, wanted.id, wanted.fence),
        ).rowcount
    )


def end_cancellation(
    db: sqlite3.Connection, wanted: Cancellation, state: CancellationState, now: datetime, code: str = ""
) -> bool:
    """Write the outcome; return False if another process wrote one."""
    return bool(
        db.execute(
            f"UPDATE cancellations SET state = ?, ended_us = ?, code = ? WHERE id = ? AND fence = ? AND state NOT IN"
            f" {_ENDED}",
            (state.value, stored(now), code, wanted.id, wanted.fence),
        ).rowcount
    )
