"""After the retention time no telephone and no text is left; a person can be erased, and everything exported."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, PHONE, SOURCE, appointment
from tests.store.reminders.test_outbox import claimed, plan, planned
from tests.store.reminders.test_replies import keep
from vetlla.domain.approvals import Approval
from vetlla.domain.errors import ConfigError
from vetlla.domain.messages import Channel, Delivery, DeliveryReport
from vetlla.domain.outbox import MessageReason
from vetlla.store.reminders import appointments, audit, citizens, export, outbox, replies, reports
from vetlla.store.reminders.approvals import approvals, keep_approval
from vetlla.store.reminders.pseudonyms import Pseudonyms, key_name
from vetlla.store.reminders.retention import ROUND, Place, Retired, Terms, due, erase, retire, rows_under
from vetlla.store.secrets.keyring import SharedKey
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from pathlib import Path


def shared(byte: int) -> SharedKey:
    return SharedKey(current=bytes([byte]) * 16, since=NOW, by="ana")


KEYS = Pseudonyms({key_name(2026): shared(1), key_name(2027): shared(2)})
LATER = NOW + timedelta(days=60)


@pytest.fixture
def lived_in(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return a database with a citizen in every table."""
    with atomic(db):
        appointments.put(
            db, [appointment(), appointment(2, phone="", phone_given="600 a la tarda")], NOW, booked_at=NOW
        )
    plan(db)
    (message,) = claimed(db)
    keep(db)
    with atomic(db):
        outbox.suppress(db, message, MessageReason.CANCELLED)
        replies.handled(db, 1, "confirmed", NOW)
        replies.to_inbox(db, 1, "not understood", NOW)
        replies.close_inbox(db, 1, "ana", NOW, answer=f"call {PHONE}")
        reports.keep_report(
            db, Channel.SMS, DeliveryReport(provider_id="1", delivery=Delivery.SENT, at=NOW, detail=PHONE), NOW
        )
    return db


def everything(db: sqlite3.Connection) -> str:
    return str([row for table in export.TABLES for row in export.rows_of(db, table)])


def retired(db: sqlite3.Connection, before: datetime = LATER - timedelta(days=30), limit: int = ROUND) -> Retired:
    total = Retired()
    place: Place | None = Place()
    while place is not None:
        with atomic(db):
            done, place = retire(db, Terms(before, before, LATER), KEYS, place, limit=limit)
        total = total.plus(done)
    return total


def test_nothing_is_removed_before_its_time(lived_in: sqlite3.Connection) -> None:
    assert not retired(lived_in, NOW - timedelta(days=1))


def test_after_its_time_no_telephone_and_no_text_is_left(lived_in: sqlite3.Connection) -> None:
    assert retired(lived_in) == Retired(appointments=2, messages=1, replies=1, reports=1, citizens=1)
    assert not retired(lived_in)
    left = everything(lived_in)
    for word in (PHONE, "600 a la tarda", "Anul·lar", "v1.X.token"):
        assert word not in left
    assert lived_in.execute("SELECT count(*) FROM outbox").fetchone()[0] == 1


def test_what_is_too_old_is_counted_without_a_change(lived_in: sqlite3.Connection) -> None:
    before = LATER - timedelta(days=30)
    counted = due(lived_in, Terms(before, before, LATER))
    assert counted == Retired(appointments=2, messages=1, replies=1, reports=1)
    assert retired(lived_in) == counted._replace(citizens=1)


def test_a_round_in_small_steps_removes_as_much_and_each_step_little(db: sqlite3.Connection) -> None:
    with atomic(db):
        some = [appointment(n, phone=f"+346000001{n:02}") for n in range(25)]
        appointments.put(db, some, NOW, booked_at=NOW)
    plan(db, *(planned(n, phone=f"+346000001{n:02}") for n in range(25)))
    db.execute("UPDATE outbox SET state = 'expired'")
    place: Place | None = Place()
    total, most = Retired(), 0
    while place is not None:
        changes = db.total_changes
        with atomic(db):
            done, place = retire(db, Terms(LATER, LATER, LATER), KEYS, place, limit=4)
        most, total = max(most, db.total_changes - changes), total.plus(done)
    assert total == Retired(appointments=25, messages=25, citizens=25)
    assert most == 4
    assert "+3460000" not in everything(db)


def test_erased_bytes_are_gone_from_the_file(lived_in: sqlite3.Connection, tmp_path: Path) -> None:
    retired(lived_in)
    for file in tmp_path.iterdir():  # the database and its rollback journal
        assert PHONE.encode() not in file.read_bytes()


def test_one_person_has_one_pseudonym_in_a_year_and_another_in_the_next(lived_in: sqlite3.Connection) -> None:
    retired(lived_in)
    found = {
        row["pseudonym"]
        for table in ("appointments", "outbox", "replies")
        for row in export.rows_of(lived_in, table)
        if row["pseudonym"]
    }
    assert found == {KEYS.of(PHONE, NOW)}
    assert KEYS.of(PHONE, NOW) != KEYS.of(PHONE, datetime(2027, 1, 1, tzinfo=UTC))


def test_without_the_key_of_the_year_nothing_is_removed(lived_in: sqlite3.Connection) -> None:
    with pytest.raises(ConfigError, match="pseudonyms-2026"), atomic(lived_in):
        retire(lived_in, Terms(LATER, LATER, LATER), Pseudonyms({}), Place())
    assert PHONE in everything(lived_in)


