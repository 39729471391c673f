"""The texts that come with the program."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vetlla.domain.findings import Level
from vetlla.domain.messages import Channel
from vetlla.domain.segments import segments_of
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.replies import understand
from vetlla.service.reminders.texts.examples import example_values, longest_day, places_of_use
from vetlla.service.reminders.texts.folding import fold
from vetlla.service.reminders.texts.lint.around import Around
from vetlla.service.reminders.texts.lint.run import lint
from vetlla.service.reminders.texts.lint.sms import costliest
from vetlla.service.reminders.texts.names import TextName
from vetlla.service.reminders.texts.places import Place
from vetlla.service.reminders.texts.rendering import render
from vetlla.service.reminders.texts.text import SenderKind, Text
from vetlla.tasks.reminders.lexicon import load_lexicon
from vetlla.tasks.reminders.texts import load_offices, load_texts

ROOT = Path(__file__).parents[4]
TEXTS = load_texts().texts
OFFICES = load_offices()
LEXICON = load_lexicon()
CATALAN = [one for one in TEXTS if one.language == "ca"]
SPANISH = [one for one in TEXTS if one.language == "es"]
LONG = {TextName.INFORMATION}
"""Its length depends on the documents that an office writes."""


def rendered(text: Text, start: datetime | None = None) -> str:
    """Return a text for its first office and procedure."""
    office, service = next(places_of_use(text, OFFICES))
    return render(text, example_values(text, OFFICES, office, service, start or longest_day(text))).text


def title(text: Text) -> str:
    return text.title


@pytest.mark.parametrize("sender", SenderKind)
def test_the_checks_find_nothing_but_what_exact_sms_cost(sender: SenderKind) -> None:
    findings = lint(load_texts(), Around(lexicon=LEXICON, directory=OFFICES, sender=sender))
    assert {(one.check, one.level) for one in findings} == {("texts.segments", Level.WARNING)}


@pytest.mark.parametrize("text", [one for one in TEXTS if one.replies], ids=title)
def test_each_word_that_a_text_tells_people_to_send_is_understood_as_that_command(text: Text) -> None:
    """Also as a folded SMS shows it, in small letters, and with thanks."""
    for intent, word in text.replies.items():
        for sent in (word, fold(word), word.lower(), f"{word}.", f"{word}, gràcies", f" {word} "):
            reading = understand(sent, LEXICON, text.purpose.question)
            assert (reading.intent, reading.sure) == (intent, True), sent


@pytest.mark.parametrize("text", [one for one in TEXTS if one.buttons], ids=title)
def test_a_button_that_is_typed_means_what_it_means_when_pressed(text: Text) -> None:
    """WhatsApp shows the button's words as the citizen's message, and citizens copy them."""
    for button in text.buttons:
        reading = understand(button.label, LEXICON, text.purpose.question)
        assert (reading.intent, reading.sure) == (button.action, True), button.label


@pytest.mark.parametrize("text", TEXTS, ids=title)
def test_every_word_in_capitals_is_an_acronym_or_a_declared_reply(text: Text) -> None:
    declared = set(" ".join(text.replies.values()).split())
    said = re.findall(r"(?<![\w·])[A-ZÀÈÉÍÒÓÚ][A-ZÀÈÉÍÒÓÚ·]+(?![\w·])", text.without_places)
    assert set(said) - declared <= {"OMAC", "OGAT", "SMS", "DNI", "NIE"}


@pytest.mark.parametrize("text", [one for one in TEXTS if one.channel is Channel.SMS], ids=title)
def test_a_folded_sms_is_one_segment_on_the_longest_day_with_a_long_telephone(text: Text) -> None:
    office, service = next(places_of_use(text, OFFICES))
    values = example_values(text, OFFICES, office, service, longest_day(text))
    values |= dict.fromkeys((Place.TELEFON, Place.TELEFON_AJUDA), "973 000 000")
    segments = segments_of(fold(render(text, values).text)).segments
    assert segments == (2 if text.name in LONG and text.procedure else 1)


def test_a_template_has_one_name_in_both_languages() -> None:
    """Meta keeps the languages of a template under one name."""
    names = {
        language: [(one.name, one.office, one.procedure, one.template) for one in texts if one.template]
        for language, texts in (("ca", CATALAN), ("es", SPANISH))
    }
    assert names["ca"] == names["es"]


def test_both_languages_offer_the_same_commands() -> None:
    for catalan, spanish in zip(CATALAN, SPANISH, strict=True):
        assert catalan.key[:2] + catalan.key[3:] == spanish.key[:2] + spanish.key[3:]
        assert set(catalan.replies) == set(spanish.replies)
        assert [one.action for one in catalan.buttons] == [one.action for one in spanish.buttons]
        assert set(catalan.places) == set(spanish.places)


def test_the_thank_you_is_off() -> None:
    assert {one.name for one in TEXTS if one.off} == {TextName.THANKS}


def test_the_reminder_offers_the_other_language_by_a_button() -> None:
    for text in TEXTS:
        if text.name is TextName.REMINDER and text.channel is Channel.WHATSAPP:
            (button,) = (one for one in text.buttons if one.action is Intent.LANGUAGE)
            assert understand(button.label, LEXICON).language not in {None, text.language}


# --- Catalan and Spanish ----------------------------------------------------------------------------------------------

NOT_ELIDED = re.compile(r"(?<![\w-])(?:de|el|em|et|es|se) h?[aeiouàèéíòóú]", re.IGNORECASE)
"""In Catalan these words lose their vowel before another one: "d'agost", "l'hora", "s'ha"."""
NOT_ELIDED_LA = re.compile(r"(?<![\w-])la h?(?:[aeoàèéòó]|[íú])", re.IGNORECASE)
"""The article "la" keeps it only before an unstressed i or u."""


@pytest.mark.parametrize("text", CATALAN, ids=title)
def test_no_elision_is_missing_on_any_day_of_the_year(text: Text) -> None:
    first = datetime(2026, 1, 1, 9, tzinfo=UTC)
    for number in range(0, 365, 9):
        said = rendered(text, first + timedelta(days=number))
        without_spanish = re.sub(r"CASTELLANO para [\w ]+", "", said)
        for rule in (NOT_ELIDED, NOT_ELIDED_LA):
            assert not rule.search(re.sub(r"https?://\S+", "", without_spanish)), said


@pytest.mark.parametrize("text", CATALAN, ids=title)
def test_catalan_speaks_to_the_citizen_as_vos(text: Text) -> None:
    assert not re.search(
        r"\b(?:vostè|seva|respongui|truqui|demani|pot venir|et|tens|(?<!no )respon|truca|li recordem)\b",
        text.without_places,
    )


@pytest.mark.parametrize("text", SPANISH, ids=title)
def test_spanish_speaks_to_the_citizen_as_usted(text: Text) -> None:
    assert not re.search(
        r"\b(?:tú|tienes|(?<!no )responde|llama|puedes|vuestra|os|te|llamad|responded|tu)\b", text.without_places
    )


@pytest.mark.parametrize("text", TEXTS, ids=title)
def test_a_text_has_no_doubled_blank_and_no_doubled_stop(text: Text) -> None:
    said = rendered(text)
    assert not re.search(r"  |\.\.|,,| [.,;:]|\( | \)", said)
    assert "{" not in said


@pytest.mark.parametrize("text", SPANISH, ids=title)
def test_spanish_opens_its_exclamations_and_questions(text: Text) -> None:
    assert text.text.count("!") == text.text.count("¡")
    assert text.text.count("?") == text.text.count("¿")


@pytest.mark.parametrize("text", TEXTS, ids=title)
def test_a_text_to_an_unknown_sender_has_no_place_of_an_appointment(text: Text) -> None:
    if text.name is TextName.UNKNOWN_SENDER:
        assert set(text.places) <= {Place.TELEFON, Place.ENLLAC}


def test_the_handbook_tells_what_each_sms_costs() -> None:
    """The table of docs/reminders-texts.md has the segments of every installed SMS, exact and folded."""
    page = (ROOT / "docs" / "reminders-texts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w ()]+)` \| (\d) \| (\d) \| (\d) \| (\d) \|$", page, flags=re.MULTILINE)
    by_title: dict[str, list[str]] = {}
    for text in TEXTS:
        if text.channel is Channel.SMS:
            said = costliest(text, OFFICES)
            costs = [str(segments_of(one).segments) for one in (said, fold(said))]
            by_title.setdefault(text.title.removeprefix(f"{text.language} sms "), []).extend(costs)
    assert {title: list(costs) for title, *costs in rows} == by_title
