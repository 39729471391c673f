"""The passes of the reminder service: from a poll to a cancelled appointment, and what a stop in a call leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.reminder_systems import Gateway, Source
from tests.rigs.reminders import NOW, PHONE, SOURCE, TABLES, appointment, key
from tests.rigs.replies import LEXICON
from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import Channel, IncomingReply, MessageState
from vetlla.domain.outbox import MessageReason
from vetlla.gateways.contracts import OutcomeUnknownError
from vetlla.service.reminders.steps import RulesBook
from vetlla.service.reminders.texts.messages import Messages
from vetlla.store.reminders import backlog, cancellations, channels, messages, offices, replies
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.replying import ReplyRules
from vetlla.tasks.reminders.rules import SendRules
from vetlla.tasks.reminders.texts import load_offices, load_texts
from vetlla.tasks.reminders.wording import Wording
from vetlla.worker.reminders import passes
from vetlla.worker.reminders.passes import Office, Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.domain.messages import Accepted, Outgoing
    from vetlla.tasks.reminders.sending import Rendered, WantedMessage


OFFICE = next(iter(load_offices().offices))
SECRET = b"secret of the tests"
DAY = timedelta(days=1)


class World:
    """The service between one office and two providers."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW)
        self.source = Source()
        self.whatsapp, self.sms = Gateway(Channel.WHATSAPP), Gateway(Channel.SMS)
        self._opened = opened(folder, self.clock)
        book = RulesBook()
        wording = Wording(Messages(catalogue=load_texts(), directory=load_offices()), book, SECRET, {}, "ca")
        self.service = Service(
            db=self._opened.__enter__(),
            clock=self.clock,
            sources={SOURCE: self.source},
            gateways={Channel.WHATSAPP: self.whatsapp, Channel.SMS: self.sms},
            offices=[Office(source=SOURCE, id=OFFICE)],
            sending=SendRules(tables=TABLES, book=book),
            replying=ReplyRules(lexicon=LEXICON, secret=SECRET, wording=wording.of_answer),
            wording=wording,
            name="test",
        )

    def close(self) -> None:
        self._opened.__exit__(None, None, None)

    def book(self, name: str, **changes: object) -> None:
        self.source.office.put(appointment(name, NOW + 2 * DAY, office=OFFICE, **changes))

    def run(self, **after: float) -> int:
        self.clock.advance(timedelta(**after).total_seconds())
        return asyncio.run(self.passes())

    async def passes(self) -> int:
        for office in self.service.offices:
            await passes.poll(self.service, office)
        passes.reply(self.service)
        await passes.cancel(self.service)
        passes.plan(self.service)
        return await passes.dispatch(self.service)

    def says(self, text: str) -> None:
        reply = IncomingReply(provider_id=text, channel=Channel.SMS, at=self.service.now(), phone=PHONE, text=text)
        with atomic(self.service.db):
            replies.keep_reply(self.service.db, reply, self.service.now())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_an_appointment_is_reminded_of_once_and_cancelled_by_a_reply(world: World) -> None:
    world.book("a")
    assert [world.run(), world.run(days=1), world.run(minutes=1)] == [0, 1, 0]
    assert [one.phone for one in world.whatsapp.sent] == [PHONE]
    world.says("ANUL·LAR")
    assert world.run(minutes=1) == 1
    assert world.source.office.cancelled == [key("a")]
    (answer,) = world.sms.sent
    assert answer.text.startswith("Hem anul·lat la cita")
    assert world.run(minutes=5) == 0


def test_a_source_that_is_away_stops_reminders_and_shows_its_fault(world: World) -> None:
    world.book("a")
    world.run()
    world.source.is_away = True
    assert world.run(days=1) == 0
    polls = offices.polls_of(world.service.db, SOURCE, OFFICE)
    assert polls is not None
    world.source.is_away = False
    assert world.run(minutes=10) == 1


def test_an_appointment_that_was_cancelled_meanwhile_is_not_reminded_of(world: World) -> None:
    world.book("a")
    world.run()
    world.clock.advance(DAY.total_seconds())
    assert passes.plan(world.service) == 1
    world.source.office.put(replace(world.source.office.appointments[key("a")], status=AppointmentStatus.CANCELLED))
    asyncio.run(passes.dispatch(world.service))
    assert (world.whatsapp.sent, world.sms.sent) == ([], [])


def test_an_empty_poll_is_checked_one_by_one_before_it_cancels(world: World) -> None:
    world.book("a")
    world.run()
    held = world.source.office.appointments.pop(key("a"))
    found = asyncio.run(passes.poll(world.service, world.service.offices[0]))
    assert found is not None
    assert found.to_check == (key("a"),)
    world.source.office.put(held)
    assert world.run(days=1) == 1


@pytest.mark.parametrize("fault", [OutcomeUnknownError("no answer"), asyncio.CancelledError()])
def test_a_call_without_an_outcome_is_not_repeated_by_whatsapp(world: World, fault: BaseException) -> None:
    world.book("a")
    world.run()
    world.whatsapp.fault = fault
    world.clock.advance(DAY.total_seconds())
    passes.plan(world.service)
    try:
        asyncio.run(passes.dispatch(world.service))
    except asyncio.CancelledError:
        assert isinstance(fault, asyncio.CancelledError)
    assert messages.message(world.service.db, 1).state is MessageState.UNKNOWN
    world.whatsapp.fault = None
    assert world.run(minutes=11) == 1
    assert (len(world.whatsapp.sent), len(world.sms.sent)) == (0, 1)


