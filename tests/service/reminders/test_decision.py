"""It is decided again at the moment of sending: everything that speaks against a message stops it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.rigs.reminders import NOW, PHONE, ZONE, appointment
from vetlla.domain.appointments import Appointment, AppointmentStatus
from vetlla.domain.messages import Channel, MessageKind
from vetlla.domain.outbox import MessageKey, MessageReason, PlannedMessage
from vetlla.service.reminders.decision import (
    AGAIN,
    Away,
    Circumstances,
    Decision,
    Policy,
    Reschedule,
    Send,
    Suppress,
    decide,
)
from vetlla.service.reminders.quiet import NEVER_QUIET, moment_of
from vetlla.service.reminders.steps import Step, StepRules

HERE = Circumstances(phone=PHONE, has_consent=True)
RULES = StepRules(steps=(Step("24h", timedelta(hours=24), only_unconfirmed=True),))
START = NOW + timedelta(days=1)
NIGHT = moment_of(datetime(2026, 11, 23, 22, 0), ZONE)  # noqa: DTZ001 - the wall clock's


def message(kind: MessageKind = MessageKind.REMINDER, start: datetime = START, **changes: object) -> PlannedMessage:
    values: dict[str, object] = {
        "key": MessageKey(appointment().key, start, "24h"),
        "kind": kind,
        "office": "46",
        "due": NOW,
        "useful_until": start - timedelta(minutes=30),
        "phone": PHONE,
    }
    return PlannedMessage(**(values | changes))  # type: ignore[arg-type]


def decided(
    one: PlannedMessage | None = None,
    fresh: Appointment | Away | None = appointment(start=START),  # noqa: B008 - frozen
    here: Circumstances = HERE,
    *,
    now: datetime = NOW,
    rules: StepRules = RULES,
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> Decision:
    return decide(one or message(), fresh, here, now, rules=rules, policy=policy)


def having(**changes: object) -> Circumstances:
    return Circumstances(**({"phone": PHONE, "has_consent": True} | changes))  # type: ignore[arg-type]


def test_a_reminder_goes_by_whatsapp_if_nothing_speaks_against_it() -> None:
    assert decided() == Send(Channel.WHATSAPP)


@pytest.mark.parametrize(
    ("fresh", "reason"),
    [
        (None, MessageReason.CANCELLED),
        (appointment(start=START, status=AppointmentStatus.CANCELLED), MessageReason.CANCELLED),
        (appointment(start=START + timedelta(hours=1)), MessageReason.MOVED),
        (appointment(start=START, status=AppointmentStatus.ARRIVED), MessageReason.BEGUN),
        (appointment(start=START, status=AppointmentStatus.COMPLETE), MessageReason.BEGUN),
        (appointment(start=START, status=AppointmentStatus.NO_SHOW), MessageReason.NOT_EXPECTED),
        (appointment(start=START, status=AppointmentStatus.RESERVED), MessageReason.NOT_EXPECTED),
        (appointment(start=START, status=AppointmentStatus.UNKNOWN), MessageReason.NOT_EXPECTED),
    ],
)
def test_a_reminder_of_an_appointment_that_changed_is_not_sent(
    fresh: Appointment | None, reason: MessageReason
) -> None:
    assert decided(fresh=fresh) == Suppress(reason)


@pytest.mark.parametrize(
    ("here", "reason"),
    [
        (having(phone=""), MessageReason.NO_PHONE),
        (having(phone="+34973000001"), MessageReason.LANDLINE),
        (having(is_dead=True), MessageReason.LANDLINE),
        (having(opted_out=frozenset(Channel)), MessageReason.OPTED_OUT),
        (having(is_confirmed=True), MessageReason.CONFIRMED),
        (having(is_cancelling=True), MessageReason.CANCELLED),
        (having(is_held_back=True), MessageReason.HELD_BACK),
        (having(is_delivered=True), MessageReason.DELIVERED),
    ],
)
def test_a_reminder_that_its_citizen_must_not_get_is_not_sent(here: Circumstances, reason: MessageReason) -> None:
    assert decided(here=here) == Suppress(reason)


def test_a_reminder_past_its_use_is_not_sent() -> None:
    late = START - timedelta(minutes=30)
    assert decided(now=late) == Suppress(MessageReason.TOO_LATE)
    assert decided(message(useful_until=START + timedelta(days=1)), now=START) == Suppress(MessageReason.PAST)


def test_a_source_that_does_not_answer_is_asked_again_and_nothing_is_sent_blindly() -> None:
    assert decided(fresh=Away.AWAY) == Reschedule(NOW + AGAIN, MessageReason.SOURCE_AWAY)
    end = message().useful_until
    assert decided(fresh=Away.AWAY, now=end - timedelta(seconds=1)) == Reschedule(end, MessageReason.SOURCE_AWAY)


def test_a_paused_office_sends_nothing_until_the_pause_ends() -> None:
    until = NOW + timedelta(hours=3)
    assert decided(here=having(paused=True, paused_until=until)) == Reschedule(until, MessageReason.PAUSED)
    assert decided(here=having(paused=True)) == Reschedule(NOW + AGAIN, MessageReason.PAUSED)


def test_a_doubted_office_waits_while_there_is_time_and_then_trusts_the_fresh_answer() -> None:
    assert decided(here=having(doubted=True)) == Reschedule(NOW + AGAIN, MessageReason.DOUBTED)
    almost = message().useful_until - timedelta(minutes=1)
    assert decided(here=having(doubted=True), now=almost, rules=StepRules(quiet=NEVER_QUIET)) == Send(Channel.WHATSAPP)


def test_a_reminder_that_missed_the_evening_waits_for_the_morning_if_it_is_still_of_use_then() -> None:
    afternoon = moment_of(datetime(2026, 11, 24, 16, 0), ZONE)  # noqa: DTZ001
    one = message(start=afternoon)
    assert decided(one, appointment(start=afternoon), now=NIGHT) == Reschedule(
        moment_of(datetime(2026, 11, 24, 9, 0), ZONE),  # noqa: DTZ001
        MessageReason.QUIET_HOURS,
    )


def test_a_reminder_that_would_be_of_no_use_in_the_morning_does_not_wake_its_citizen() -> None:
    early = moment_of(datetime(2026, 11, 24, 9, 10), ZONE)  # noqa: DTZ001
    assert decided(message(start=early), appointment(start=early), now=NIGHT) == Suppress(MessageReason.QUIET_HOURS)


def test_a_notice_that_the_place_is_gone_is_sent_at_night_before_an_early_appointment() -> None:
    early = moment_of(datetime(2026, 11, 24, 8, 30), ZONE)  # noqa: DTZ001
    gone = appointment(start=early, status=AppointmentStatus.CANCELLED)
    one = message(MessageKind.CANCELLED, early, useful_until=early)
    assert decided(one, gone, now=NIGHT) == Send(Channel.WHATSAPP)


def test_a_notice_about_a_place_that_is_gone_waits_for_the_morning_too() -> None:
    afternoon = moment_of(datetime(2026, 11, 24, 16, 0), ZONE)  # noqa: DTZ001
    one = message(MessageKind.CANCELLED, afternoon, useful_until=afternoon)
    assert isinstance(decided(one, None, now=NIGHT), Reschedule)


def test_an_answer_to_an_sms_does_not_start_whatsapp_without_consent() -> None:
    one = message(MessageKind.ANSWER, as_template=False)
    assert decided(one, None, having(has_consent=False)) == Send(Channel.SMS)


def test_a_notice_of_cancellation_is_sent_only_if_the_source_says_so_again() -> None:
    one = message(MessageKind.CANCELLED)
    assert decided(one) == Suppress(MessageReason.NOT_CANCELLED)
    assert decided(one, None) == Send(Channel.WHATSAPP)


def test_who_opted_out_still_hears_that_the_office_cancelled_unless_the_city_decides_otherwise() -> None:
    one, here = message(MessageKind.CANCELLED), having(opted_out=frozenset(Channel))
    assert decided(one, None, here) == Send(Channel.WHATSAPP)
    assert decided(one, None, here, policy=Policy(cancellation_despite_opt_out=False)) == Suppress(
        MessageReason.OPTED_OUT
    )


def test_an_opt_out_of_one_channel_leaves_the_other() -> None:
    assert decided(here=having(opted_out=frozenset({Channel.WHATSAPP}))) == Send(Channel.SMS)


def test_without_consent_a_reminder_goes_by_sms() -> None:
    assert decided(here=having(has_consent=False)) == Send(Channel.SMS)
    only = Policy(channels=(Channel.WHATSAPP,))
    assert decided(here=having(has_consent=False), policy=only) == Suppress(MessageReason.NO_CHANNEL)
    assert decided(here=having(has_consent=False), policy=Policy(whatsapp_needs_consent=False)) == Send(
        Channel.WHATSAPP
    )


def test_a_person_without_whatsapp_gets_sms_for_thirty_days() -> None:
    assert decided(here=having(no_whatsapp_until=NOW + timedelta(days=1))) == Send(Channel.SMS)
    assert decided(here=having(no_whatsapp_until=NOW)) == Send(Channel.WHATSAPP)


def test_an_open_circuit_sends_by_sms_at_once() -> None:
    assert decided(here=having(closed=frozenset({Channel.WHATSAPP}))) == Send(Channel.SMS)
    assert decided(here=having(closed=frozenset(Channel))) == Reschedule(NOW + AGAIN, MessageReason.CHANNEL_CLOSED)


def test_a_fallback_uses_only_its_own_channel() -> None:
    assert decided(message(channel=Channel.SMS)) == Send(Channel.SMS)


def test_a_second_message_to_one_person_waits_some_seconds_and_does_not_turn_into_sms() -> None:
    soon = NOW + timedelta(seconds=4)
    assert decided(here=having(wait_until={Channel.WHATSAPP: soon})) == Reschedule(soon, MessageReason.RATE)


def test_without_a_place_in_the_budget_a_message_waits_and_then_goes_by_sms() -> None:
    here = having(has_budget=False)
    assert decided(here=here) == Reschedule(NOW + AGAIN, MessageReason.BUDGET)
    assert decided(here=here, now=NOW + timedelta(hours=2)) == Send(Channel.SMS)


def test_an_answer_to_a_citizen_needs_no_consent_and_no_appointment_and_no_daylight() -> None:
    one = message(MessageKind.ANSWER, as_template=False, channel=Channel.WHATSAPP)
    assert decided(one, Away.AWAY, having(has_consent=False, opted_out=frozenset(Channel)), now=NIGHT) == Send(
        Channel.WHATSAPP
    )


def test_a_person_whose_number_is_hidden_gets_answers_by_whatsapp_and_no_sms() -> None:
    one = message(MessageKind.ANSWER, phone="", person="ES.1349", channel=Channel.WHATSAPP)
    assert decided(one, None, having(phone="", person="ES.1349")) == Send(Channel.WHATSAPP)
    assert decided(message(), here=having(phone="", person="ES.1349")) == Suppress(MessageReason.NO_PHONE)
