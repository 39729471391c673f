"""A person is a telephone, WhatsApp's id of the person, or the two; what the person decided is not lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rigs.reminders import NOW, PHONE
from vetlla.domain.messages import Channel, IncomingReply
from vetlla.store.reminders import citizens, replies
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3

OTHER = "+34600000002"
BSUID = "ES.13491208655302741918"


def one(db: sqlite3.Connection, phone: str = PHONE, person: str = "") -> int:
    with atomic(db):
        found = citizens.citizen_id(db, phone, person, NOW)
    assert found is not None
    return found


def test_a_telephone_has_one_row(db: sqlite3.Connection) -> None:
    assert one(db) == one(db)
    assert one(db, OTHER) != one(db)
    assert citizens.citizen_id(db, "", "", NOW) is None


def test_a_pair_that_was_seen_once_finds_a_person_whose_number_is_hidden(db: sqlite3.Connection) -> None:
    one(db, PHONE, BSUID)
    assert one(db, "", BSUID) == one(db)


def test_a_person_who_wrote_with_a_hidden_number_is_united_with_the_telephone(db: sqlite3.Connection) -> None:
    phone, hidden = one(db), one(db, "", BSUID)
    with atomic(db):
        citizens.opt_out(db, hidden, [Channel.WHATSAPP], NOW, "reply")
        citizens.remember_language(db, hidden, "es")
        replies.keep_reply(
            db, IncomingReply(provider_id="wamid.1", channel=Channel.WHATSAPP, at=NOW, person=BSUID, text="baja"), NOW
        )
    assert one(db, PHONE, BSUID) == phone
    found = citizens.citizen(db, phone)
    assert (found.person, found.language, found.opted_out) == (BSUID, "es", frozenset({Channel.WHATSAPP}))
    assert replies.open_replies(db, 1)[0].citizen == phone


def test_an_id_that_was_of_another_telephone_does_not_unite_two_telephones(db: sqlite3.Connection) -> None:
    first, second = one(db, PHONE, BSUID), one(db, OTHER)
    assert one(db, OTHER, BSUID) == second
    assert citizens.citizen(db, first).person == ""
    assert one(db, "", BSUID) == second


def test_an_opt_out_holds_for_its_channels_until_it_is_taken_back(db: sqlite3.Connection) -> None:
    who = one(db)
    with atomic(db):
        citizens.opt_out(db, who, Channel, NOW, "reply")
        citizens.opt_out(db, who, Channel, NOW + timedelta(days=1), "import")
    assert citizens.citizen(db, who).opted_out == set(Channel)
    assert {(phone, at) for phone, _, at, _ in citizens.opt_outs(db)} == {(PHONE, NOW)}
    with atomic(db):
        citizens.opt_in(db, who, [Channel.SMS])
    assert citizens.citizen(db, who).opted_out == {Channel.WHATSAPP}


def test_a_new_number_keeps_the_opt_out_and_the_language(db: sqlite3.Connection) -> None:
    before = one(db, PHONE, BSUID)
    with atomic(db):
        citizens.opt_out(db, before, Channel, NOW, "reply")
        citizens.remember_language(db, before, "es")
        citizens.number_changed(db, PHONE, OTHER, NOW, NOW + timedelta(days=30))
    now = citizens.citizen(db, one(db, OTHER))
    assert (now.opted_out, now.language, now.person) == (frozenset(Channel), "es", "")
    old = citizens.citizen(db, before)
    assert (old.person, old.no_whatsapp_until) == ("", NOW + timedelta(days=30))


def test_no_whatsapp_is_remembered_until_its_latest_time(db: sqlite3.Connection) -> None:
    who = one(db)
    with atomic(db):
        citizens.no_whatsapp(db, who, NOW + timedelta(days=30))
        citizens.no_whatsapp(db, who, NOW)
    assert citizens.citizen(db, who).no_whatsapp_until == NOW + timedelta(days=30)
