"""Counts of a period, on a few rows counted by hand and on an invented month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.invented_month import ZONE, Month, appointment, cancellation, message, put, reply, us
from tests.rigs.reminders import NOW
from vetlla.domain.clock import ManualClock, to_datetime
from vetlla.domain.errors import StoreError
from vetlla.domain.reminder_counts import Fate, Presence, Reminding, ReportPeriod
from vetlla.store.reminders import retention, statistics
from vetlla.store.reminders.opening import opened, reading_present
from vetlla.store.reminders.pseudonyms import Pseudonyms, key_name
from vetlla.store.secrets.keyring import SharedKey
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

DAY = date(2026, 11, 10)
TEN = us(DAY, 10)
HOUR_US = 3_600_000_000
LATER = to_datetime(us(date(2026, 12, 1), 0))


def period(first: date = date(2026, 11, 1), last: date = date(2026, 11, 30), office: str = "") -> ReportPeriod:
    """Return days of the city."""
    begin, end = us(first, 0), us(last + timedelta(days=1), 0)
    return ReportPeriod(first=first, last=last, begin=to_datetime(begin), end=to_datetime(end), office=office)


def fates(db: sqlite3.Connection, where: ReportPeriod | None = None) -> dict[Fate, int]:
    """Count messages by what became of them."""
    found: dict[Fate, int] = {}
    for one in statistics.messages(db, where or period(), ZONE):
        found[one.fate] = found.get(one.fate, 0) + one.messages
    return found


def groups(db: sqlite3.Connection, where: ReportPeriod | None = None) -> dict[tuple[Presence, Reminding, str], int]:
    """Count appointments by end, by what the service did, and why not."""
    rows = statistics.appointments(db, where or period(), LATER)
    return {(one.presence, one.reminding, one.why): one.appointments for one in rows}


# --- messages ---------------------------------------------------------------------------------------------------------


def test_each_state_has_its_fate(db: sqlite3.Connection) -> None:
    cases: list[tuple[str, dict[str, object], Fate]] = [
        ("read", {}, Fate.READ),
        ("delivered", {"reason": "unknown_outcome"}, Fate.DELIVERED),
        ("failed", {"code": "131026"}, Fate.FAILED),
        ("failed", {"reason": "refused", "code": "132001"}, Fate.REFUSED),
        ("failed", {"reason": "unknown_outcome"}, Fate.UNKNOWN),
        ("failed", {"reason": "restored"}, Fate.UNKNOWN),
        ("failed", {"reason": "unknown_outcome", "sent_us": TEN}, Fate.NO_REPORT),
        ("failed", {"reason": "unknown_outcome", "code": "131026"}, Fate.FAILED),
        ("expired", {"reason": "no_report"}, Fate.NO_REPORT),
        ("expired", {"reason": "too_late", "sending_us": None, "channel": ""}, Fate.EXPIRED),
        ("accepted", {}, Fate.PENDING),
        ("sent", {}, Fate.PENDING),
        ("sending", {}, Fate.UNKNOWN),
        ("unknown", {}, Fate.UNKNOWN),
        ("planned", {"reason": "paused"}, Fate.WAITING),
        ("suppressed", {"reason": "opted_out"}, Fate.SUPPRESSED),
    ]
    for number, (state, changes, fate) in enumerate(cases):
        message(db, str(number), TEN, state, template=fate.value, **changes)
    counted = {one.template: one.fate.value for one in statistics.messages(db, period(), ZONE)}
    assert counted == {fate.value: fate.value for fate in Fate}


def test_a_message_belongs_to_the_day_on_which_it_was_sent(db: sqlite3.Connection) -> None:
    """23:30 UTC of 31 October is 0:30 of 1 November in the city; the hour of the appointment decides nothing."""
    message(db, "a", TEN, "delivered", sending_us=us(date(2026, 11, 1), 0, 30), planned_us=us(date(2026, 10, 31), 23))
    message(db, "b", TEN, "delivered", sending_us=us(date(2026, 10, 31), 23, 59), planned_us=us(date(2026, 10, 31), 23))
    message(db, "c", us(date(2026, 12, 1), 9), "delivered", sending_us=us(date(2026, 11, 30), 23, 59))
    assert [one.day for one in statistics.messages(db, period(), ZONE)] == [date(2026, 11, 1), date(2026, 11, 30)]


def test_the_day_on_which_clocks_are_put_back_has_25_hours(db: sqlite3.Connection) -> None:
    day = date(2026, 10, 25)
    for hour in range(25):
        at = us(day, 0) + hour * HOUR_US
        message(db, str(hour), TEN, "delivered", sending_us=at, planned_us=at)
    (one,) = statistics.messages(db, period(day, day), ZONE)
    assert (one.day, one.messages) == (day, 25)


def test_a_message_that_was_not_sent_belongs_to_the_day_on_which_it_was_due(db: sqlite3.Connection) -> None:
    message(db, "a", TEN, "suppressed", reason="no_phone")
    assert [(one.day, one.reason) for one in statistics.messages(db, period(), ZONE)] == [
        (date(2026, 11, 9), "no_phone")
    ]


def test_a_fallback_says_what_the_attempt_before_came_to(db: sqlite3.Connection) -> None:
    message(db, "a", TEN, "failed", code="131026")
    message(db, "a", TEN, "delivered", channel="sms", attempt=2)
    message(db, "b", TEN, "expired", reason="no_report")
    message(db, "b", TEN, "delivered", channel="sms", attempt=2)
    message(db, "c", TEN, "delivered")
    assert sorted(statistics.fallbacks(db, period())) == [
        ("whatsapp", "sms", "failed", "131026", 1),
        ("whatsapp", "sms", "no_report", "", 1),
    ]


# --- appointments -----------------------------------------------------------------------------------------------------


def test_an_appointment_is_reminded_if_a_provider_took_a_reminder_for_its_hour(db: sqlite3.Connection) -> None:
    for name in ("read", "failed", "fallback", "other-hour", "no_phone", "late", "nothing", "held"):
        appointment(db, name, TEN, "complete")
    message(db, "read", TEN, "read")
    message(db, "failed", TEN, "failed", code="131026")
    message(db, "fallback", TEN, "failed", code="131026")
    message(db, "fallback", TEN, "sent", channel="sms", attempt=2)
    message(db, "other-hour", TEN + HOUR_US, "read")
    message(db, "no_phone", TEN, "suppressed", reason="no_phone")
    message(db, "late", TEN, "suppressed", step="48h", reason="moved")
    message(db, "late", TEN, "expired", sending_us=None, channel="", reason="too_late")
    message(db, "held", TEN, "suppressed", step="48h", reason="held_back")
    message(db, "held", TEN, "suppressed", reason="no_phone")
    message(db, "nothing", TEN, "read", kind="information", step="info")
    assert groups(db) == {
        (Presence.CAME, Reminding.REMINDED, ""): 2,
        (Presence.CAME, Reminding.NOT_REACHED, ""): 1,
        (Presence.CAME, Reminding.NOT_SENT, "no_phone"): 1,
        (Presence.CAME, Reminding.NOT_SENT, "too_late"): 1,
        (Presence.CAME, Reminding.NONE, ""): 2,
        (Presence.CAME, Reminding.HELD_BACK, ""): 1,
    }


def test_each_status_has_its_end(db: sqlite3.Connection) -> None:
    statuses = ["arrived", "called", "complete", "no_show", "ended_by_reset", "created", "rescheduled", "reserved",
                "unknown"]  # fmt: skip
    for status in statuses:
        appointment(db, status, TEN, status)
    appointment(db, "later", us(date(2026, 11, 30), 23), "created", end_us=us(date(2026, 12, 1), 0) + 1)
    appointment(db, "own", TEN, "cancelled", cancelled_by="citizen", cancelled_us=TEN - HOUR_US)
    appointment(db, "office", TEN, "cancelled", cancelled_by="office", cancelled_us=TEN + HOUR_US)
    appointment(db, "before", us(date(2026, 10, 31), 23), "complete")
    assert {presence: number for (presence, _, _), number in groups(db).items()} == {
        Presence.CAME: 3, Presence.NO_SHOW: 1, Presence.RESET: 1, Presence.UNMARKED: 2, Presence.OTHER: 2,
        Presence.TO_COME: 1, Presence.CANCELLED_BY_CITIZEN: 1, Presence.CANCELLED_ELSEWHERE: 1,
    }  # fmt: skip
    assert sorted(statistics.freed(db, period())) == [
        (Presence.CANCELLED_BY_CITIZEN, HOUR_US), (Presence.CANCELLED_ELSEWHERE, -HOUR_US)
    ]  # fmt: skip


def test_only_the_present_hour_can_be_confirmed(db: sqlite3.Connection) -> None:
    appointment(db, "a", TEN, "complete", confirmed_start_us=TEN)
    appointment(db, "b", TEN, "complete", confirmed_start_us=TEN - HOUR_US)
    appointment(db, "c", TEN, "complete")
    confirmed = {one.is_confirmed: one.appointments for one in statistics.appointments(db, period(), LATER)}
    assert confirmed == {True: 1, False: 2}


def test_an_appointment_is_drawn_if_a_reminder_came_as_far_as_chance(db: sqlite3.Connection) -> None:
    """What the source or a missing telephone stopped before chance decided is in no group, in both groups alike."""
    for reason in ("held_back", "landline", "opted_out", "no_phone", "moved", "too_late"):
        appointment(db, reason, TEN, "complete")
        message(db, reason, TEN, "suppressed", reason=reason)
    appointment(db, "sent", TEN, "complete")
    message(db, "sent", TEN, "failed", code="131026")
    drawn = statistics.appointments(db, period(), LATER, drawn_only=True)
    assert {(one.reminding, one.why) for one in drawn} == {
        (Reminding.HELD_BACK, ""), (Reminding.NOT_SENT, "landline"), (Reminding.NOT_SENT, "opted_out"),
        (Reminding.NOT_REACHED, ""),
    }  # fmt: skip
    assert statistics.drawing(db, period()) == (to_datetime(TEN), to_datetime(TEN))
    assert statistics.drawing(db, period(office="47")) is None


# --- replies ----------------------------------------------------------------------------------------------------------


def test_a_reply_counts_on_the_day_on_which_it_came(db: sqlite3.Connection) -> None:
    sent = message(db, "a", TEN, "read")
    reply(db, "1", TEN, "confirmed", message=sent)
    reply(db, "2", TEN, "inbox", channel="sms")
    put(db, "inbox", reply=2, opened_us=TEN, why="not understood")
    reply(db, "3", TEN, "confirmed", received_us=us(date(2026, 12, 1), 0))
    reply(db, "4", TEN, "", handled_us=None)
    found = {
        (one.outcome, one.why, one.is_handled, one.is_open): one.replies for one in statistics.replies(db, period())
    }
    assert found == {
        ("confirmed", "", True, False): 1, ("inbox", "not understood", True, True): 1, ("", "", False, False): 1,
    }  # fmt: skip


def test_cancellations_count_on_the_day_on_which_they_were_asked_for(db: sqlite3.Connection) -> None:
    cancellation(db, "a", TEN, TEN - HOUR_US, "done")
    cancellation(db, "b", TEN, us(date(2026, 10, 31), 23), "done")
    cancellation(db, "c", TEN, TEN - HOUR_US, "late")
    assert sorted(statistics.cancellations(db, period())) == [("done", 1), ("late", 1)]


# --- everything together ----------------------------------------------------------------------------------------------


def everything(db: sqlite3.Connection, where: ReportPeriod) -> list[object]:
    """Return all counts of a period, in a fixed order."""
    asked = (
        statistics.messages(db, where, ZONE),
        statistics.fallbacks(db, where),
        statistics.appointments(db, where, LATER),
        statistics.freed(db, where),
        statistics.replies(db, where),
        statistics.cancellations(db, where),
    )
    return [sorted(counts, key=repr) for counts in asked]


def test_an_office_has_its_own_counts_and_offices_add_up(db: sqlite3.Connection) -> None:
    with atomic(db):
        Month(db, held_back=0.1).fill(date(2026, 11, 2), date(2026, 11, 6), ("46", "47"), 12)
    whole, one, other = (fates(db, period(office=office)) for office in ("", "46", "47"))
    assert one
    assert other
    assert whole == {fate: one.get(fate, 0) + other.get(fate, 0) for fate in whole}
    offices = {row.office for row in statistics.appointments(db, period(office="46"), LATER)}
    assert offices == {"46"}
    assert sum(row.appointments for row in statistics.appointments(db, period(), LATER)) == 120


def test_after_the_retention_time_rows_count_the_same(db: sqlite3.Connection) -> None:
    """Pseudonyms take the place of people, and no figure changes."""
    with atomic(db):
        Month(db, held_back=0.1).fill(date(2026, 11, 2), date(2026, 11, 6), ("46",), 20)
        person = put(db, "citizens", phone="+34600000001", seen_us=TEN)
        db.execute("UPDATE appointments SET citizen = ?", (person,))
        db.execute("UPDATE outbox SET citizen = ?, text = 'Teniu cita'", (person,))
        db.execute("UPDATE replies SET citizen = ?, text = 'Sí'", (person,))
    before = everything(db, period())
    keys = {key_name(2026): SharedKey(current=bytes(16), since=NOW, by="ana")}
    far = to_datetime(us(date(2027, 3, 1), 0))
    place: retention.Place | None = retention.Place()
    while place is not None:
        with atomic(db):
            _, place = retention.retire(db, retention.Terms(far, far, far), Pseudonyms(keys), place)
    assert {row["pseudonym"] for row in db.execute("SELECT pseudonym FROM replies")} - {""}
    assert everything(db, period()) == before


def test_an_empty_period_has_no_counts(db: sqlite3.Connection) -> None:
    assert everything(db, period()) == [[]] * 6


# --- reading alone ----------------------------------------------------------------------------------------------------


def test_a_reader_can_change_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, ManualClock(NOW)):
        pass
    with pytest.raises(StoreError, match="readonly"), reading_present(tmp_path) as db:
        db.execute("DELETE FROM offices")


def test_a_reader_refuses_a_schema_that_is_older_than_its_questions(tmp_path: Path) -> None:
    with opened(tmp_path, ManualClock(NOW)) as db:
        db.execute("PRAGMA user_version = 0")
    with pytest.raises(StoreError, match="older") as refused, reading_present(tmp_path):
        pass
    assert "migrates" in refused.value.remedy
