"""A message is planned once, claimed by one dispatcher, and handed over at most once."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, PHONE, appointment, key
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import Channel, Delivery, DeliveryReport, MessageKind, MessageState
from vetlla.domain.outbox import MessageKey, MessageReason, OutboxMessage, PlannedMessage
from vetlla.store.reminders import messages, outbox, reports
from vetlla.store.reminders.opening import REMINDERS, opened
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LEASE = timedelta(minutes=2)


def planned(name: int = 1, **changes: object) -> PlannedMessage:
    values: dict[str, object] = {
        "key": MessageKey(key(name), appointment().start + timedelta(hours=name), "24h"),
        "kind": MessageKind.REMINDER,
        "office": "46",
        "due": NOW,
        "useful_until": appointment().start,
        "phone": PHONE,
    }
    return PlannedMessage(**(values | changes))  # type: ignore[arg-type]


def plan(db: sqlite3.Connection, *some: PlannedMessage, revive: bool = False) -> int:
    with atomic(db):
        return outbox.plan(db, some or [planned()], NOW, revive=revive)


def claimed(db: sqlite3.Connection, limit: int = 1) -> list[OutboxMessage]:
    with atomic(db):
        return outbox.claim(db, "test", NOW, NOW + LEASE, limit)


def begun(db: sqlite3.Connection, message: OutboxMessage, now: datetime = NOW) -> bool:
    with atomic(db):
        return outbox.begin_sending(
            db,
            message,
            Channel.WHATSAPP,
            now,
            citizen=1,
            gateway="fake",
            text="",
            template="recordatori",
            language="ca",
            segments=0,
            fallback_at=None,
            opens=True,
        )


def state(db: sqlite3.Connection, key: int = 1) -> MessageState:
    return messages.message(db, key).state


def sending(db: sqlite3.Connection) -> OutboxMessage:
    plan(db)
    (message,) = claimed(db)
    assert begun(db, message)
    return message


def test_a_key_is_planned_once(db: sqlite3.Connection) -> None:
    assert plan(db) == 1
    assert plan(db, planned(due=NOW + timedelta(hours=1))) == 0
    assert messages.message(db, 1).plan == planned()


def test_another_hour_step_or_attempt_is_another_message(db: sqlite3.Connection) -> None:
    one = planned().key
    others = [one._replace(start=one.start + timedelta(hours=1)), one._replace(step="48h"), one._replace(attempt=2)]
    assert plan(db, planned(), *(planned(key=other) for other in others)) == 4


def test_the_nearest_appointments_are_claimed_first(db: sqlite3.Connection) -> None:
    plan(db, planned(3), planned(1), planned(2), planned(0, due=NOW + timedelta(seconds=1)))
    assert [one.plan.key.appointment.id for one in claimed(db, 2)] == ["1", "2"]


def test_two_dispatchers_never_have_one_message(db: sqlite3.Connection, tmp_path: Path) -> None:
    plan(db, *(planned(n) for n in range(10)))
    with opened(tmp_path, ManualClock(NOW)) as other:
        first, second = claimed(db, 6), claimed(other, 6)
    assert len(first) == 6
    assert len(second) == 4
    assert not {one.id for one in first} & {one.id for one in second}


def test_a_claim_whose_lease_ended_is_planned_again_and_its_holder_may_not_send(db: sqlite3.Connection) -> None:
    plan(db)
    (late,) = claimed(db)
    assert not begun(db, late, NOW + LEASE)
    with atomic(db):
        assert outbox.release_expired(db, NOW + LEASE) == (1, 0)
    (again,) = claimed(db)
    assert not begun(db, late)
    assert begun(db, again)


def test_a_message_that_was_being_sent_is_never_planned_again_after_a_crash(db: sqlite3.Connection) -> None:
    sending(db)
    with atomic(db):
        assert outbox.release_expired(db, NOW + LEASE) == (0, 1)
    assert state(db) is MessageState.UNKNOWN
    assert claimed(db) == []


def test_an_answer_that_comes_after_the_lease_is_kept(db: sqlite3.Connection) -> None:
    message = sending(db)
    with atomic(db):
        outbox.release_expired(db, NOW + LEASE)
        assert outbox.accepted(db, message, "wamid.1", NOW + LEASE, opens=True)
    assert state(db) is MessageState.ACCEPTED


def test_only_a_refusal_brings_a_message_back(db: sqlite3.Connection) -> None:
    message = sending(db)
    with atomic(db):
        assert outbox.not_sent(db, message, NOW + timedelta(seconds=10), "130429", MessageReason.REFUSED)
    back = messages.message(db, 1)
    assert (back.state, back.tries, back.sending_at) == (MessageState.PLANNED, 1, None)


@pytest.mark.parametrize("later", ["accepted", "unknown", "failed", "expired", "delivered"])
@pytest.mark.parametrize("back", ["planned", "claimed", "sending"])
def test_the_schema_itself_refuses_to_send_again_what_a_provider_may_have(
    db: sqlite3.Connection, later: str, back: str
) -> None:
    sending(db)
    db.execute("UPDATE outbox SET state = ?", (later,))
    with pytest.raises(sqlite3.IntegrityError, match="not sent again"):
        db.execute("UPDATE outbox SET state = ?", (back,))
    with pytest.raises(sqlite3.IntegrityError, match="never removed"):
        db.execute("DELETE FROM outbox")


def test_a_message_cannot_be_sent_without_a_claim(db: sqlite3.Connection) -> None:
    plan(db)
    assert not begun(db, messages.message(db, 1))
    with pytest.raises(sqlite3.IntegrityError, match="not sent again"):
        db.execute("UPDATE outbox SET state = 'sending', sending_us = 1")


def test_an_appointment_that_moves_away_and_back_is_reminded_of_once_more(db: sqlite3.Connection) -> None:
    plan(db)
    (message,) = claimed(db)
    with atomic(db):
        outbox.suppress(db, message, MessageReason.MOVED)
    assert plan(db) == 0
    assert plan(db, revive=True) == 1
    assert state(db) is MessageState.PLANNED


def test_a_message_suppressed_for_its_citizen_is_not_revived_by_planning(db: sqlite3.Connection) -> None:
    plan(db)
    (message,) = claimed(db)
    with atomic(db):
        outbox.suppress(db, message, MessageReason.OPTED_OUT)
    assert plan(db, revive=True) == 0
    with atomic(db):
        assert outbox.reinstate(db, 1, MessageReason.OPTED_OUT, NOW) == 1
    assert state(db) is MessageState.PLANNED


# --- reports ----------------------------------------------------------------------------------------------------------


def report(delivery: Delivery, provider_id: str = "wamid.1", reference: str = "") -> DeliveryReport:
    return DeliveryReport(provider_id=provider_id, delivery=delivery, at=NOW, reference=reference)


def keep(db: sqlite3.Connection, one: DeliveryReport) -> int | None:
    with atomic(db):
        return reports.keep_report(db, Channel.WHATSAPP, one, NOW)


def test_a_report_before_the_answer_to_our_call_is_found_later(db: sqlite3.Connection) -> None:
    message = sending(db)
    assert keep(db, report(Delivery.DELIVERED)) is None
    with atomic(db):
        outbox.accepted(db, message, "wamid.1", NOW, opens=True)
        assert reports.adopt(db, messages.message(db, 1), Channel.WHATSAPP, "wamid.1") == 1
    assert [one.delivery for one in reports.reports_of(db, 1)] == [Delivery.DELIVERED]


def test_a_report_with_our_reference_finds_a_message_of_unknown_outcome(db: sqlite3.Connection) -> None:
    message = sending(db)
    assert keep(db, report(Delivery.SENT, reference=message.reference)) == 1


def test_a_repeated_report_is_kept_once(db: sqlite3.Connection) -> None:
    message = sending(db)
    one = report(Delivery.SENT, reference=message.reference)
    assert [keep(db, one), keep(db, one)] == [1, None]


def test_a_report_about_a_message_that_was_never_handed_over_is_not_believed(db: sqlite3.Connection) -> None:
    plan(db)
    assert keep(db, report(Delivery.READ, reference=messages.message(db, 1).reference)) is None
    assert state(db) is MessageState.PLANNED


def test_a_number_that_a_provider_uses_again_belongs_to_the_newer_message(db: sqlite3.Connection) -> None:
    plan(db, planned(1), planned(2))
    for number, message in enumerate(claimed(db, 2)):
        begun(db, message, NOW + timedelta(seconds=number))
        with atomic(db):
            outbox.accepted(db, message, "7", NOW, opens=True)
    assert keep(db, report(Delivery.DELIVERED, "7")) == 2


# --- conversations and overdue ones -----------------------------------------------------------------------------------


def test_conversations_of_the_last_day_are_counted_by_person(db: sqlite3.Connection) -> None:
    sending(db)
    assert messages.conversations_since(db, NOW - timedelta(days=1)) == 1
    assert messages.conversations_since(db, NOW) == 0


def test_what_has_not_ended_is_overdue(db: sqlite3.Connection) -> None:
    sending(db)
    assert [one.id for one in messages.overdue(db, NOW + timedelta(hours=1))] == [1]
    assert messages.overdue(db, NOW) == []


# --- the file ---------------------------------------------------------------------------------------------------------


def test_commits_wait_for_the_disk_and_no_write_ahead_log_is_used(db: sqlite3.Connection, tmp_path: Path) -> None:
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"
    assert (tmp_path / REMINDERS).stat().st_mode & 0o777 == 0o640


def test_what_was_not_committed_is_lost_and_the_rest_is_there(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    with opened(tmp_path, clock) as db:
        plan(db)
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE outbox SET state = 'suppressed'")
    with opened(tmp_path, clock) as db:
        assert state(db) is MessageState.PLANNED
