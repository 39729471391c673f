"""After a failure the table of codes decides what follows, within the time that is useful."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.rigs.reminders import NOW, PHONE, TABLES, appointment
from vetlla.domain.failures import FailureAction
from vetlla.domain.messages import Channel, MessageKind
from vetlla.domain.outbox import MessageKey, PlannedMessage
from vetlla.service.reminders.fallback import (
    GRACE,
    PATIENCE,
    TRIES,
    Consequence,
    after_failure,
    after_refusal,
    after_silence,
    after_unknown,
    fallback_at,
)

HOUR = timedelta(hours=1)
WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def message(kind: MessageKind = MessageKind.REMINDER, attempt: int = 1, **changes: object) -> PlannedMessage:
    values: dict[str, object] = {
        "key": MessageKey(appointment().key, appointment().start, "24h", attempt),
        "kind": kind,
        "office": "46",
        "due": NOW,
        "useful_until": NOW + 20 * HOUR,
        "phone": PHONE,
    }
    return PlannedMessage(**(values | changes))  # type: ignore[arg-type]


def is_sms(follows: Consequence) -> bool:
    following = follows.next
    return following is not None and following.channel is SMS and following.key.attempt == 2 and following.due == NOW


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("131026", FailureAction.SMS_NO_WHATSAPP),
        ("200", FailureAction.STOP_CHANNEL),
        ("299", FailureAction.STOP_CHANNEL),
        ("300", FailureAction.SMS_ALERT),
        ("HTTP-429", FailureAction.BACK_OFF),
        ("503", FailureAction.SMS_ALERT),
        ("never heard of", FailureAction.SMS_ALERT),
        ("", FailureAction.SMS_ALERT),
    ],
)
def test_a_code_has_the_action_of_its_row_or_its_range(code: str, action: FailureAction) -> None:
    assert TABLES[WHATSAPP].action(code) is action


@pytest.mark.parametrize(
    "action",
    [one for one in FailureAction if "sms" in one or one in {"open_circuit", "stop_channel", "template_unusable"}],
)
def test_sms_follows_at_once_where_the_table_says_so(action: FailureAction) -> None:
    assert is_sms(after_refusal(message(), WHATSAPP, action, 0, NOW))
    assert is_sms(after_failure(message(), WHATSAPP, action, NOW))
    assert after_failure(message(), SMS, action, NOW).next is None


def test_not_on_whatsapp_is_remembered_for_thirty_days() -> None:
    follows = after_failure(message(), WHATSAPP, FailureAction.SMS_NO_WHATSAPP, NOW)
    assert follows.no_whatsapp_until == NOW + timedelta(days=30)


@pytest.mark.parametrize("action", [FailureAction.ALERT, FailureAction.CONFIGURATION])
def test_a_wrong_request_is_not_repeated_and_a_person_looks(action: FailureAction) -> None:
    assert after_refusal(message(), WHATSAPP, action, 0, NOW) == Consequence(is_alert=True)


def test_a_dead_number_and_an_opt_out_at_the_provider_are_remembered() -> None:
    assert after_failure(message(), SMS, FailureAction.DEAD_NUMBER, NOW) == Consequence(is_dead=True)
    assert after_failure(message(), SMS, FailureAction.OPTED_OUT, NOW) == Consequence(opts_out=True)


def test_a_refused_restricted_account_opens_the_circuit_and_alerts() -> None:
    follows = after_refusal(message(), WHATSAPP, FailureAction.OPEN_CIRCUIT, 0, NOW)
    assert follows.opens_circuit
    assert follows.is_alert
    assert after_refusal(message(), WHATSAPP, FailureAction.STOP_CHANNEL, 0, NOW).stops_channel


def test_a_free_message_outside_the_window_is_sent_as_a_template_and_a_template_by_sms() -> None:
    free = message(MessageKind.ANSWER, as_template=False)
    follows = after_refusal(free, WHATSAPP, FailureAction.TEMPLATE, 0, NOW)
    assert follows.next is not None
    assert follows.next.as_template
    assert is_sms(after_refusal(message(), WHATSAPP, FailureAction.TEMPLATE, 0, NOW))


def test_a_refused_person_id_is_replaced_by_the_telephone() -> None:
    follows = after_refusal(message(person="ES.1"), WHATSAPP, FailureAction.TO_PHONE, 0, NOW)
    assert follows.next is not None
    assert (follows.next.person, follows.next.phone) == ("", PHONE)
    assert after_refusal(message(person="ES.1", phone=""), WHATSAPP, FailureAction.TO_PHONE, 0, NOW).next is None


def test_back_off_waits_longer_each_time_and_then_falls_back() -> None:
    waits = [after_refusal(message(), WHATSAPP, FailureAction.BACK_OFF, n, NOW).same for n in range(TRIES - 1)]
    assert [(one - NOW).total_seconds() for one in waits if one] == [10, 20, 40, 80]
    assert is_sms(after_refusal(message(), WHATSAPP, FailureAction.BACK_OFF, TRIES - 1, NOW))
    pair = [after_refusal(message(), WHATSAPP, FailureAction.PAIR_WAIT, n, NOW).same for n in range(4)]
    assert [(one - NOW).total_seconds() for one in pair if one] == [6, 6, 16, 64]


def test_back_off_ends_in_time_for_an_sms() -> None:
    soon = message(useful_until=NOW + timedelta(minutes=15))
    assert is_sms(after_refusal(soon, WHATSAPP, FailureAction.BACK_OFF, 0, NOW))
    assert after_refusal(soon, SMS, FailureAction.BACK_OFF, 0, NOW).same == NOW + timedelta(seconds=10)


def test_the_provider_may_demand_a_longer_wait() -> None:
    follows = after_refusal(message(), WHATSAPP, FailureAction.BACK_OFF, 0, NOW, retry_after=timedelta(minutes=5))
    assert follows.same == NOW + timedelta(minutes=5)


def test_a_passing_fault_that_is_reported_later_is_another_attempt() -> None:
    follows = after_failure(message(), WHATSAPP, FailureAction.BACK_OFF, NOW)
    assert follows.next is not None
    assert (follows.next.key.attempt, follows.next.channel) == (2, None)
    assert after_failure(message(attempt=TRIES), WHATSAPP, FailureAction.BACK_OFF, NOW).next is None


def test_nothing_follows_after_the_time_that_is_useful() -> None:
    over = message(useful_until=NOW)
    for action in FailureAction:
        assert after_failure(over, WHATSAPP, action, NOW).next is None
        follows = after_refusal(over, WHATSAPP, action, 0, NOW)
        assert (follows.next, follows.same) == (None, None)


def test_an_unknown_outcome_of_a_reminder_is_one_sms_and_never_a_second_whatsapp() -> None:
    assert timedelta(minutes=10) == GRACE
    assert is_sms(after_unknown(message(), WHATSAPP, NOW))
    assert after_unknown(message(), SMS, NOW) == Consequence(is_alert=True)
    assert after_unknown(message(MessageKind.ANSWER), WHATSAPP, NOW).next is None


@pytest.mark.parametrize("kind", [MessageKind.CANCELLED, MessageKind.MOVED])
def test_a_notice_of_unknown_outcome_is_sent_at_least_once(kind: MessageKind) -> None:
    assert is_sms(after_unknown(message(kind), WHATSAPP, NOW))
    again = after_unknown(message(kind, attempt=2), SMS, NOW).next
    assert again is not None
    assert again.key.attempt == 3
    assert after_unknown(message(kind, attempt=TRIES), SMS, NOW) == Consequence(is_alert=True)


def test_whatsapp_has_some_hours_to_deliver_and_less_if_the_appointment_is_near() -> None:
    assert fallback_at(message(), WHATSAPP, NOW) == NOW + PATIENCE
    assert fallback_at(message(useful_until=NOW + HOUR), WHATSAPP, NOW) == NOW + HOUR / 2
    assert fallback_at(message(), SMS, NOW) == message().useful_until
    assert is_sms(after_silence(message(), WHATSAPP, NOW))
    assert after_silence(message(), SMS, NOW) == Consequence()
