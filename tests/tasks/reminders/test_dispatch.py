"""A message from the poll to its end, and each fault on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, PHONE, appointment, key, render
from tests.tasks.reminders.machine import SEND, Kill, World
from vetlla.domain.messages import Channel, Delivery, DeliveryReport, MessageState
from vetlla.domain.outbox import MessageReason
from vetlla.service.reminders.circuit import FAILURES
from vetlla.store.reminders import channels, citizens, messages, offices
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders import outcomes, sending
from vetlla.tasks.reminders.sending import NoTextError

if TYPE_CHECKING:
    from pathlib import Path


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def states(world: World) -> list[tuple[int, MessageState, str]]:
    found = messages.attempts(world.db, messages.message(world.db, 1).plan.key)
    return [(one.plan.key.attempt, one.state, one.reason) for one in found]


def by(world: World) -> list[Channel]:
    return [sent.channel for sent in world.provider.sends]


def test_a_reminder_is_sent_and_delivered(world: World) -> None:
    world.sent(world.taken())
    assert states(world) == [(1, MessageState.ACCEPTED, "")]
    for delivery in (Delivery.READ, Delivery.DELIVERED, Delivery.READ):
        world.report(0, delivery)
    assert states(world) == [(1, MessageState.READ, "")]
    (sent,) = world.provider.sends
    assert (sent.outgoing.phone, sent.outgoing.useful_s) == (PHONE, 4 * 3600)
    world.now += 30 * HOUR
    world.sweep()
    assert states(world) == [(1, MessageState.READ, "")]


@pytest.mark.parametrize("kill", [Kill.BEFORE_CALL, Kill.AFTER_CALL, Kill.IN_OUTCOME])
def test_after_a_crash_around_the_call_there_is_no_second_whatsapp_and_one_sms(world: World, kill: Kill) -> None:
    world.sent(world.taken(), kill=kill)
    was_sent = by(world)
    for _ in range(4):
        world.now += 4 * MINUTE
        world.sweep()
        world.plan()
        world.sent(world.taken())
    assert by(world) == [*was_sent, Channel.SMS]
    assert states(world)[0] == (1, MessageState.FAILED, MessageReason.UNKNOWN_OUTCOME)


def test_a_crash_before_sending_was_committed_loses_nothing(world: World) -> None:
    world.sent(world.taken(), kill=Kill.BEFORE_SENDING)
    world.now += 3 * MINUTE
    world.sweep()
    world.sent(world.taken())
    assert by(world) == [Channel.WHATSAPP]


def test_a_report_in_the_time_of_grace_tells_the_outcome_and_no_sms_follows(world: World) -> None:
    world.sent(world.taken(), ["lost"])
    assert states(world) == [(1, MessageState.UNKNOWN, "")]
    world.report(1, Delivery.DELIVERED)  # an odd number: with our reference
    world.now += 20 * MINUTE
    world.sweep()
    assert states(world) == [(1, MessageState.DELIVERED, "")]


def test_a_delivery_that_is_reported_late_stops_the_sms_that_is_not_sent_yet(world: World) -> None:
    world.sent(world.taken(), ["lost"])
    world.now += 11 * MINUTE
    world.sweep()
    world.report(1, Delivery.DELIVERED)
    world.sent(world.taken())
    assert by(world) == [Channel.WHATSAPP]
    assert states(world)[1] == (2, MessageState.SUPPRESSED, MessageReason.DELIVERED)


def test_a_report_before_the_answer_to_our_call_is_not_lost(world: World) -> None:
    ready = sending.settle(world.db, [(one, world.source.get(key())) for one in world.taken()], SEND, world.now, render)
    result = world.provider.call(ready[0], world.now)
    report = DeliveryReport(provider_id="id-0", delivery=Delivery.DELIVERED, at=world.now)
    outcomes.take_reports(world.db, Channel.WHATSAPP, [report], SEND, world.now)
    outcomes.finish(world.db, [(ready[0], result)], SEND, world.now)
    assert states(world) == [(1, MessageState.DELIVERED, "")]


def test_not_on_whatsapp_falls_back_to_sms_and_the_next_reminder_begins_with_sms(world: World) -> None:
    world.sent(world.taken())
    world.report(0, Delivery.FAILED)
    world.sent(world.taken())
    assert by(world) == [Channel.WHATSAPP, Channel.SMS]
    world.source.put(appointment(2, start=world.now + 24 * HOUR))
    world.poll()
    world.plan()
    world.sent(world.taken())
    assert by(world)[2:] == [Channel.SMS]


def test_the_same_failure_twice_is_one_fallback(world: World) -> None:
    world.sent(world.taken())
    world.report(0, Delivery.FAILED)
    world.report(0, Delivery.FAILED)
    world.sent(world.taken())
    world.report(0, Delivery.FAILED, "131049")
    world.sent(world.taken())
    assert by(world) == [Channel.WHATSAPP, Channel.SMS]


def test_a_telephone_that_is_switched_off_gets_an_sms_after_some_hours(world: World) -> None:
    world.sent(world.taken())
    world.now += 4 * HOUR
    world.sweep()
    world.sent(world.taken())
    assert by(world) == [Channel.WHATSAPP, Channel.SMS]
    assert states(world)[0] == (1, MessageState.EXPIRED, MessageReason.NO_REPORT)
    world.report(0, Delivery.DELIVERED)
    assert states(world)[0][1] is MessageState.DELIVERED


def test_a_refusal_for_now_is_tried_again_as_the_same_attempt(world: World) -> None:
    world.sent(world.taken(), ["refused 130429"])
    world.sent(world.taken())
    assert by(world) == []
    world.now += 10 * timedelta(seconds=1)
    world.sent(world.taken())
    assert states(world) == [(1, MessageState.ACCEPTED, "")]


def test_a_restricted_account_sends_all_by_sms_until_a_person_resumes_it(world: World) -> None:
    world.sent(world.taken(), ["refused 131048"])
    world.sent(world.taken())
    assert by(world) == [Channel.SMS]
    assert channels.circuit(world.db, Channel.WHATSAPP)[2]
    world.kill()
    assert channels.circuit(world.db, Channel.WHATSAPP)[3] == "131048"


def test_a_template_that_is_refused_is_not_used_again(world: World) -> None:
    world.sent(world.taken(), ["refused 132001"])
    assert channels.unusable_templates(world.db) == {("reminder", "ca")}
    world.source.put(appointment(2, start=NOW + 24 * HOUR, phone="+34600000002"))
    world.poll()
    world.plan()
    world.sent(world.taken())
    assert by(world) == [Channel.SMS, Channel.SMS]


def test_a_channel_that_answers_nothing_is_left_alone_after_some_calls(world: World) -> None:
    for n in range(2, FAILURES + 3):
        world.source.put(appointment(n, start=NOW + 24 * HOUR, phone=f"+3460000000{n}"))
    world.poll()
    world.plan()
    world.sent(sending.take(world.db, "a", world.now, limit=FAILURES), ["never"])
    world.sent(world.taken())
    assert set(by(world)) == {Channel.SMS}


def test_two_appointments_of_one_telephone_are_two_messages_some_seconds_apart(world: World) -> None:
    world.source.put(appointment(2, start=NOW + 24 * HOUR + 10 * MINUTE))
    world.poll()
    world.plan()
    world.now += 10 * MINUTE
    world.sent(world.taken())
    assert by(world) == [Channel.WHATSAPP]
    world.now += timedelta(seconds=6)
    world.sent(world.taken())
    assert [(sent.channel, sent.what[1]) for sent in world.provider.sends] == [
        (Channel.WHATSAPP, "1"),
        (Channel.WHATSAPP, "2"),
    ]


def test_only_the_first_of_two_templates_starts_a_conversation(world: World) -> None:
    test_two_appointments_of_one_telephone_are_two_messages_some_seconds_apart(world)
    assert messages.conversations_since(world.db, NOW - HOUR) == 1


def test_the_budget_goes_to_the_nearest_appointments(tmp_path: Path) -> None:
    world = World(tmp_path, NOW)
    for n in (1, 2, 3):
        world.source.put(appointment(n, start=NOW + (24 - n) * HOUR, phone=f"+3460000000{n}"))
    world.poll()
    world.plan()
    rules = replace(SEND, conversations_in_24h=2)
    ready = sending.settle(
        world.db,
        [(one, world.source.get(one.plan.key.appointment)) for one in world.taken()],
        rules,
        world.now,
        render,
    )
    assert [one.message.plan.key.appointment.id for one in ready] == ["3", "2"]
    world.close()


def settled(world: World, limit: int, budget: int) -> list[str]:
    """Settle one batch after the other, as a pass does; return the appointments whose messages are handed over."""
    rules = replace(SEND, conversations_in_24h=budget)
    handed = []
    while taken := sending.take(world.db, "a", world.now, limit=limit):
        pairs = [(one, world.source.get(one.plan.key.appointment)) for one in taken]
        ready = sending.settle(world.db, pairs, rules, world.now, render)
        handed += [one.message.plan.key.appointment.id for one in ready if one.channel is Channel.WHATSAPP]
    return handed


def test_the_budget_goes_to_the_nearest_appointments_over_all_batches(tmp_path: Path) -> None:
    world = World(tmp_path, NOW)
    for n in range(1, 8):
        world.source.put(appointment(n, start=NOW + (24 - n) * HOUR, phone=f"+3460000000{n}"))
    world.poll()
    world.plan()
    assert settled(world, limit=2, budget=3) == ["7", "6", "5"]
    world.close()


def test_a_place_that_becomes_free_goes_to_the_nearest_appointment_that_waits(tmp_path: Path) -> None:
    world = World(tmp_path, NOW)
    for n, before in ((1, -60), (2, -30), (3, 1)):
        world.source.put(appointment(n, start=NOW + 24 * HOUR + before * MINUTE, phone=f"+3460000000{n}"))
    world.poll()
    world.plan()
    assert settled(world, limit=50, budget=1) == ["1"]
    world.now += MINUTE  # 2 waits for a place, and is not looked at before five minutes have passed
    assert settled(world, limit=50, budget=2) == []
    world.now += 5 * MINUTE
    assert settled(world, limit=50, budget=2) == ["2"]
    world.close()


def test_a_reminder_goes_to_the_telephone_that_the_source_has_now(world: World) -> None:
    world.source.put(appointment(start=NOW + 24 * HOUR, phone="+34600000003"))
    world.sent(world.taken())
    assert world.provider.sends[0].outgoing.phone == "+34600000003"
    citizen = citizens.citizen_id(world.db, "+34600000003", "", NOW)
    assert world.db.execute("SELECT citizen FROM outbox").fetchone()[0] == citizen


def test_a_message_without_a_text_waits_for_it(world: World) -> None:
    def no_text(_: object) -> sending.Rendered:
        raise NoTextError

    assert sending.settle(world.db, [(one, world.source.get(key())) for one in world.taken()], SEND, NOW, no_text) == []
    assert states(world) == [(1, MessageState.PLANNED, MessageReason.TEXT)]


def test_an_opt_out_stops_a_message_that_is_planned_already(world: World) -> None:
    taken = world.taken()
    world.opt_out(PHONE)
    world.sent(taken)
    assert by(world) == []


def test_an_office_that_is_paused_sends_nothing(world: World) -> None:
    with atomic(world.db):
        offices.pause(world.db, "46", NOW, NOW + 3 * HOUR, why="avui tanquem", by="marta")
    world.sent(world.taken())
    assert states(world) == [(1, MessageState.PLANNED, MessageReason.PAUSED)]
    world.now += 3 * HOUR
    world.sent(world.taken())
    assert by(world) == [Channel.WHATSAPP]
