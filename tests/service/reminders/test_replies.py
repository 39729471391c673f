"""What replies mean: the asymmetric rule, negation, numbers, typing mistakes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.replies import LEXICON
from vetlla.service.reminders.lexicon import Intent, Part
from vetlla.service.reminders.replies import CHOICE, PLAIN, Question, Understood, understand

MENU = Question(1, frozenset(CHOICE))
LIST = Question(2, frozenset({1, 2}))
YES_NO = Question(is_yes_no=True)
CONFIRM, CANCEL, ASK, NONE = Intent.CONFIRM, Intent.CANCEL, Intent.ASK, Intent.NONE


def reading(text: str, question: Question = PLAIN) -> Understood:
    return understand(text, LEXICON, question)


@pytest.mark.parametrize(
    "text",
    [
        "SÍ",
        "si",
        "s",
        "siiii",
        "ok",
        "Vale",
        "D'acord",
        "d\u2019acord",
        "CONFIRMO",
        "Hi seré",
        "hi anire",
        "👍🏽",
        "✔️",
        "👌 gràcies",
        "Sí, moltes gràcies!",
        "Vull confirmar la cita",
        "Bon dia. Confirmo l'assistència",
        "ok confirmo",
        "asistiré",
        "confrmo",
    ],
)
def test_a_confirmation_is_understood(text: str) -> None:
    assert reading(text)[0] is CONFIRM
    assert reading(text).sure


@pytest.mark.parametrize(
    "text",
    [
        "ANUL·LAR",
        "anul.lar",
        "anul-lar",
        "anullar",
        "anuŀlar",
        "anul•lar",
        "anul lar",
        "anular",
        "Cancel·lar",
        "cancelar",
        "cancelo",
        "Vull anul·lar la cita, gràcies",
        "la vull cancel·lar",
        "anul·leu-la si us plau",
        "no puc venir",
        "No podré ir, lo siento",
        "no, no puc venir",
        "sí, anul·leu-la",
        "❌",
        "anul·lr",
        "canceelar",
    ],
)
def test_a_cancellation_is_understood(text: str) -> None:
    assert reading(text)[0] is CANCEL
    assert reading(text).sure


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "no gràcies",
        "n",
        "no confirmo",
        "no anul·leu",
        "no la cancel·lin",
        "no, anul·leu",
        "cancelar no",
        "no cal anul·lar",
        "si no plou",
        "si puc",
        "👍👎",
        "sí però no puc venir",
        "si no puc venir anul·lo",
        "ja he anul·lat la cita",
        "anul·lar la cita del meu marit",
        "no vinc tard",
        "no puc",
        "no vindré demà",
        "1",
        "2",
        "1 2",
        "anul·lar 2",
    ],
)
def test_a_reply_with_two_meanings_is_asked_back(text: str) -> None:
    assert reading(text)[0] is ASK
    assert not reading(text).sure


@pytest.mark.parametrize(
    "text",
    [
        "anul·lar?",
        "Puc anul·lar la cita?",
        "sí?",
        "hola",
        "gràcies",
        "",
        "🤔",
        "Carrer Canela",
        "candela",
        "tinc càncer",
        "No puc venir a les deu però sí que puc venir a les onze del matí",
        "Para anular responda ANULAR, pone aquí debajo de todo",
    ],
)
def test_a_question_or_a_story_is_read_by_a_person(text: str) -> None:
    assert reading(text).intent in {NONE, ASK}
    if "?" in text or len(text.split()) > 6:
        assert reading(text).intent is NONE


def test_a_lone_no_cancels_only_as_the_answer_to_a_question_that_said_so() -> None:
    assert reading("No", YES_NO) == Understood(CANCEL, None, None, sure=True)
    assert reading("No", Question(2, is_yes_no=True)).intent is ASK
    assert reading("no gràcies", YES_NO).intent is CANCEL


def test_numbers_count_only_if_the_last_message_offered_them() -> None:
    assert [reading(text, MENU).intent for text in ("1", "2", "3", "2.", "2️⃣")] == [CONFIRM, CANCEL, ASK, CANCEL, CANCEL]
    assert reading("anul·lar 1", MENU).intent is ASK, "1 was offered as the confirmation"
    assert reading("2", LIST) == Understood(ASK, None, 2), "which of two things the citizen wants is not said"
    assert reading("ANUL·LAR 2", LIST) == Understood(CANCEL, "ca", 2, sure=True)
    assert reading("cancela la segunda", LIST) == Understood(CANCEL, "es", 2, sure=True)
    assert reading("anul·lar 3", LIST).intent is ASK
    assert reading("anul·lar la 1 i la 2", LIST).intent is ASK


def test_with_several_appointments_a_command_without_a_number_is_not_sure() -> None:
    assert reading("anul·lar", LIST) == Understood(CANCEL, "ca", None, sure=False)
    assert reading("sí", LIST) == Understood(CONFIRM, None, None, sure=False)
    assert reading("sí", Question(0)).sure is False


def test_all_is_allowed_only_after_the_list() -> None:
    assert reading("anul·lar totes", LIST) == Understood(CANCEL, "ca", None, sure=True, is_all=True)
    assert reading("anul·lar totes", Question(2)).intent is ASK
    assert reading("anul·lar les dues", LIST).is_all
    assert reading("anul·lar les dues", Question(3, frozenset({1, 2, 3}))).intent is ASK, "two of three"


@pytest.mark.parametrize(
    ("text", "intent", "language"),
    [
        ("BAIXA", Intent.OPT_OUT, "ca"),
        ("baja", Intent.OPT_OUT, "es"),
        ("STOP", Intent.OPT_OUT, None),
        ("alta", Intent.OPT_IN, None),
        ("ajuda", Intent.HELP, "ca"),
        ("?", Intent.HELP, None),
        ("en castellano, por favor", Intent.LANGUAGE, "es"),
        ("Català", Intent.LANGUAGE, "ca"),
        ("Un altre dia", Intent.RESCHEDULE, "ca"),
        ("quiero cambiar la hora", Intent.RESCHEDULE, "es"),
    ],
)
def test_other_commands_are_understood(text: str, intent: Intent, language: str | None) -> None:
    assert reading(text) == Understood(intent, language, sure=True)


def test_a_wish_for_another_day_never_cancels() -> None:
    for text in ("no puc venir, un altre dia", "anul·lar, otro día", "canviar o anul·lar"):
        assert reading(text).intent is not CANCEL
    assert reading("no puc venir, un altre dia") == Understood(Intent.RESCHEDULE, "ca")


def test_the_language_is_that_of_the_words() -> None:
    assert [
        reading(text).language for text in ("si", "sí gràcies", "vale gracias", "confirmo", "cancelar", "anul·lar")
    ] == [
        None,
        "ca",
        "es",
        None,
        "es",
        "ca",
    ]


CANCELS = sorted(
    " ".join(words)
    for words, entries in LEXICON.entries.items()
    if any(entry.intent is CANCEL and entry.part is Part.VERB for entry in entries)
)
EVERY_WORD = sorted(LEXICON.words)


@given(st.sampled_from(CANCELS), st.sampled_from(["no", "no la", "no me la", "tampoc", "no vull", "no quiero", "ni"]))
def test_no_negated_verb_ever_cancels(verb: str, negation: str) -> None:
    assert reading(f"{negation} {verb}", YES_NO).intent is not CANCEL


@given(st.lists(st.sampled_from(EVERY_WORD), max_size=8), st.sampled_from([PLAIN, MENU, LIST, YES_NO]))
def test_any_words_are_read_without_an_error(words: list[str], question: Question) -> None:
    result = reading(" ".join(words), question)
    assert not result.sure or result.intent not in {ASK, NONE}
    assert result.number is None or result.number in question.offered


@given(st.text(max_size=400))
def test_any_text_is_read_and_only_words_of_the_lexicon_decide(text: str) -> None:
    result = reading(text)
    assert not (result.intent is CANCEL and result.sure) or text.strip()


@given(st.sampled_from(CANCELS), st.text(alphabet="bcdfghjkmpqrtvwxz", min_size=7, max_size=12))
def test_a_word_that_the_lexicon_does_not_have_prevents_a_cancellation(verb: str, word: str) -> None:
    assert not reading(f"{verb} {word}").sure


@pytest.mark.parametrize(
    "text",
    ["No, vindré", "No. Vindré", "No\nvindré", "No, hi seré", "No, iré", "No, voy a ir", "No, no, vindré",
     "Hola, no, iré", "No: puc venir", "No - puedo ir", "cancelar cancelación",
     "vull anul·lar l'anul·lació", "anular la anulación"],
)  # fmt: skip
def test_what_may_be_the_contrary_of_a_cancellation_is_asked_back(text: str) -> None:
    """The answer "No, vindré" to our own question once cancelled the appointment."""
    assert understand(text, LEXICON).intent is Intent.ASK


@pytest.mark.parametrize(
    "text", ["No, no puc venir", "no vindré", "No, no vindré", "No, no puedo ir", "No puc venir, no"]
)
def test_a_no_before_a_cancellation_says_it_twice(text: str) -> None:
    assert understand(text, LEXICON).intent is Intent.CANCEL
