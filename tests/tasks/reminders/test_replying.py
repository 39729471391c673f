"""Replies of citizens over the real store: what they lead to, and what is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, PHONE, SOURCE, FakeSource, appointment, key
from tests.rigs.replies import LEXICON
from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import Channel, IncomingReply, MessageKind, ReplyKind
from vetlla.domain.outbox import MessageKey, MessageReason, PlannedMessage
from vetlla.service.reminders.cancelling import CancelRules
from vetlla.service.reminders.decision import Away
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.steps import RulesBook
from vetlla.service.reminders.texts.messages import Messages
from vetlla.service.reminders.tokens import token
from vetlla.store.reminders import appointments, cancellations, citizens, outbox, replies
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders import cancelling, polling
from vetlla.tasks.reminders.replying import (
    ANSWERS_AN_HOUR,
    NOTED_AFTER,
    ReplyRules,
    answer_cancellations,
    handle_replies,
)
from vetlla.tasks.reminders.texts import load_offices, load_texts
from vetlla.tasks.reminders.wording import Wording

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.domain.appointments import AppointmentKey
    from vetlla.store.reminders.cancellations import CancellationState

OTHER = "+34600000002"
SECRET = b"secret of the tests"
OFFICE = next(iter(load_offices().offices))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Desk:
    """The service with its store, an office's source, and a citizen who writes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.now = NOW
        self.source = FakeSource()
        self._numbers = count(1)
        messages = Messages(catalogue=load_texts(), directory=load_offices())
        wording = Wording(messages, RulesBook(), SECRET, {}, "ca")
        self.rules = ReplyRules(lexicon=LEXICON, secret=SECRET, wording=wording.of_answer)

    def book(self, *names: str, **changes: object) -> None:
        for days, name in enumerate(names, 1):
            self.source.put(appointment(name, NOW + days * DAY, office=OFFICE, **changes))
        poll = replace(self.source.poll(self.now), office=OFFICE)
        polling.apply_poll(self.db, SOURCE, poll, RulesBook(), self.now)

    def says(
        self,
        text: str,
        *,
        phone: str = PHONE,
        channel: Channel = Channel.SMS,
        kind: ReplyKind = ReplyKind.TEXT,
        payload: str = "",
    ) -> list[str]:
        """Send a reply, handle it, and return the texts that are answered."""
        reply = IncomingReply(
            provider_id=f"in-{next(self._numbers)}",
            channel=channel,
            at=self.now,
            kind=kind,
            phone=phone,
            text=text,
            payload=payload,
        )
        with atomic(self.db):
            assert replies.keep_reply(self.db, reply, self.now)
        before = self.last
        handle_replies(self.db, self.rules, self.now)
        return self.answers(before)

    @property
    def last(self) -> int:
        return int(self.db.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0])

    def answers(self, after: int) -> list[str]:
        rows = self.db.execute("SELECT text FROM outbox WHERE kind = 'answer' AND id > ? ORDER BY id", (after,))
        return [row["text"] for row in rows]

    def cancel_at_source(self, *, is_away: bool = False) -> list[str]:
        """Carry out what citizens cancelled; return the answers."""
        before = self.last
        for wanted in cancellations.due_cancellations(self.db, self.now):
            fresh = Away.AWAY if is_away else self.source.get(wanted.appointment)
            begun = cancelling.begin(self.db, wanted, fresh, CancelRules(), self.now)
            if begun.call is not None:
                cancelling.end(self.db, begun.call, self.source.cancel(wanted.appointment), self.now)
        answer_cancellations(self.db, self.rules, self.now)
        return self.answers(before)

    def inbox(self) -> list[str]:
        return [entry.reply.reply.text for entry in replies.inbox(self.db)]

    def state(self, name: str) -> CancellationState | None:
        found = cancellations.cancellation(self.db, key(name), self._start(key(name)))
        return None if found is None else found.state

    def _start(self, wanted: AppointmentKey) -> datetime:
        kept = appointments.kept(self.db, wanted)
        assert kept is not None
        return kept.appointment.start

    def is_confirmed(self, name: str) -> bool:
        kept = appointments.kept(self.db, key(name))
        return kept is not None and kept.is_confirmed


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path, ManualClock(NOW)) as db:
        yield Desk(db)


