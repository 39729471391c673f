"""The texts that are sent: which one, in which language, with which buttons."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, appointment, key
from vetlla.domain.messages import Channel, MessageKind, MessageState
from vetlla.domain.outbox import MessageKey, OutboxMessage, PlannedMessage
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.steps import RulesBook, Step, StepRules
from vetlla.service.reminders.texts.messages import Messages
from vetlla.service.reminders.tokens import read_token, token
from vetlla.tasks.reminders.sending import NoTextError, WantedMessage
from vetlla.tasks.reminders.texts import load_offices, load_texts
from vetlla.tasks.reminders.wording import Wording

if TYPE_CHECKING:
    from vetlla.domain.appointments import Appointment

SECRET = b"secret of the tests"
OFFICE = next(iter(load_offices().offices))
STEPS = (Step("24h", timedelta(hours=24)), Step("2h", timedelta(hours=2)), Step("12h", timedelta(hours=12), True))  # noqa: FBT003
WORDING = Wording(
    Messages(catalogue=load_texts(), directory=load_offices()),
    RulesBook(default=StepRules(steps=STEPS)),
    SECRET,
    {Channel.WHATSAPP: "meta", Channel.SMS: "sms"},
    "ca",
)
BOOKED = appointment("a", NOW + timedelta(days=1), office=OFFICE)


def wanted(
    *,
    step: str = "24h",
    kind: MessageKind = MessageKind.REMINDER,
    channel: Channel = Channel.WHATSAPP,
    language: str = "ca",
    booked: Appointment | None = BOOKED,
) -> WantedMessage:
    plan = PlannedMessage(
        key=MessageKey(key("a"), BOOKED.start, step), kind=kind, office=OFFICE, due=NOW, useful_until=BOOKED.start
    )
    message = OutboxMessage(id=1, reference="abc123", plan=plan, state=MessageState.CLAIMED, planned_at=NOW)
    return WantedMessage(message, booked, channel, language, 1)


def test_a_reminder_by_whatsapp_is_a_template_with_signed_buttons() -> None:
    rendered = WORDING.of_message(wanted())
    sent = rendered.outgoing
    assert (rendered.gateway, bool(sent.template), sent.language) == ("meta", True, "ca")
    pressed = [read_token(SECRET, payload) for payload in sent.buttons]
    assert [one.intent for one in pressed if one] == [Intent.CONFIRM, Intent.CANCEL, Intent.LANGUAGE]
    assert {one.reference for one in pressed if one} == {"abc123"}
    assert all(value for value in sent.parameters)


def test_a_reminder_by_sms_is_the_text_alone() -> None:
    sent = WORDING.of_message(wanted(channel=Channel.SMS, language="es")).outgoing
    assert (sent.template, sent.buttons, sent.language) == ("", (), "es")
    assert "10.00" in sent.text or "10:00" in sent.text


def test_each_step_has_its_own_text() -> None:
    texts = {WORDING.of_message(wanted(step=step)).outgoing.template for step in ("24h", "2h", "12h")}
    assert len(texts) == 3


def test_a_late_booking_is_confirmed_and_information_tells_what_to_bring() -> None:
    booked = WORDING.of_message(wanted(step="booked")).outgoing
    told = WORDING.of_message(wanted(step="72h", kind=MessageKind.INFORMATION)).outgoing
    assert (booked.template, told.template) == ("cita_registrada_v1", "cita_informacio_v1")


def test_a_language_without_texts_is_spoken_as_the_service_speaks() -> None:
    assert WORDING.of_message(wanted(language="fr")).outgoing.language == "ca"


def test_a_message_about_no_appointment_has_no_text() -> None:
    with pytest.raises(NoTextError):
        WORDING.of_message(wanted(booked=None))


def test_an_office_without_words_has_no_text() -> None:
    with pytest.raises(NoTextError):
        WORDING.of_message(wanted(booked=appointment("a", BOOKED.start, office="unknown")))


@pytest.mark.parametrize("intent", [Intent.CONFIRM, Intent.CANCEL, Intent.LANGUAGE])
def test_a_payload_that_was_changed_is_not_ours(intent: Intent) -> None:
    ours = token(SECRET, "abc123", intent)
    assert len(ours) <= 256
    assert read_token(SECRET, ours) is not None
    for changed in (ours.replace("abc123", "abc124"), ours[:-1] + "g", ours + "0", "", "v1.X.abc123"):
        assert read_token(SECRET, changed) is None
    assert read_token(b"another secret", ours) is None
