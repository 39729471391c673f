"""What people look up: lists of messages, offices, entries of the inbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rigs.reminders import NOW
from tests.rigs.reminders_desk import OFFICE, DeskWorld
from vetlla.domain.messages import Channel, MessageState
from vetlla.store.reminders import looking, offices, replies
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3

HOUR = timedelta(hours=1)


def lived_in(db: sqlite3.Connection) -> DeskWorld:
    world = DeskWorld(db, NOW)
    world.live()
    return world


def test_filters_are_joined_and_hours_end_before_the_end(db: sqlite3.Connection) -> None:
    lived_in(db)
    start = NOW + timedelta(days=1)

    def found(**filters: object) -> list[int]:
        return [one.message.id for one in looking.listed(db, **filters)]  # type: ignore[arg-type]

    assert found() == [1, 2]
    assert found(office=OFFICE, state=MessageState.DELIVERED) == [1]
    assert found(first=start, end=start + HOUR) == [1, 2]
    assert found(first=start - HOUR, end=start) == []
    assert found(office="other") == []


def test_a_message_about_an_hour_that_moved_is_not_unconfirmed(db: sqlite3.Connection) -> None:
    world = lived_in(db)
    world.book("a1", "+34600000001", 3)
    world.poll()
    assert [one.message.id for one in looking.listed(db, unconfirmed=True)][:1] == [2]


def test_a_life_is_found_by_number_and_by_reference(db: sqlite3.Connection) -> None:
    lived_in(db)
    by_number = looking.life(db, "1")
    assert by_number is not None
    assert by_number == looking.life(db, by_number.listed.message.reference)
    assert looking.life(db, "3") is None
    assert looking.life(db, "9" * 400) is None


def test_an_entry_says_who_closed_it(db: sqlite3.Connection) -> None:
    lived_in(db)
    assert replies.inbox_entry(db, 99) is None
    with atomic(db):
        assert replies.close_inbox(db, 1, "ana", NOW)
    entry = replies.inbox_entry(db, 1)
    assert entry is not None
    assert (entry.closed_at, entry.closed_by) == (NOW, "ana")
    assert [one.reply.id for one in replies.inbox(db)] == [2]


def test_the_words_of_citizens_come_once_and_the_newest_first(db: sqlite3.Connection) -> None:
    world = lived_in(db)
    world.writes("+34600000001", "Doncs allà em tindreu", Channel.SMS)
    assert replies.words_of_citizens(db) == ["Doncs allà em tindreu", "Quina documentació he de portar?"]


def test_offices_are_known_from_their_first_complete_poll(db: sqlite3.Connection) -> None:
    assert offices.known_offices(db) == []
    lived_in(db)
    assert offices.known_offices(db) == [OFFICE]