def test_a_confirmation_is_kept_and_answered_once(desk: Desk) -> None:
    desk.book("a")
    (answer,) = desk.says("Sí, gràcies")
    assert desk.is_confirmed("a")
    assert "Us esperem" in answer
    assert handle_replies(desk.db, desk.rules, desk.now) == []


def test_a_cancellation_is_answered_when_the_source_has_done_it(desk: Desk) -> None:
    desk.book("a")
    assert desk.says("ANUL·LAR") == []
    (answer,) = desk.cancel_at_source()
    assert desk.source.cancelled == [key("a")]
    assert "Hem anul·lat la cita" in answer
    assert desk.cancel_at_source() == []
    assert desk.source.cancelled == [key("a")]


def test_a_cancelled_appointment_is_not_confirmed_again(desk: Desk) -> None:
    desk.book("a")
    desk.says("anul·lar")
    (answer,) = desk.says("sí")
    assert not desk.is_confirmed("a")
    assert "Us esperem" not in answer


def test_a_source_that_is_away_is_noted_and_the_outcome_follows(desk: Desk) -> None:
    desk.book("a")
    desk.says("cancelar")
    assert desk.cancel_at_source(is_away=True) == []
    desk.now += NOTED_AFTER
    (noted,) = desk.cancel_at_source(is_away=True)
    desk.now += 20 * MINUTE
    (done,) = desk.cancel_at_source()
    assert noted != done
    assert desk.source.cancelled == [key("a")]


def test_with_two_appointments_the_number_of_the_list_is_cancelled(desk: Desk) -> None:
    desk.book("a", "b")
    (question,) = desk.says("anul·lar")
    assert "1" in question
    assert "2" in question
    assert desk.says("2") == []
    desk.cancel_at_source()
    assert desk.source.cancelled == [key("b")]


def button(desk: Desk, intent: Intent) -> str:
    """Return the payload of a button under a reminder of appointment b, in Catalan."""
    start = desk.now + 2 * DAY
    plan = PlannedMessage(
        key=MessageKey(key("b"), start, "24h"),
        kind=MessageKind.REMINDER,
        office=OFFICE,
        due=desk.now,
        useful_until=start,
        phone=PHONE,
        language="ca",
    )
    with atomic(desk.db):
        outbox.plan(desk.db, [plan], desk.now)
    return token(SECRET, desk.db.execute("SELECT reference FROM outbox").fetchone()[0], intent)


def test_the_button_of_a_message_names_its_appointment(desk: Desk) -> None:
    desk.book("a", "b")
    payload = button(desk, Intent.CANCEL)
    desk.says("Anul·lar la cita", channel=Channel.WHATSAPP, kind=ReplyKind.BUTTON, payload=payload)
    desk.cancel_at_source()
    assert desk.source.cancelled == [key("b")]


def test_the_button_of_the_other_language_changes_the_language(desk: Desk) -> None:
    desk.book("a", "b")
    payload = button(desk, Intent.LANGUAGE)
    (answer,) = desk.says("En castellano", channel=Channel.WHATSAPP, kind=ReplyKind.BUTTON, payload=payload)
    person = citizens.citizen_id(desk.db, PHONE, "", desk.now)
    assert person is not None
    assert citizens.citizen(desk.db, person).language == "es"
    assert "castellano" in answer


def test_a_forged_button_cancels_nothing_by_itself(desk: Desk) -> None:
    desk.book("a", "b")
    forged = "v1.X.0123456789abcdef01234567." + "0" * 32
    desk.says("", channel=Channel.WHATSAPP, kind=ReplyKind.BUTTON, payload=forged)
    assert (desk.state("a"), desk.state("b")) == (None, None)


def test_what_is_not_understood_goes_to_the_inbox_of_a_person(desk: Desk) -> None:
    desk.book("a")
    assert desk.says("Quina documentació he de portar?") == []
    assert desk.inbox() == ["Quina documentació he de portar?"]


def test_a_voice_message_is_answered_and_read_by_a_person(desk: Desk) -> None:
    desk.book("a")
    (answer,) = desk.says("", channel=Channel.WHATSAPP, kind=ReplyKind.OTHER)
    assert answer
    assert desk.inbox() == [""]