def test_a_message_that_the_program_cannot_make_does_not_stop_the_others(world: World) -> None:
    world.book("a")
    world.book("b", phone="+34600000002")
    world.run()
    made = world.service.wording.of_message

    class Wording:
        def of_message(self, wanted: WantedMessage) -> Rendered:
            if wanted.message.plan.key.appointment == key("a"):
                raise ZeroDivisionError
            return made(wanted)

    broken = replace(world.service, wording=Wording())  # type: ignore[arg-type] # only what the pass asks
    world.clock.advance(DAY.total_seconds())
    passes.plan(broken)
    asyncio.run(passes.dispatch(broken))
    assert [one.phone for one in world.whatsapp.sent] == ["+34600000002"]
    waiting = messages.message(world.service.db, 1)
    assert (waiting.state, waiting.reason) == (MessageState.PLANNED, MessageReason.FAULT)
    assert world.run(minutes=6) == 1


def test_a_reply_that_the_program_cannot_handle_comes_before_a_person(world: World) -> None:
    world.book("a")
    assert [world.run(), world.run(days=1)] == [0, 1]

    def broken(_: object) -> str | None:
        raise ZeroDivisionError

    world.says("SÍ")
    rules = replace(world.service.replying, wording=broken)
    assert passes.reply(replace(world.service, replying=rules)) == 0
    (entry,) = replies.inbox(world.service.db)
    assert entry.why == "a fault of the program"
    assert passes.reply(world.service) == 0


# --- stops and faults of the systems around --------------------------------------------------------------------------


def booked(world: World, count: int) -> None:
    """Let the reminders of some citizens be due."""
    for number in range(count):
        world.book(f"a{number}", phone=f"+346000000{number:02}")
    world.run()
    world.clock.advance(DAY.total_seconds())
    passes.plan(world.service)


def states(world: World) -> Counter[str]:
    rows = world.service.db.execute("SELECT state FROM outbox").fetchall()
    return Counter(state for (state,) in rows)


def test_a_stop_takes_no_further_batch_and_blames_no_provider(world: World) -> None:
    booked(world, 30)
    stopping = replace(world.service, is_stopping=lambda: len(world.whatsapp.sent) >= 5)
    asyncio.run(passes.dispatch(stopping))
    assert states(world) == {"accepted": 5, "planned": 25}
    assert channels.circuit(world.service.db, Channel.WHATSAPP)[0] == 0
    assert world.run(seconds=1) == 25


def test_one_outcome_that_cannot_be_kept_disturbs_no_other_call(world: World) -> None:
    booked(world, 10)
    send = world.whatsapp.send

    async def sent(message: Outgoing) -> Accepted:
        found = await send(message)
        if len(world.whatsapp.sent) == 3:
            found = found._replace(provider_id=object())  # type: ignore[arg-type] # what the database refuses
        await asyncio.sleep(0)
        return found

    world.whatsapp.send = sent  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        asyncio.run(passes.dispatch(world.service))
    assert states(world)["accepted"] == 9


def test_a_source_that_does_not_answer_is_asked_once_for_many_cancellations(world: World) -> None:
    booked(world, 5)
    asyncio.run(passes.dispatch(world.service))
    with atomic(world.service.db):
        for number in range(5):
            cancellations.want_cancelled(world.service.db, key(f"a{number}"), NOW + 2 * DAY, None, world.service.now())
    world.source.is_away = True
    asked = len(world.source.asked)
    asyncio.run(passes.cancel(world.service))
    assert len(world.source.asked) == asked + 1


def test_a_citizen_hears_of_a_cancellation_that_the_source_forgot(world: World) -> None:
    world.book("a")
    assert [world.run(), world.run(days=1)] == [0, 1]
    del world.source.office.appointments[key("a")]
    assert world.run(minutes=5) == 1
    (notice,) = [*world.whatsapp.sent[1:], *world.sms.sent]
    assert "s'ha anul·lat" in notice.text
    assert states(world) == {"accepted": 2}


def test_a_message_without_a_text_is_told(world: World) -> None:
    world.source.office.put(appointment("a", NOW + 2 * DAY, office="nowhere"))
    strange = replace(world.service, offices=[Office(source=SOURCE, id="nowhere")])
    asyncio.run(passes.poll(strange, strange.offices[0]))
    world.clock.advance(DAY.total_seconds())
    passes.plan(strange)
    with capture_logs() as logged:
        asyncio.run(passes.dispatch(strange))
    assert [one["event"] for one in logged] == ["reminders.no_text"]
    assert backlog.without_text(world.service.db).number == 1


def test_a_reply_that_was_written_before_the_citizen_was_told_cancels_nothing(world: World) -> None:
    world.book("a")
    assert [world.run(), world.run(days=1)] == [0, 1]
    old = IncomingReply(provider_id="old", channel=Channel.SMS, at=NOW - DAY, phone=PHONE, text="anul·la")
    with atomic(world.service.db):
        replies.keep_reply(world.service.db, old, world.service.now())
    world.run(minutes=1)
    assert world.source.office.cancelled == []
    assert world.sms.sent[-1].text.startswith("No sabem si us hem")


def test_one_word_does_not_change_the_language_and_the_appointment_s_counts(world: World) -> None:
    world.book("a", language="es")
    assert [world.run(), world.run(days=1)] == [0, 1]
    world.says("SI")
    world.run(minutes=1)
    assert world.sms.sent[-1].text.startswith("Gracias")
