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
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

_EXPECTED: Final = ", ".join(f"'{status}'" for status in sorted(EXPECTED))
_SELECT: Final = """
SELECT source, name, office, start_us, end_us, zone, status, status_given, services, coalesce(phone, ''), phone_given,
    appointments.language, appointments.consent_us, updated_us, booked_us, moves, confirmed_start_us, cancelled_us
FROM appointments LEFT JOIN citizens ON citizens.id = citizen
"""
_KEY_COLUMNS: Final = slice(0, 2)
_DESCRIBED: Final = slice(2, 14)
"""The columns that a source describes, in the order of ``_as_stored``."""
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
    found: Iterable[Appointment] = (),
) -> list[Appointment]:
    """Return an office's appointments that start at ``first`` or later and before ``end``, and those that are found.

    One that is kept as the source describes it now is the found value itself, because most are, and making values takes
    most of the time of a poll. What is kept of a telephone is only the number; ``phone_given`` is "" if it is valid.
    """
    now = {one.key: one for one in found}
    rows = _rows(
        db,
        f"{_SELECT} WHERE source = ? AND office = ? AND start_us >= ? AND start_us < ? ORDER BY start_us, name",
        (source, office, stored(first), stored(end)),
    )
    before = {row[_KEY_COLUMNS]: _same_or_kept(row, now) for row in rows}
    for key in now:
        if key not in before and (row := _rows(db, f"{_SELECT} WHERE {_KEY}", key).fetchone()):
            before[key] = _same_or_kept(row, now)
    return list(before.values())


def _same_or_kept(row: tuple[Any, ...], now: Mapping[AppointmentKey, Appointment]) -> Appointment:
    found = now.get(AppointmentKey(*row[_KEY_COLUMNS]))
    return found if found is not None and _as_stored(found) == row[_DESCRIBED] else _appointment(row)


def _rows(db: sqlite3.Connection, query: str, values: Sequence[object]) -> sqlite3.Cursor:
    """Return the rows of a query as tuples, which are read faster than rows with names."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(query, values)


def kept(db: sqlite3.Connection, key: AppointmentKey) -> KeptAppointment | None:
    """Return an appointment; None if no poll ever saw it."""
    row = _rows(db, f"{_SELECT} WHERE {_KEY}", key).fetchone()
    return None if row is None else _kept(row)


def hours_between(db: sqlite3.Connection, first: datetime, end: datetime) -> list[tuple[datetime, str]]:
    """Return the hours at which citizens are expected, each with its zone and once."""
    rows = _rows(
        db,
        f"SELECT DISTINCT start_us, zone FROM appointments WHERE start_us >= ? AND start_us < ?"
        f" AND status IN ({_EXPECTED})",
        (stored(first), stored(end)),
    )
    return [(read(start), zone) for start, zone in rows]


def expected_between(db: sqlite3.Connection, first: datetime, end: datetime) -> Iterator[KeptAppointment]:
    """Yield the appointments that citizens are expected at, of all offices, in the order of their hours."""
    rows = _rows(
        db,
        f"{_SELECT} WHERE start_us >= ? AND start_us < ? AND status IN ({_EXPECTED}) ORDER BY start_us",
        (stored(first), stored(end)),
    )
    return map(_kept, rows)


def awaiting(db: sqlite3.Connection, citizen: int, now: datetime) -> list[KeptAppointment]:
    """Return the future appointments of a person, in the order of their hours."""
    rows = _rows(
        db,
        f"{_SELECT} WHERE citizen = ? AND start_us > ? AND status IN ({_EXPECTED}) ORDER BY start_us, name",
        (citizen, stored(now)),
    )
    return [_kept(row) for row in rows]


def of_citizen(db: sqlite3.Connection, citizen: int, since: datetime) -> list[KeptAppointment]:
    """Return a person's appointments that end after a time, in whatever state, in the order of their hours."""
    rows = _rows(db, f"{_SELECT} WHERE citizen = ? AND end_us > ? ORDER BY start_us, name", (citizen, stored(since)))
    return [_kept(row) for row in rows]


def _kept(row: tuple[Any, ...]) -> KeptAppointment:
    booked, moves, confirmed_start, cancelled = row[_DESCRIBED.stop :]
    return KeptAppointment(
        appointment=_appointment(row),
        booked_at=_moment(booked),
        moves=moves,
        is_confirmed=confirmed_start == row[_START],
        is_cancelled=cancelled is not None,
    )


_START: Final = 3
_STATUS: Final = {status.value: status for status in AppointmentStatus}


def _appointment(row: tuple[Any, ...]) -> Appointment:
    office, start, end, zone, status, given, services, phone, phone_given, language, consent, updated = row[_DESCRIBED]
    return Appointment(
        key=AppointmentKey(*row[_KEY_COLUMNS]),
        office=office,
        start=_moment(start),
        end=_moment(end),
        zone=zone,
        status=_STATUS[status],
        status_given=given,
        services=_services(services),
        phone=phone,
        phone_given=phone_given,
        language=language or None,
        consented_at=_moment(consent),
        updated_at=_moment(updated),
    )


def _as_stored(one: Appointment) -> tuple[Any, ...]:
    """Return what a source describes, as the columns have it."""
    return (
        one.office,
        stored(one.start),
        stored(one.end),
        one.zone,
        one.status.value,
        one.status_given,
        _services_text(one.services),
        one.phone,
        "" if one.phone else one.phone_given,
        one.language or "",
        stored(one.consented_at),
        stored(one.updated_at),
    )


_moment = lru_cache(maxsize=1 << 14)(read)
"""Many appointments begin at the same hour."""


@lru_cache(maxsize=1 << 12)
def _services_text(services: tuple[BookedService, ...]) -> str:
    return json.dumps(services, ensure_ascii=False)


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


_NAMES: Final = (
    "office", "start", "end", "zone", "status", "given", "services", "phone", "phone_given", "language", "consent",
    "updated",
)  # fmt: skip


def _values(db: sqlite3.Connection, one: Appointment, now: datetime) -> dict[str, Any]:
    described = dict(zip(_NAMES, _as_stored(one), strict=True))
    citizen = citizen_id(db, one.phone, "", now)
    return {"source": one.key.source, "name": one.key.id, **described, "citizen": citizen, "now": stored(now)}


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
