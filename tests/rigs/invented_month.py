"""An invented month of the reminder service, as it would stand in the database. Telephones are of a reserved range.

Rows are written directly, because a month of 100,000 appointments would take the service itself an hour.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from vetlla.domain.clock import to_us

if TYPE_CHECKING:
    import sqlite3

ZONE = ZoneInfo("Europe/Madrid")
_MINUTE_US = 60_000_000
_HOUR_US = 60 * _MINUTE_US
_SERVICES = json.dumps([["padro", "Alta al padró", True]])


def us(day: date, hour: int, minute: int = 0) -> int:
    """Return a local hour as rows have it."""
    return to_us(datetime.combine(day, time(hour, minute), ZONE))


def put(db: sqlite3.Connection, table: str, **values: object) -> int:
    """Write one row; return its id."""
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    row = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING rowid", values).fetchone()
    return int(row[0])


def appointment(db: sqlite3.Connection, name: str, start_us: int, status: str, **values: object) -> None:
    """Write an appointment of ten minutes."""
    plain = {
        "source": "lleida", "name": name, "office": "46", "start_us": start_us, "end_us": start_us + 10 * _MINUTE_US,
        "zone": ZONE.key, "status": status, "status_given": "", "services": _SERVICES, "phone_given": "",
        "language": "", "first_seen_us": start_us - 200 * _HOUR_US,
    }  # fmt: skip
    put(db, "appointments", **(plain | values))


def message(db: sqlite3.Connection, name: str, start_us: int, state: str, **values: object) -> int:
    """Write a message that was handed over 24 hours before, unless it says otherwise; return its id."""
    at = start_us - 24 * _HOUR_US
    is_sent = state not in {"planned", "claimed", "suppressed"}
    plain: dict[str, Any] = {
        "source": "lleida", "appointment": name, "start_us": start_us, "step": "24h", "attempt": 1, "kind": "reminder",
        "office": "46", "planned_us": at - 15 * _MINUTE_US, "due_us": at, "useful_until_us": start_us, "state": state,
        "channel": "whatsapp" if is_sent else "", "sending_us": at if is_sent else None,
        "template": "recordatori_cita_v3" if is_sent else "", "language": "ca" if is_sent else "",
    }  # fmt: skip
    plain |= values
    taken = plain["sending_us"] is not None and state in {"accepted", "sent", "delivered", "read", "expired"}
    if (taken or (state == "failed" and plain.get("code"))) and plain.get("reason") != "refused":
        plain.setdefault("accepted_us", plain["sending_us"] + 1)
    if plain["channel"] == "sms":
        plain |= {"template": "", "segments": plain.get("segments", 1)}
    plain["reference"] = f"{name}/{start_us}/{plain['step']}/{plain['attempt']}"
    return put(db, "outbox", **plain)


def reply(db: sqlite3.Connection, name: str, at_us: int, outcome: str, **values: object) -> int:
    """Write a reply that was handled at once; return its id."""
    plain = {
        "channel": "whatsapp", "provider_id": name, "at_us": at_us, "received_us": at_us, "kind": "text", "text": "",
        "payload": "", "context": "", "handled_us": at_us, "outcome": outcome,
    }  # fmt: skip
    return put(db, "replies", **(plain | values))


def cancellation(db: sqlite3.Connection, name: str, start_us: int, at_us: int, state: str, **values: object) -> None:
    """Write a cancellation that a citizen asked for."""
    plain = {
        "source": "lleida", "appointment": name, "start_us": start_us, "asked_us": at_us, "next_us": at_us,
        "state": state,
    }  # fmt: skip
    put(db, "cancellations", **(plain | values))


class Booking(NamedTuple):
    """An appointment that the month invents."""

    name: str
    office: str
    start: int

    def message(self, db: sqlite3.Connection, state: str, **values: object) -> int:
        """Write a message about it; return its id."""
        return message(db, self.name, self.start, state, office=self.office, **values)


class Month:
    """Fills a database with offices, appointments, reminders, answers and replies, the same ones for one seed."""

    def __init__(self, db: sqlite3.Connection, *, held_back: float = 0.0, absent: float = 0.22, seed: int = 7) -> None:
        """``held_back`` is the share without reminders, and ``absent`` that of no-shows among them."""
        self._db = db
        self._held_back = held_back
        self._absent = absent
        self._chance = Random(seed)

    def fill(self, first: date, last: date, offices: tuple[str, ...], per_day: int) -> int:
        """Write the working days of a period; return the number of appointments."""
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        working = [day for day in days if day.weekday() < 5]
        for day in working:
            for office in offices:
                for place in range(per_day):
                    start = us(day, 9) + place * (5 * _HOUR_US // per_day)
                    self._one(Booking(f"{office}-{day:%m%d}-{place}", office, start))
        return len(working) * len(offices) * per_day

    def _one(self, booking: Booking) -> None:
        draw = self._chance.random
        confirmed, cancelled, risk = False, "", self._absent
        if draw() < self._held_back:
            booking.message(self._db, "suppressed", reason="held_back")
        elif draw() < 0.06:
            reason = self._chance.choice(["no_phone", "landline", "opted_out", "too_late"])
            booking.message(self._db, "suppressed", reason=reason)
        else:
            confirmed, cancelled = self._reminded(booking)
            risk *= 0.25 if confirmed else 0.75
        if not cancelled and draw() < 0.03:
            cancelled = "office"
        status = "no_show" if draw() < risk else "complete"
        if draw() < 0.02:
            status = "ended_by_reset" if draw() < 0.3 else "created"
        before = int(self._chance.choice([3, 20, 23, 26, 30, 44]) * _HOUR_US * (0.3 + draw()))
        appointment(
            self._db,
            booking.name,
            booking.start,
            "cancelled" if cancelled else status,
            office=booking.office,
            cancelled_by=cancelled,
            cancelled_us=booking.start - before if cancelled else None,
            confirmed_start_us=booking.start if confirmed else None,
            confirmed_us=booking.start - 20 * _HOUR_US if confirmed else None,
        )

    def _reminded(self, booking: Booking) -> tuple[bool, str]:
        draw, db = self._chance.random, self._db
        language = "ca" if draw() < 0.68 else "es"
        opens = int(draw() < 0.93)
        channel = "sms"
        if draw() < 0.24:
            state = "delivered" if draw() < 0.96 else "expired"
            sent = booking.message(db, state, channel=channel, segments=1 + (draw() < 0.4), language=language)
        elif draw() < 0.07:
            code = self._chance.choice(["131026", "131026", "131026", "131049", "132001"])
            booking.message(db, "failed", code=code, opens=opens, language=language)
            at = booking.start - 23 * _HOUR_US
            sent = booking.message(db, "delivered", channel=channel, attempt=2, sending_us=at, language=language)
        else:
            channel = "whatsapp"
            state = "read" if draw() < 0.78 else "delivered" if draw() < 0.9 else "unknown"
            told = {"category": "utility", "is_billable": 1} if state != "unknown" and draw() < 0.97 else {}
            sent = booking.message(db, state, opens=opens, language=language, **told)
        return self._answered(booking, sent, channel, language)

    def _answered(self, booking: Booking, sent: int, channel: str, language: str) -> tuple[bool, str]:
        luck = self._chance.random()
        if luck > 0.62:
            return False, ""
        at = booking.start - 22 * _HOUR_US
        others = ("inbox", "ask", "past", "unknown_sender", "reschedule", "help", "opted_out", "inbox")
        outcome = "confirmed" if luck < 0.42 else "cancel" if luck < 0.52 else self._chance.choice(others)
        written = reply(self._db, f"in-{booking.name}-{booking.start}", at, outcome, channel=channel, message=sent)
        if outcome == "inbox":
            closed = at if self._chance.random() < 0.9 else None
            put(self._db, "inbox", reply=written, opened_us=at, why="not understood", closed_us=closed)
        if outcome in {"confirmed", "ask"}:
            is_whatsapp = channel == "whatsapp"
            billed = {"category": "service", "is_billable": 1} if is_whatsapp else {}
            common = {"kind": "answer", "step": f"answer-{written}-{outcome}", "template": "", "language": language}
            times = {"planned_us": at, "due_us": at, "sending_us": at}
            state = "read" if is_whatsapp else "delivered"
            booking.message(self._db, state, channel=channel, **common, **times, **billed)
        if outcome == "cancel":
            state = "done" if self._chance.random() < 0.96 else "refused"
            cancellation(self._db, booking.name, booking.start, at, state, reply=written)
            return False, "citizen" if state == "done" else ""
        return outcome == "confirmed", ""
