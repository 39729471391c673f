"""A reply is kept once, before its webhook is answered; questions expire; the inbox belongs to a person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rigs.reminders import NOW, PHONE, key
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import Channel, IncomingReply, ReplyKind
from vetlla.store.reminders import citizens, replies
from vetlla.store.reminders.opening import opened
from vetlla.store.reminders.replies import Dialogue, Offer
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

REPLY = IncomingReply(
    provider_id="wamid.7",
    channel=Channel.WHATSAPP,
    at=NOW,
    kind=ReplyKind.BUTTON,
    phone=PHONE,
    text="Anul·lar",
    payload="v1.X.token",
    context="wamid.1",
)
LATER = NOW + timedelta(hours=2)


def keep(db: sqlite3.Connection, reply: IncomingReply = REPLY) -> bool:
    with atomic(db):
        return replies.keep_reply(db, reply, NOW)


def test_a_reply_that_a_provider_sends_twice_is_kept_once(db: sqlite3.Connection) -> None:
    assert [keep(db), keep(db)] == [True, False]
    assert [one.reply for one in replies.open_replies(db, 10)] == [REPLY]


def test_a_kept_reply_survives_the_process(tmp_path: Path) -> None:
    with opened(tmp_path, ManualClock(NOW)) as db:
        keep(db)
    with opened(tmp_path, ManualClock(NOW)) as db:
        assert replies.open_replies(db, 1)[0].reply == REPLY


def test_a_reply_is_handled_once(db: sqlite3.Connection) -> None:
    keep(db)
    with atomic(db):
        assert replies.handled(db, 1, "confirmed", NOW, intent="confirm")
        assert not replies.handled(db, 1, "cancelled", NOW, intent="cancel")
    assert replies.open_replies(db, 10) == []


def test_a_later_question_replaces_an_earlier_one_and_expires(db: sqlite3.Connection) -> None:
    offered = (Offer(key(1), NOW), Offer(key(2), LATER))
    with atomic(db):
        who = citizens.citizen_id(db, PHONE, "", NOW)
        assert who is not None
        replies.ask(db, who, Dialogue("cancel?", offered[:1], LATER), NOW)
        replies.ask(db, who, Dialogue("which?", offered, LATER), NOW)
    assert replies.dialogue(db, who, NOW) == Dialogue("which?", offered, LATER)
    assert replies.dialogue(db, who, LATER) is None
    with atomic(db):
        replies.end_dialogue(db, who)
    assert replies.dialogue(db, who, NOW) is None


def test_one_person_closes_an_entry_of_the_inbox(db: sqlite3.Connection) -> None:
    keep(db)
    with atomic(db):
        replies.to_inbox(db, 1, "not understood", NOW)
        replies.to_inbox(db, 1, "not understood", LATER)
    (entry,) = replies.inbox(db)
    assert (entry.reply.reply, entry.opened_at) == (REPLY, NOW)
    with atomic(db):
        assert replies.close_inbox(db, 1, "ana", NOW, answer="Fet", taught="cancel")
        assert not replies.close_inbox(db, 1, "biel", NOW)
    assert replies.inbox(db) == []