def test_an_unknown_sender_gets_one_answer_a_day_without_personal_data(desk: Desk) -> None:
    desk.book("a")
    (answer,) = desk.says("anul·lar", phone=OTHER)
    assert desk.state("a") is None
    assert PHONE not in answer
    assert desk.says("anul·lar", phone=OTHER) == []
    outcomes = [row["outcome"] for row in desk.db.execute("SELECT outcome FROM replies")]
    assert outcomes == ["unknown_sender"] * 2  # the report counts them apart from those that are not understood
    desk.now += DAY + MINUTE
    assert len(desk.says("anul·lar", phone=OTHER)) == 1


def test_no_person_gets_more_than_three_automatic_answers_an_hour(desk: Desk) -> None:
    desk.book("a")
    answers = [len(desk.says("ajuda")) for _ in range(ANSWERS_AN_HOUR + 2)]
    assert answers == [1] * ANSWERS_AN_HOUR + [0, 0]
    desk.now += timedelta(hours=1)
    assert len(desk.says("ajuda")) == 1


def test_opting_out_and_in_again(desk: Desk) -> None:
    desk.book("a")
    desk.says("BAIXA")
    person = citizens.citizen_id(desk.db, PHONE, "", desk.now)
    assert person is not None
    assert citizens.citizen(desk.db, person).opted_out == frozenset(Channel)
    desk.says("ALTA")
    assert citizens.citizen(desk.db, person).opted_out == frozenset()


def test_an_opt_in_brings_back_the_reminders_that_the_opt_out_stopped_and_that_are_still_of_use(desk: Desk) -> None:
    desk.book("a", "b")
    desk.says("BAIXA")
    for name, hours in (("a", 1), ("b", 30)):
        useful = desk.now + timedelta(hours=hours)
        plan = PlannedMessage(
            key=MessageKey(key(name), useful, "24h"),
            kind=MessageKind.REMINDER,
            office=OFFICE,
            due=desk.now,
            useful_until=useful,
            phone=PHONE,
        )
        with atomic(desk.db):
            outbox.plan(desk.db, [plan], desk.now)
    with atomic(desk.db):
        for one in outbox.claim(desk.db, "a", desk.now, desk.now + MINUTE, 10):
            if one.plan.kind is MessageKind.REMINDER:
                outbox.suppress(desk.db, one, MessageReason.OPTED_OUT)
    desk.now += timedelta(hours=2)
    desk.says("ALTA")
    rows = desk.db.execute("SELECT appointment, state FROM outbox WHERE kind = 'reminder' ORDER BY id")
    assert [tuple(row) for row in rows] == [("a", "suppressed"), ("b", "planned")]


def test_the_language_of_the_reply_is_remembered_and_answered_in(desk: Desk) -> None:
    desk.book("a")
    (answer,) = desk.says("Vale, gracias")
    assert answer.startswith("Gracias")
    person = citizens.citizen_id(desk.db, PHONE, "", desk.now)
    assert person is not None
    assert citizens.citizen(desk.db, person).language == "es"


def test_a_late_reply_asks_nothing_of_the_source(desk: Desk) -> None:
    desk.book("a")
    desk.now += DAY + timedelta(hours=1)
    assert len(desk.says("anul·lar")) == 1
    assert desk.state("a") is None


def test_an_appointment_that_has_begun_is_not_cancelled(desk: Desk) -> None:
    desk.book("a")
    desk.says("anul·lar")
    desk.source.put(appointment("a", NOW + DAY, office=OFFICE, status=AppointmentStatus.ARRIVED))
    assert len(desk.cancel_at_source()) == 1
    assert desk.source.cancelled == []


def test_a_moved_appointment_is_asked_about_again(desk: Desk) -> None:
    desk.book("a")
    desk.says("anul·lar")
    desk.source.put(appointment("a", NOW + 3 * DAY, office=OFFICE))
    assert desk.cancel_at_source() == []
    desk.book()
    (asked,) = desk.cancel_at_source()
    assert asked
    assert desk.source.cancelled == []
    desk.says("anul·lar")
    desk.cancel_at_source()
    assert desk.source.cancelled == [key("a")]


def test_a_cancellation_that_met_a_move_is_answered_once(desk: Desk) -> None:
    """The appointment moves again after the answer: the notice of the move tells it, and not a second answer."""
    desk.book("a")
    desk.says("anul·lar")
    desk.source.put(appointment("a", NOW + 3 * DAY, office=OFFICE))
    desk.book()
    assert len(desk.cancel_at_source()) == 1
    desk.source.put(appointment("a", NOW + 4 * DAY, office=OFFICE))
    desk.book()
    assert desk.cancel_at_source() == []
