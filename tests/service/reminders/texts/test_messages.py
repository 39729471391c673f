"""The message for an appointment, as the dispatcher and the answers ask for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rigs.texts import directory, text
from vetlla.domain.appointments import Appointment, BookedService
from vetlla.domain.errors import ConfigError
from vetlla.domain.messages import Channel
from vetlla.service.reminders.texts.catalogue import Catalogue
from vetlla.service.reminders.texts.dates import LANGUAGES, Language
from vetlla.service.reminders.texts.examples import appointment
from vetlla.service.reminders.texts.messages import Messages
from vetlla.service.reminders.texts.names import TextName
from vetlla.service.reminders.texts.offices import Directory
from vetlla.service.reminders.texts.text import SenderKind, Text
from vetlla.tasks.reminders.texts import load_offices, load_texts

SMS, WHATSAPP = Channel.SMS, Channel.WHATSAPP
REMINDER = TextName.REMINDER


def messages(*texts: Text, sender: SenderKind = SenderKind.NUMBER) -> Messages:
    """Return the messages of these texts."""
    return Messages(catalogue=Catalogue(texts), directory=directory(), sender=sender)


def booked(*services: str, office: str = "OMAC") -> Appointment:
    """Return an appointment for some procedures."""
    return replace(appointment(office), services=tuple(BookedService(one, one) for one in services))


PLAIN = text("Cita {quan_curt} {lloc}")
TELLING = text("Cita {quan_curt} {lloc}: {tramit}", procedure=True)
OF_REGISTER = text("Cita {quan_curt} {lloc}, porteu {documents}", service="padro", procedure=True)


def said(made: Messages, one: Appointment, language: Language = "ca") -> str:
    """Return the words of a reminder by SMS."""
    found = made.about(one, REMINDER, SMS, language)
    assert found is not None
    return found.text


def test_a_named_procedure_gets_its_own_text() -> None:
    made = messages(PLAIN, TELLING, OF_REGISTER)
    assert said(made, booked("padro")) == "Cita dimarts 24/11 a les 10.30 h a l'OMAC, porteu el DNI"
    assert said(made, booked("impostos")) == "Cita dimarts 24/11 a les 10.30 h a l'OMAC: impostos"


@pytest.mark.parametrize("services", [("socials",), ("unknown",), (), ("padro", "socials")])
def test_a_sensitive_procedure_gets_the_text_without_it(services: tuple[str, ...]) -> None:
    made = messages(PLAIN, TELLING, OF_REGISTER)
    assert said(made, booked(*services)) == "Cita dimarts 24/11 a les 10.30 h a l'OMAC"


def test_two_procedures_get_no_text_of_one_of_them() -> None:
    made = messages(PLAIN, TELLING, OF_REGISTER)
    assert said(made, booked("padro", "impostos")).endswith(": alta al padró i impostos")


def test_a_text_that_is_missing_in_spanish_is_sent_whole_in_catalan() -> None:
    """Catalan words with a Spanish date in them would be wrong in both languages."""
    assert said(messages(PLAIN), booked(), "es") == "Cita dimarts 24/11 a les 10.30 h a l'OMAC"
    spanish = text("Cita el {quan_curt} {lloc}", language="es")
    assert said(messages(PLAIN, spanish), booked(), "es") == "Cita el martes 24/11 a las 10:30 h en la OMAC"


def test_a_text_that_is_off_makes_no_message() -> None:
    assert messages(text(off=True)).about(booked(), REMINDER, SMS, "ca") is None


def test_an_answer_about_no_appointment_has_the_contact_of_the_first_office() -> None:
    made = messages(text("Truqueu al {telefon}", name="unknown_sender"))
    found = made.about_none(TextName.UNKNOWN_SENDER, SMS, "ca")
    assert found is not None
    assert found.text == "Truqueu al 010"
    empty = Messages(catalogue=made.catalogue, directory=Directory())
    with pytest.raises(ConfigError, match="no office"):
        empty.about_none(TextName.UNKNOWN_SENDER, SMS, "ca")


def test_appointments_of_two_offices_are_listed_in_one_message() -> None:
    made = messages(text("{llista}\nSÍ 1?", name="list"))
    found = made.about_several([booked(), booked(office="OGAT")], TextName.LIST, SMS, "ca")
    assert found is not None
    assert found.text == ("1) dimarts 24/11 a les 10.30 h, a l'OMAC\n2) dimarts 24/11 a les 10.30 h, a l'OGAT\nSÍ 1?")


def test_an_alias_gets_its_own_text_by_sms_and_the_usual_one_by_whatsapp() -> None:
    shipped = Messages(catalogue=load_texts(), directory=load_offices(), sender=SenderKind.ALIAS)
    by_sms = shipped.about(booked(), REMINDER, SMS, "ca")
    by_whatsapp = shipped.about(booked(), REMINDER, WHATSAPP, "ca")
    assert by_sms is not None
    assert by_whatsapp is not None
    assert "truqueu al 010" in by_sms.text
    assert "ANUL·LAR" not in by_sms.text
    assert "ANUL·LAR" in by_whatsapp.text
    assert by_whatsapp.source.template == "cita_recordatori_v1"


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("name", TextName)
def test_the_shipped_texts_make_every_message_in_both_languages(name: TextName, channel: Channel) -> None:
    shipped = Messages(catalogue=load_texts(), directory=load_offices())
    for language in LANGUAGES:
        made = (
            shipped.about_several([booked(), booked()], name, channel, language)
            if name in {TextName.LIST, TextName.CONFIRMED_SEVERAL, TextName.CANCELLED_SEVERAL}
            else shipped.about(booked("Padro_alta"), name, channel, language)
        )
        assert (made is None) == (name is TextName.THANKS)
        assert made is None or made.source.language == language
