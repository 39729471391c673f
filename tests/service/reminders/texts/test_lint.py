"""What the checks find in texts that are wrong in one way each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.rigs.texts import OGAT, OMAC, REGISTER, directory, text
from vetlla.domain.findings import Finding, Level
from vetlla.domain.messages import Channel
from vetlla.service.reminders.texts.approval import DIGITAL_SERVICES, approve
from vetlla.service.reminders.texts.catalogue import Catalogue
from vetlla.service.reminders.texts.lint.around import Around
from vetlla.service.reminders.texts.lint.run import OF_ONE, lint
from vetlla.service.reminders.texts.offices import Directory, directory_of
from vetlla.service.reminders.texts.text import SenderKind, Text
from vetlla.tasks.reminders.lexicon import load_lexicon
from vetlla.tasks.reminders.texts import load_offices, load_texts

LEXICON = load_lexicon()
SHIPPED = load_texts()
SAID = "Cita {quan_curt} {lloc}. Responeu SI o anuleu avui"
REPLIES = {"confirm": "SI", "cancel": "anuleu"}


def around(**known: Any) -> Around:  # noqa: ANN401 - the parts of Around
    """Return what texts are checked against."""
    return replace(Around(lexicon=LEXICON, directory=directory()), **known)


def found(said: Text, **known: Any) -> list[Finding]:  # noqa: ANN401 - as above
    """Return what the rules for one text find."""
    return [finding for rule in OF_ONE for finding in rule(said, around(**known))]


def checks(said: Text, **known: Any) -> set[str]:  # noqa: ANN401 - as above
    """Return the names of the rules that find something."""
    return {finding.check.removeprefix("texts.") for finding in found(said, **known)}


def good(said: str = SAID, **keys: Any) -> Text:  # noqa: ANN401 - the keys of a text
    """Return a reminder in which nothing is wrong unless a key makes it so."""
    return text(said, **({"replies": REPLIES} | keys))


def template(said: str = "Cita {quan}, {lloc} avui. Responeu SI o anuleu ara", **keys: Any) -> Text:  # noqa: ANN401
    """Return the same for WhatsApp."""
    return good(said, **({"channel": "whatsapp", "template": "cita_v1"} | keys))


def test_nothing_is_found_in_a_good_text() -> None:
    assert found(good()) == []
    assert found(template()) == []


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["{dissabte}", "{Hora}", "{hora:>5}", "{}", "{llista}", "{ hora }"])
def test_an_unknown_place_is_critical(said: str) -> None:
    (finding,) = [one for one in found(good(f"{SAID} {said} ara")) if one.check == "texts.place_unknown"]
    assert finding.level is Level.CRITICAL


@pytest.mark.parametrize("said", ["Cita {hora", "hora} més", "{{hora}}"])
def test_an_open_brace_is_critical(said: str) -> None:
    assert "place_unknown" in checks(good(f"{SAID} {said}"))


@pytest.mark.parametrize(
    "said",
    [
        "Cita {hora} {lloc}. Responeu SI o anuleu",
        "Cita {dia} {lloc}. Responeu SI o anuleu",
        "Cita {quan}. Responeu SI o anuleu",
    ],
)
def test_a_reminder_needs_day_hour_and_office(said: str) -> None:
    assert "place_missing" in checks(good(said))


def test_day_and_hour_may_be_two_places_or_one() -> None:
    assert checks(good("El {dia_curt}, a les {hora}, {oficina}. Responeu SI o anuleu")) == set()


@pytest.mark.parametrize("place", ["{tramit}", "{documents}", "{enllac_tramit}"])
def test_a_place_that_tells_the_procedure_needs_a_text_that_may_tell_it(place: str) -> None:
    said = f"Cita {{quan_curt}} {{lloc}}: {place} Responeu SI o anuleu"
    assert "procedure" in checks(good(said))
    assert "procedure" not in checks(good(said, procedure=True))


def test_the_name_of_a_hidden_procedure_in_the_words_of_a_text_is_critical() -> None:
    """A text for one procedure can tell it without any place."""
    (finding,) = [one for one in found(good(f"{SAID} a serveis socials")) if one.check == "texts.procedure"]
    assert finding.level is Level.CRITICAL
    assert "serveis socials" in finding.text


def test_the_name_of_a_named_procedure_needs_a_text_that_may_tell_it() -> None:
    said = f"{SAID}: alta al padró"
    assert "procedure" in checks(good(said, service="padro"))
    assert "procedure" not in checks(good(said, service="padro", procedure=True))


def test_an_office_without_a_value_for_a_place_is_told() -> None:
    offices = directory_of({"office": [OMAC, {**OGAT, "telephone": ""}]})
    (finding,) = found(good(f"{SAID} {{telefon}} ara"), directory=offices)
    assert (finding.check, finding.level) == ("texts.value_missing", Level.WARNING)
    assert "office OGAT: there is no value for {telefon}" in finding.text


# --- characters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u00ad", "\x07", "\ufffd", "\ue000", "\t", "\ufeff"])
def test_a_character_that_cannot_be_seen_is_critical(sign: str) -> None:
    (finding,) = [one for one in found(good(f"{SAID}{sign} ara")) if one.check == "texts.characters"]
    assert finding.level is Level.CRITICAL
    assert f"U+{ord(sign):04X}" in finding.text


@pytest.mark.parametrize("word", ["anul.lar", "anul•lar", "anul-lar", "anuŀlar"])
def test_a_wrong_sign_in_the_middle_of_two_ls_is_told(word: str) -> None:
    assert "characters" in checks(good(f"{SAID}. Per {word}-la ara"))


def test_a_line_break_is_allowed() -> None:
    assert "characters" not in checks(good(f"{SAID}\nara"))


# --- replies ----------------------------------------------------------------------------------------------------------


def test_a_reply_that_the_lexicon_does_not_understand_is_critical() -> None:
    said = good("Cita {quan_curt} {lloc}. Responeu ENDAVANT o anuleu", replies={**REPLIES, "confirm": "ENDAVANT"})
    (finding,) = found(said)
    assert (finding.check, finding.level) == ("texts.reply", Level.CRITICAL)
    assert "'ENDAVANT' is not understood as confirm" in finding.text


def test_a_reply_that_means_another_command_is_critical() -> None:
    assert "reply" in checks(good(replies={"confirm": "anuleu", "cancel": "SI"}))


def test_a_declared_reply_must_stand_in_the_text() -> None:
    (finding,) = found(good("Cita {quan_curt} {lloc}. Responeu SI ara", replies={**REPLIES, "cancel": "ANULAR"}))
    assert "'ANULAR' is not in the text" in finding.text


def test_a_reminder_must_tell_how_to_confirm_and_how_to_cancel() -> None:
    (finding,) = found(good("Cita {quan_curt} {lloc}. Responeu SI ara", replies={"confirm": "SI"}))
    assert "it does not tell how to cancel" in finding.text


def test_buttons_do_not_replace_words_because_replies_are_texts() -> None:
    """The tender asks that a person can confirm and cancel by answering with a text."""
    buttons = [{"label": "Sí", "action": "confirm"}, {"label": "Anul·lar", "action": "cancel"}]
    said = template("Cita {quan}, {lloc} avui", replies={}, buttons=buttons)
    assert "reply" in checks(said)


def test_a_command_in_capitals_that_is_not_declared_is_told() -> None:
    assert "reply" in checks(good(f"{SAID}. Envieu STOP per acabar"))
    assert "reply" not in checks(good(f"{SAID}. Porteu el DNI"))


def test_a_help_text_must_name_the_other_language() -> None:
    said = text(
        "Responeu SI, anuleu, BAIXA, EN CATALÀ. {telefon}",
        name="help",
        replies={**REPLIES, "opt_out": "BAIXA", "language": "EN CATALÀ"},
    )
    assert any("asks for the language that the text is in" in one.text for one in found(said))


def test_an_sms_that_asks_for_a_reply_without_a_word_is_told() -> None:
    said = text("Cita {quan_curt}. Responeu si us plau", name="confirmed")
    (finding,) = found(said)
    assert "does not say with which word" in finding.text


# --- senders that cannot be answered ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ca", "Responeu per confirmar. {telefon}"),
        ("ca", "Contesteu aquest missatge. {telefon}"),
        ("ca", "Envieu un missatge. {telefon}"),
        ("es", "Responda para confirmar. {telefon}"),
        ("es", "Conteste a este mensaje. {telefon}"),
        ("es", "Envíe un mensaje. {telefon}"),
    ],
)
def test_a_text_of_an_alias_must_not_ask_for_a_reply(language: str, said: str) -> None:
    """An SMS from a name of letters cannot be answered."""
    alias = text(f"Cita {{quan_curt}} {{lloc}}. {said}", sender="alias", language=language)
    assert [one.level for one in found(alias) if one.check == "texts.alias"] == [Level.CRITICAL]


def test_a_text_of_an_alias_needs_a_telephone_or_a_link() -> None:
    assert checks(text("Cita {quan_curt} {lloc}, us esperem", sender="alias")) == {"alias"}
    assert checks(text("Cita {quan_curt} {lloc}. Truqueu al {telefon}", sender="alias")) == set()
    assert checks(text("Cita {quan_curt} {lloc}. Entreu a {enllac}", sender="alias")) == set()


def test_with_an_alias_each_message_that_asks_needs_a_text_without_replies() -> None:
    texts = Catalogue(tuple(one for one in SHIPPED.texts if one.sender is SenderKind.NUMBER))
    missing = [one.text for one in lint(texts, around(sender=SenderKind.ALIAS)) if one.check == "texts.channel_missing"]
    assert {one.partition(":")[0] for one in missing} == {
        f"{language} sms {name}"
        for language in ("ca", "es")
        for name in ("reminder", "reminder_again", "reminder_soon", "booked", "moved")
    }


# --- segments ---------------------------------------------------------------------------------------------------------


def test_the_characters_that_make_a_text_cost_more_are_named() -> None:
    said = "Ajuntament de Lleida: cita {quan_curt} {lloc}, porteu força papers, si us plau. Responeu SI o ANUL·LAR ara"
    long = good(said, replies={"confirm": "SI", "cancel": "ANUL·LAR"})
    (finding,) = found(long)
    assert (finding.check, finding.level) == ("texts.segments", Level.WARNING)
    assert "this text costs 2 segments because of \u2018ç\u2019, \u2018·\u2019" in finding.text
    assert finding.figures is not None
    assert (finding.figures["segments"], finding.figures["folded"]) == (2, 1)
    assert 'sms_encoding = "fold" for 1' in finding.remedy


def test_a_folded_text_costs_what_its_letters_cost() -> None:
    said = "Ajuntament de Lleida: cita {quan_curt} {lloc}, porteu força papers, si us plau. Responeu SI o ANUL·LAR ara"
    assert found(good(said, replies={"confirm": "SI", "cancel": "ANUL·LAR"}, sms_encoding="fold")) == []


def test_a_text_that_is_too_long_is_to_be_shortened() -> None:
    (finding,) = found(good(SAID + " i porteu els papers" * 6))
    assert "one segment has 160" in finding.text
    assert finding.remedy == "shorten it"


def test_the_cost_is_that_of_the_office_with_the_longest_words() -> None:
    long = {**OGAT, "ca": {**OGAT["ca"], "where": "a l'Oficina d'Atenció i Gestió Tributària de la plaça"}}
    offices = directory_of({"office": [OMAC, long]})
    assert checks(good(), directory=directory_of({"office": [OMAC]})) == set()
    assert checks(good(), directory=offices) == {"segments"}


def test_a_sign_that_cannot_be_folded_is_told_as_the_cause() -> None:
    (finding,) = found(good(SAID + " 👍 i porteu els papers, si us plau", sms_encoding="fold"))
    assert "because of \u2018👍\u2019" in finding.text
    assert "cannot be folded" in finding.remedy


# --- WhatsApp ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        template("{quan} teniu cita, {lloc} ara. Responeu SI o anuleu"),
        template("Responeu SI o anuleu: cita {lloc}, {quan}."),
        template("Cita {quan} {lloc} ara. Responeu SI o anuleu"),
        template(template=""),
        template(buttons=[{"label": "x" * 26, "action": "confirm"}]),
        template(buttons=[{"label": "Sí", "action": "ask"}]),
    ],
)
def test_what_meta_would_refuse_is_critical(said: Text) -> None:
    findings = [one for one in found(said) if one.check == "texts.template"]
    assert [one.level for one in findings] == [Level.CRITICAL]


def test_the_length_of_a_body_counts_with_its_values() -> None:
    body = "Cita {quan}, {lloc} ara. Responeu SI o anuleu "
    assert checks(template(body + "x" * 900)) == set()
    (finding,) = found(template(body + "x" * 970))
    assert "keep at most 1024" in finding.remedy


def test_an_answer_has_no_template_and_no_buttons() -> None:
    said = text("Gràcies. Us esperem {quan}", name="confirmed", channel="whatsapp", template="cita_v1")
    assert checks(said) == {"template"}


def test_a_template_that_meta_did_not_approve_in_this_language_is_critical() -> None:
    approved = {("cita_v1", "ca"): "APPROVED"}
    assert found(template(), templates=approved) == []
    (missing,) = found(template(language="es"), templates=approved)
    assert (missing.check, missing.level) == ("texts.template_not_approved", Level.CRITICAL)
    assert "Meta has no template cita_v1 in es" in missing.text


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "PAUSED", "DISABLED"])
def test_a_template_with_another_status_is_critical(status: str) -> None:
    (finding,) = found(template(), templates={("cita_v1", "ca"): status})
    assert status in finding.text


def test_a_template_that_is_off_needs_no_approval() -> None:
    assert found(template(off=True), templates={}) == []


def test_two_texts_with_other_words_must_not_share_a_template() -> None:
    other = template("Cita {quan}, {lloc} avui. Responeu SI o anuleu, si us plau", office="OMAC")
    findings = lint(Catalogue((template(), other)), around())
    assert [one.text for one in findings if "has other words" in one.text] == [
        "ca whatsapp reminder (office OMAC): template cita_v1 has other words in ca whatsapp reminder"
    ]


# --- all texts together -----------------------------------------------------------------------------------------------


def without(**keys: object) -> Catalogue:
    """Return the shipped texts without those that have all these values."""
    return Catalogue(
        tuple(one for one in SHIPPED.texts if any(getattr(one, name) != value for name, value in keys.items()))
    )


def coverage(texts: Catalogue) -> list[tuple[str, str]]:
    """Return what is missing, with the name of the rule."""
    findings = lint(texts, around(directory=load_offices()))
    return [(one.check, one.text.partition(":")[0]) for one in findings if one.check.endswith("_missing")]


def test_a_text_that_is_missing_in_one_language_is_critical() -> None:
    texts = without(name="confirmed", channel=Channel.SMS, language="es")
    assert coverage(texts) == [("texts.language_missing", "es sms confirmed")]


def test_a_text_that_is_missing_for_one_channel_is_critical() -> None:
    texts = without(name="confirmed", channel=Channel.SMS)
    assert coverage(texts) == [
        ("texts.channel_missing", "ca sms confirmed"),
        ("texts.channel_missing", "es sms confirmed"),
    ]


def test_a_text_that_only_exists_with_the_procedure_is_missing() -> None:
    """Appointments for procedures that must not be named need the text without it."""
    texts = without(name="reminder", channel=Channel.WHATSAPP, language="ca", procedure=False)
    assert ("texts.channel_missing", "ca whatsapp reminder") in [
        (check.replace("language", "channel"), title) for check, title in coverage(texts)
    ]


def test_a_variant_in_one_language_only_is_told() -> None:
    texts = without(office="OMAC", language="es")
    assert coverage(texts) == [("texts.language_missing", "ca whatsapp reminder_soon (office OMAC)")]


def test_a_variant_for_an_unknown_office_or_service_is_never_used() -> None:
    for keys in ({"office": "OMCA"}, {"service": "padrro"}):
        findings = lint(Catalogue((good(**keys), good(**keys, language="es"))), around())
        assert [one.check for one in findings if one.check == "texts.never_used"] == ["texts.never_used"] * 2


def test_a_text_that_tells_a_hidden_procedure_is_never_used() -> None:
    findings = lint(Catalogue((good(service="socials", procedure=True),)), around())
    assert [one for one in findings if "must not name this procedure" in one.text]


def test_without_offices_length_and_cost_are_unknown() -> None:
    (finding,) = [one for one in lint(Catalogue(), around(directory=Directory())) if one.check == "texts.offices"]
    assert finding.level is Level.UNKNOWN


# --- approval ---------------------------------------------------------------------------------------------------------


def test_a_text_that_was_not_approved_is_critical_and_tells_by_which_party() -> None:
    (finding,) = found(good(), approvals=[])
    assert (finding.check, finding.level) == ("texts.not_approved", Level.CRITICAL)
    assert f"not approved by {DIGITAL_SERVICES}, OGAT, OMAC" in finding.text


def test_a_text_that_changed_after_its_approval_is_critical() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    approvals = [approve(good(), party, "Nom Cognom", now) for party in (DIGITAL_SERVICES, "OGAT", "OMAC")]
    assert found(good(), approvals=approvals) == []
    (finding,) = found(good(SAID + " mateix"), approvals=approvals)
    assert (finding.check, finding.level) == ("texts.changed", Level.CRITICAL)
    assert finding.remedy == "raise its version, and let them approve it"


def test_a_text_that_is_off_needs_no_approval() -> None:
    assert found(good(off=True), approvals=[]) == []


def test_the_example_of_a_procedure_has_every_value() -> None:
    said = text("Porteu {documents}. Per internet: {enllac_tramit} ({tramit})", name="information", procedure=True)
    assert found(said, directory=directory(REGISTER)) == []