def test_an_open_reply_in_the_inbox_is_kept_until_a_person_closes_it(db: sqlite3.Connection) -> None:
    keep(db)
    with atomic(db):
        replies.to_inbox(db, 1, "not understood", NOW)
        replies.handled(db, 1, "inbox", NOW)
    assert retired(db).replies == 0


def test_an_opt_out_outlives_the_retention_time(lived_in: sqlite3.Connection) -> None:
    with atomic(lived_in):
        citizens.opt_out(lived_in, 1, Channel, NOW, "reply")
    retired(lived_in)
    assert citizens.citizen(lived_in, 1).opted_out == set(Channel)


def test_an_erased_person_is_in_no_row_and_gets_no_planned_message(lived_in: sqlite3.Connection) -> None:
    plan(lived_in, planned(5))
    with atomic(lived_in):
        erase(lived_in, 1)
    assert PHONE not in everything(lived_in).replace(f"'detail': '{PHONE}'", "")
    assert claimed(lived_in) == []
    assert lived_in.execute("SELECT DISTINCT pseudonym FROM outbox").fetchall()[0][0] == ""


def test_rows_are_found_again_by_the_pseudonym_as_long_as_its_key_is_there(lived_in: sqlite3.Connection) -> None:
    retired(lived_in)
    rows = rows_under(lived_in, KEYS.all_of(PHONE))
    assert {table: len(ids) for table, ids in rows.items()} == {"appointments": 1, "outbox": 1, "replies": 1}
    rotated = Pseudonyms({key_name(2026): SharedKey(current=bytes(16), previous=bytes([1]) * 16, since=NOW, by="ana")})
    assert rows_under(lived_in, rotated.all_of(PHONE)) == rows
    assert rows_under(lived_in, KEYS.all_of("+34600000002")) == {}
    assert rows_under(lived_in, Pseudonyms({key_name(2027): shared(2)}).all_of(PHONE)) == {}


def test_only_the_keys_of_years_make_pseudonyms() -> None:
    keys = Pseudonyms({name: shared(1) for name in ("north", "pseudonyms-2026", "pseudonyms-old", "pseudonyms-")})
    assert keys.years == [2026]
    assert keys.all_of(PHONE) == {keys.of(PHONE, NOW)}


def test_an_erased_person_who_opted_out_is_still_not_written_to(lived_in: sqlite3.Connection) -> None:
    with atomic(lived_in):
        citizens.opt_out(lived_in, 1, Channel, NOW, "reply")
        erase(lived_in, 1)
    assert [phone for phone, *_ in citizens.opt_outs(lived_in)] == [PHONE] * 2
    with atomic(lived_in):
        erase(lived_in, 1, keep_opt_out=False)
    assert citizens.opt_outs(lived_in) == []


def test_a_person_can_have_all_rows_about_her(lived_in: sqlite3.Connection) -> None:
    rows = export.rows_of_citizen(lived_in, 1)
    assert {table: len(found) for table, found in rows.items() if found} == {
        "citizens": 1,
        "appointments": 1,
        "outbox": 1,
        "replies": 1,
        "inbox": 1,
        "appointment_events": 1,
    }


def test_the_export_has_every_table(db: sqlite3.Connection) -> None:
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert set(export.TABLES) == {name for name in there if not name.startswith("sqlite_")} - {"migrations"}
    with pytest.raises(ValueError, match="no table"):
        list(export.rows_of(db, "migrations; --"))


# --- appointments -----------------------------------------------------------------------------------------------------


def test_an_appointment_comes_back_as_it_was(db: sqlite3.Connection) -> None:
    with atomic(db):
        appointments.put(db, [appointment()], NOW, booked_at=None)
    assert appointments.known(db, SOURCE, "46", NOW, LATER) == [appointment()]


def test_a_confirmation_is_of_one_hour(db: sqlite3.Connection) -> None:
    one = appointment()
    with atomic(db):
        appointments.put(db, [one], NOW, booked_at=None)
        assert not appointments.confirm(db, one.key, one.start + timedelta(hours=1), NOW)
        assert appointments.confirm(db, one.key, one.start, NOW)
    kept = appointments.kept(db, one.key)
    assert kept is not None
    assert kept.is_confirmed
    with atomic(db):
        appointments.put(db, [appointment(start=one.start + timedelta(hours=1))], NOW, booked_at=NOW)
    moved = appointments.kept(db, one.key)
    assert moved is not None
    assert (moved.is_confirmed, moved.moves, moved.booked_at) == (False, 1, NOW)


# --- the audit and approvals ------------------------------------------------------------------------------------------


def test_a_changed_record_of_the_audit_shows(db: sqlite3.Connection) -> None:
    with atomic(db):
        for n in range(3):
            audit.record(db, NOW, "ana", "pause", subject=f"office {n}", detail={"why": "avui tanquem"})
    assert [one.is_sound for one in audit.records(db)] == [True] * 3
    db.execute("DROP TRIGGER audit_stays")
    db.execute("UPDATE audit SET actor = 'biel' WHERE id = 2")
    assert [one.is_sound for one in audit.records(db)] == [True, False, False]


def test_an_approval_names_text_version_office_and_person(db: sqlite3.Connection) -> None:
    one = Approval(
        title="ca sms reminder", version=2, digest="a1b2", party="46", person="Marta Exemple Inventat", at=NOW
    )
    with atomic(db):
        keep_approval(db, one)
    assert approvals(db) == [one]
    with pytest.raises(sqlite3.IntegrityError, match="never forgotten"):
        db.execute("DELETE FROM approvals")
