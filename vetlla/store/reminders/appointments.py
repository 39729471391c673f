"""Appointments as the polls saw them last, with what the citizen decided about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.appointments import EXPECTED, Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.store.reminders.citizens import citizen_id
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from datetime import datetime

_EXPECTED: Final = ", ".join(f"'{status}'" for status in sorted(EXPECTED))
_SELECT: Final = "SELECT appointments.*, phone FROM appointments LEFT JOIN citizens ON citizens.id = citizen"
_KEY: Final = "source = ? AND name = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAppointment:
    """An appointment with what is known of it beside the source's own words."""

    appointment: Appointment
    booked_at: datetime | None
    """When its present hour was first seen; None if it was there before the first poll of its office."""
    moves: int
    is_confirmed: bool
    """True if the citizen confirmed its present hour."""
    is_cancelled: bool
    """True if the citizen cancelled it, or a poll found it cancelled."""


# --- reading ----------------------------------------------------------------------------------------------------------


def known(
    db: sqlite3.Connection,
    source: str,
    office: str,
    first: datetime,
    end: datetime,
    *,
    keys: Iterable[AppointmentKey] = (),
) -> list[Appointment]:
    """Return an office's appointments that start at ``first`` or later and before ``end``, and those with these keys.

    What is kept of a telephone is only the number; ``phone_given`` is "" if the number is valid.
    """
    rows = db.execute(
        f"{_SELECT} WHERE source = ? AND office = ? AND start_us >= ? AND start_us < ? ORDER BY start_us, name",
        (source, office, stored(first), stored(end)),
    )
    found = {one.key: one for one in map(_appointment, rows)}
    for key in keys:
        if key not in found and (row := db.execute(f"{_SELECT} WHERE {_KEY}", key).fetchone()):
            found[key] = _appointment(row)
    return list(found.values())


def kept(db: sqlite3.Connection, key: AppointmentKey) -> KeptAppointment | None:
    """Return an appointment; None if no poll ever saw it."""
    row = db.execute(f"{_SELECT} WHERE {_KEY}", key).fetchone()
    return None if row is None else _kept(row)


def expected_between(db: sqlite3.Connection, first: datetime, end: datetime) -> Iterator[KeptAppointment]:
    """Yield the appointments that citizens are expected at, of all offices, in the order of their hours."""
    rows = db.execute(
        f"{_SELECT} WHERE start_us >= ? AND start_us < ? AND status IN ({_EXPECTED}) ORDER BY start_us",
        (stored(first), stored(end)),
    )
    return map(_kept, rows)


def awaiting(db: sqlite3.Connection, citizen: int, now: datetime) -> list[KeptAppointment]:
    """Return the future appointments of a person, in the order of their hours."""
    rows = db.execute(
        f"{_SELECT} WHERE citizen = ? AND start_us > ? AND status IN ({_EXPECTED}) ORDER BY start_us, name",
        (citizen, stored(now)),
    )
    return [_kept(row) for row in rows]


def of_citizen(db: sqlite3.Connection, citizen: int, since: datetime) -> list[KeptAppointment]:
    """Return a person's appointments that end after a time, in whatever state, in the order of their hours."""
    rows = db.execute(f"{_SELECT} WHERE citizen = ? AND end_us > ? ORDER BY start_us, name", (citizen, stored(since)))
    return [_kept(row) for row in rows]


def _kept(row: sqlite3.Row) -> KeptAppointment:
    return KeptAppointment(
        appointment=_appointment(row),
        booked_at=read(row["booked_us"]),
        moves=row["moves"],
        is_confirmed=row["confirmed_start_us"] == row["start_us"],
        is_cancelled=row["cancelled_us"] is not None,
    )


def _appointment(row: sqlite3.Row) -> Appointment:
    start, end = row["start_us"], row["end_us"]
    return Appointment(
        key=AppointmentKey(row["source"], row["name"]),
        office=row["office"],
        start=read(start),
        end=read(end),
        zone=row["zone"],
        status=AppointmentStatus(row["status"]),
        status_given=row["status_given"],
        services=_services(row["services"]),
        phone=row["phone"] or "",
        phone_given=row["phone_given"],
        language=row["language"] or None,
        consented_at=read(row["consent_us"]),
        updated_at=read(row["updated_us"]),
    )


@lru_cache(maxsize=1 << 12)
def _services(text: str) -> tuple[BookedService, ...]:
    return tuple(BookedService(*fields) for fields in json.loads(text))


# --- writing ----------------------------------------------------------------------------------------------------------


def put(
    db: sqlite3.Connection, appointments: Iterable[Appointment], now: datetime, *, booked_at: datetime | None
) -> None:
    """Keep appointments as their source describes them now, and what that changes, as events.

    ``booked_at`` is the earliest time at which new ones, and hours that changed, can have been booked: that of the poll
    before. None if there was none.
    """
    for one in appointments:
        _put(db, one, now, booked_at)


