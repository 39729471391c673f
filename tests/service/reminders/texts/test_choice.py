"""Which text a message gets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.rigs.texts import directory, text
from vetlla.domain.errors import ConfigError
from vetlla.domain.messages import Channel
from vetlla.service.reminders.texts.catalogue import Catalogue, Wanted, catalogue_of
from vetlla.service.reminders.texts.names import TextName, reminder_name
from vetlla.service.reminders.texts.places import Place
from vetlla.service.reminders.texts.text import SenderKind, SmsEncoding, Text

DEFAULT = text()
FOR_OFFICE = text(office="OMAC")
FOR_SERVICE = text(service="padro")
FOR_BOTH = text(office="OMAC", service="padro")
TELLING = text("Cita {quan} a {oficina}: {tramit}, porteu documents", procedure=True)
SPANISH = text(language="es")
REMINDER = Wanted(TextName.REMINDER, Channel.SMS, "ca", "OMAC", "padro")
ALL = frozenset(Place)


def choose(*texts: Text, wanted: Wanted = REMINDER, available: frozenset[str] = ALL) -> Text | None:
    """Return the text that is chosen of these."""
    return Catalogue(texts).choose(wanted, available)


def test_the_most_specific_variant_is_chosen() -> None:
    """Office and procedure, then the procedure, then the office, then the text for all."""
    order = [FOR_BOTH, FOR_SERVICE, FOR_OFFICE, DEFAULT]
    for number, expected in enumerate(order):
        assert choose(*reversed(order[number:])) is expected


def test_a_variant_of_another_office_or_procedure_is_not_chosen() -> None:
    assert choose(text(office="OGAT"), text(service="impostos"), DEFAULT) is DEFAULT


def test_a_text_that_tells_the_procedure_needs_permission() -> None:
    assert choose(TELLING, DEFAULT) is DEFAULT
    assert choose(TELLING, DEFAULT, wanted=REMINDER._replace(may_name_procedure=True)) is TELLING


def test_a_variant_that_tells_a_sensitive_procedure_loses_to_the_text_for_all() -> None:
    sensitive = text("Cita {quan} a {oficina}: {tramit}, vingueu", service="padro", procedure=True)
    assert choose(sensitive, DEFAULT) is DEFAULT


def test_without_permission_and_without_another_text_nothing_is_sent() -> None:
    with pytest.raises(ConfigError, match="no text reminder for sms in ca"):
        choose(TELLING)


def test_a_procedure_is_named_only_if_its_entry_says_so() -> None:
    offices = directory()
    assert offices.may_name(["padro"])
    assert not offices.may_name(["socials"])
    assert not offices.may_name(["unknown"])
    assert not offices.may_name([])
    assert not offices.may_name(["padro", "socials"])


def test_the_citizens_language_comes_before_the_variant() -> None:
    wanted = REMINDER._replace(language="es")
    assert choose(FOR_BOTH, SPANISH, wanted=wanted) is SPANISH


def test_catalan_is_used_if_a_text_is_missing_in_spanish() -> None:
    assert choose(DEFAULT, wanted=REMINDER._replace(language="es")) is DEFAULT


def test_spanish_is_never_used_for_a_citizen_who_reads_catalan() -> None:
    with pytest.raises(ConfigError):
        choose(SPANISH)


def test_a_text_of_the_other_channel_is_not_chosen() -> None:
    with pytest.raises(ConfigError):
        choose(text(channel="whatsapp"))


def test_a_text_is_chosen_only_if_every_place_has_a_value() -> None:
    specific = text("Cita {quan} a {oficina}, {adreca} (segon pis)", office="OMAC")
    assert choose(specific, DEFAULT) is specific
    assert choose(specific, DEFAULT, available=ALL - {Place.ADRECA}) is DEFAULT
    with pytest.raises(ConfigError, match="missing: adreca"):
        choose(specific, available=ALL - {Place.ADRECA})


def test_an_alias_gets_the_text_that_asks_for_no_reply() -> None:
    asking = text("Cita {quan} a {oficina}. Responeu SÍ avui", replies={"confirm": "SÍ"})
    calling = text("Cita {quan} a {oficina}. Truqueu al {telefon} avui", sender="alias")
    wanted = REMINDER._replace(sender=SenderKind.ALIAS)
    assert choose(asking, calling, wanted=wanted) is calling
    assert choose(asking, calling) is asking
    assert choose(DEFAULT, calling, wanted=wanted) is calling


def test_an_alias_never_gets_a_text_that_asks_for_a_reply() -> None:
    asking = text("Cita {quan} a {oficina}. Responeu SÍ avui", replies={"confirm": "SÍ"})
    wanted = REMINDER._replace(sender=SenderKind.ALIAS)
    with pytest.raises(ConfigError):
        choose(asking, wanted=wanted)
    assert choose(DEFAULT, wanted=wanted) is DEFAULT


def test_a_text_that_is_off_is_not_sent_and_is_no_error() -> None:
    off = text(off=True)
    assert choose(off) is None
    assert choose(off, FOR_OFFICE) is FOR_OFFICE
    assert choose(DEFAULT, text(office="OMAC", off=True)) is None


def test_the_step_decides_the_text_of_a_reminder() -> None:
    for hours in (72, 48, 24):
        assert reminder_name(timedelta(hours=hours)) is TextName.REMINDER
        assert reminder_name(timedelta(hours=hours), is_second=True) is TextName.REMINDER_AGAIN
    assert reminder_name(timedelta(hours=2)) is TextName.REMINDER_SOON
    assert reminder_name(timedelta(hours=2), is_second=True) is TextName.REMINDER_SOON


# --- reading ----------------------------------------------------------------------------------------------------------

ENTRY = {"name": "help", "channel": "sms", "version": 1, "text": "Ajuda"}


def document(*entries: object, **keys: object) -> dict[str, object]:
    """Return a document of texts in Catalan."""
    return {"language": "ca", "text": list(entries)} | keys


def test_texts_are_read_in_one_form_of_unicode() -> None:
    (read,) = catalogue_of([document({**ENTRY, "text": "\n  Anul\u00b7laci\u006f\u0301\n"})]).texts
    assert read.text == "Anul·laci\u00f3"


def test_the_encoding_of_a_file_counts_for_every_text_that_names_none() -> None:
    entries = ENTRY, {**ENTRY, "name": "ask", "sms_encoding": "exact"}
    folded, exact = catalogue_of([document(*entries, sms_encoding="fold")]).texts
    assert (folded.sms_encoding, exact.sms_encoding) == (SmsEncoding.FOLD, SmsEncoding.EXACT)
    (usual,) = catalogue_of([document(ENTRY)]).texts
    assert usual.sms_encoding is SmsEncoding.EXACT


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (document(ENTRY, language="fr"), "language must be"),
        (document(ENTRY, texts=[]), "there is no key texts"),
        (document(text={}), "text must be a list"),
        (document("Ajuda"), "text 1"),
        (document({**ENTRY, "name": "greeting"}), r"text 1 \(sms greeting\): name"),
        (document({**ENTRY, "vertion": 2}), "there is no key vertion"),
        (document({**ENTRY, "version": 0}), "version"),
        (document({**ENTRY, "text": "  "}), "text: "),
        (document({key: ENTRY[key] for key in ("name", "channel", "text")}), "version is missing"),
        (document({**ENTRY, "language": "es"}), "stands once at the head"),
        (document(ENTRY, ENTRY), "two texts ca sms help"),
        (document(ENTRY, sms_encoding="latin"), "sms_encoding"),
    ],
)
def test_a_wrong_file_is_refused_with_the_entry_and_the_key(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        catalogue_of([wrong])


def test_variants_of_a_text_are_different_texts() -> None:
    variants = [ENTRY, {**ENTRY, "office": "OMAC"}, {**ENTRY, "service": "padro"}, {**ENTRY, "sender": "alias"}]
    assert len(catalogue_of([document(*variants), document(*variants, language="es")]).texts) == 8
