"""What a channel tells is kept once, whatever it is, and nothing of it is hidden."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, PHONE, TABLES
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import Channel, IncomingReply
from vetlla.gateways.received import ChannelNotice, NoticeKind, Received, Unread
from vetlla.store.reminders import channels, citizens, replies
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.receiving import keep
from vetlla.tasks.reminders.rules import SendRules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = SendRules(tables=TABLES)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open an empty database."""
    with opened(tmp_path, ManualClock(NOW)) as connection:
        yield connection


def notice(event: str) -> Received:
    return Received(
        notices=(ChannelNotice(kind=NoticeKind.TEMPLATE, at=NOW, event=event, template="cita", language="es"),)
    )


def test_a_reply_and_its_repetition_are_one_reply(db: sqlite3.Connection) -> None:
    told = Received(replies=(IncomingReply(provider_id="1", channel=Channel.SMS, at=NOW, phone=PHONE, text="SÍ"),))
    for _ in range(2):
        assert keep(db, Channel.SMS, told, RULES, NOW) == []
    assert [one.reply.text for one in replies.open_replies(db, 10)] == ["SÍ"]


def test_what_cannot_be_read_comes_before_a_person_once(db: sqlite3.Connection) -> None:
    told = Received(unread=(Unread("entry[0]", "the kind is unknown", '{"type": "poll"}'),))
    for _ in range(2):
        keep(db, Channel.WHATSAPP, told, RULES, NOW)
    (entry,) = replies.inbox(db)
    assert (entry.why, entry.reply.reply.text) == ("the kind is unknown", '{"type": "poll"}')
    assert replies.open_replies(db, 10) == []


@pytest.mark.parametrize("event", ["REJECTED", "PAUSED", "DISABLED"])
def test_a_template_that_meta_stops_is_not_used_until_it_is_approved_again(db: sqlite3.Connection, event: str) -> None:
    keep(db, Channel.WHATSAPP, notice(event), RULES, NOW)
    assert channels.unusable_templates(db) == {("cita", "es")}
    keep(db, Channel.WHATSAPP, notice("APPROVED"), RULES, NOW)
    assert channels.unusable_templates(db) == set()


def test_a_template_at_risk_is_still_used(db: sqlite3.Connection) -> None:
    keep(db, Channel.WHATSAPP, notice("FLAGGED"), RULES, NOW)
    assert channels.unusable_templates(db) == set()


def test_a_number_that_was_taken_for_dead_lives_when_its_owner_writes(db: sqlite3.Connection) -> None:
    with atomic(db):
        citizen = citizens.citizen_id(db, PHONE, "", NOW)
        assert citizen is not None
        citizens.dead_number(db, citizen)
    told = Received(replies=(IncomingReply(provider_id="1", channel=Channel.SMS, at=NOW, phone=PHONE, text="hola"),))
    keep(db, Channel.SMS, told, RULES, NOW)
    assert not citizens.citizen(db, citizen).is_dead


def test_a_disk_that_fails_keeps_nothing_and_says_so(db: sqlite3.Connection) -> None:
    told = Received(replies=(IncomingReply(provider_id="1", channel=Channel.SMS, at=NOW, phone=PHONE, text="SÍ"),))
    db.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError):
        keep(db, Channel.SMS, told, RULES, NOW)
    assert replies.open_replies(db, 10) == []


def test_half_of_an_emoji_blocks_no_delivery(db: sqlite3.Connection) -> None:
    told = Received(
        replies=(IncomingReply(provider_id="1", channel=Channel.WHATSAPP, at=NOW, phone=PHONE, text="S\ud83d"),),
        unread=(Unread("", "x", "\udc00"),),
    )
    keep(db, Channel.WHATSAPP, told, RULES, NOW)
    assert [one.reply.text for one in replies.open_replies(db, 10)] == ["S\ufffd"]