_INSERT: Final = """
INSERT INTO appointments (source, name, office, start_us, end_us, zone, status, status_given, services, citizen,
    phone_given, language, consent_us, updated_us, first_seen_us, booked_us)
VALUES (:source, :name, :office, :start, :end, :zone, :status, :given, :services, :citizen, :phone_given, :language,
    :consent, :updated, :now, :booked)
"""
_UPDATE: Final = """
UPDATE appointments SET office = :office, start_us = :start, end_us = :end, zone = :zone, status = :status,
    status_given = :given, services = :services, citizen = :citizen, phone_given = :phone_given, language = :language,
    consent_us = :consent, updated_us = :updated, retired = 0,
    moves = moves + :moved, booked_us = CASE WHEN :moved THEN :booked ELSE booked_us END
WHERE source = :source AND name = :name
"""


def _put(db: sqlite3.Connection, one: Appointment, now: datetime, booked_at: datetime | None) -> None:
    before = db.execute(f"SELECT start_us, status FROM appointments WHERE {_KEY}", one.key).fetchone()
    values = _values(db, one, now) | {"booked": stored(booked_at)}
    if before is None:
        db.execute(_INSERT, values)
        _event(db, one.key, now, "created", one.start)
    else:
        is_moved = before["start_us"] != values["start"]
        db.execute(_UPDATE, values | {"moved": is_moved})
        if is_moved:
            _event(db, one.key, now, "moved", one.start, detail=str(before["start_us"]))
        if before["status"] != one.status:
            _event(db, one.key, now, "status", one.start, detail=one.status)
    if one.status is AppointmentStatus.CANCELLED:
        mark_cancelled(db, one.key, now, "citizen" if _has_own_cancellation(db, one.key) else "office")
    elif one.status in EXPECTED and before is not None and before["status"] == AppointmentStatus.CANCELLED:
        db.execute(f"UPDATE appointments SET cancelled_us = NULL, cancelled_by = '' WHERE {_KEY}", one.key)


def _has_own_cancellation(db: sqlite3.Connection, key: AppointmentKey) -> bool:
    """Return True if the citizen cancelled it by us, also if the source has not told the outcome yet."""
    found = db.execute(
        "SELECT 1 FROM cancellations WHERE source = ? AND appointment = ?"
        " AND state IN ('calling', 'unknown', 'done', 'gone')",
        key,
    ).fetchone()
    return found is not None


def _values(db: sqlite3.Connection, one: Appointment, now: datetime) -> dict[str, Any]:
    return {
        "source": one.key.source,
        "name": one.key.id,
        "office": one.office,
        "start": stored(one.start),
        "end": stored(one.end),
        "zone": one.zone,
        "status": one.status.value,
        "given": one.status_given,
        "services": json.dumps(one.services, ensure_ascii=False),
        "citizen": citizen_id(db, one.phone, "", now),
        "phone_given": "" if one.phone else one.phone_given,
        "language": one.language or "",
        "consent": stored(one.consented_at),
        "updated": stored(one.updated_at),
        "now": stored(now),
    }


def confirm(db: sqlite3.Connection, key: AppointmentKey, start: datetime, now: datetime) -> bool:
    """Keep that the citizen comes at this hour; return False if the appointment has another hour or is cancelled."""
    done = db.execute(
        f"UPDATE appointments SET confirmed_start_us = start_us, confirmed_us = ?"
        f" WHERE {_KEY} AND start_us = ? AND cancelled_us IS NULL AND status IN ({_EXPECTED})",
        (stored(now), *key, stored(start)),
    ).rowcount
    if done:
        _event(db, key, now, "confirmed", start)
    return bool(done)


def mark_cancelled(db: sqlite3.Connection, key: AppointmentKey, now: datetime, by: str) -> None:
    """Keep that an appointment is cancelled, by "citizen" or "office"; the first to do it stays named."""
    row = db.execute(
        f"UPDATE appointments SET status = 'cancelled', cancelled_us = ?, cancelled_by = ?"
        f" WHERE {_KEY} AND cancelled_us IS NULL RETURNING start_us",
        (stored(now), by, *key),
    ).fetchone()
    if row is not None:
        _event(db, key, now, "cancelled", read(row["start_us"]), detail=by)


def _event(
    db: sqlite3.Connection, key: AppointmentKey, now: datetime, what: str, start: datetime, *, detail: str = ""
) -> None:
    db.execute(
        "INSERT INTO appointment_events (source, name, at_us, what, start_us, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (*key, stored(now), what, stored(start), detail),
    )
