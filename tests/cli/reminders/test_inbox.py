"""``vetlla reminders inbox``: replies that only a person understands."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import key
from tests.rigs.reminders_desk import ANNA, BIEL
from vetlla.domain import tomlfile
from vetlla.domain.messages import Channel
from vetlla.service.reminders.lexicon import lexicon_of
from vetlla.store.reminders import appointments, cancellations, citizens, replies
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld

INBOX = ("reminders", "inbox")
FIELDS = [
    "reply", "received", "channel", "kind", "phone", "text", "language", "why", "opened", "answer_until",
    "appointments",
]  # fmt: skip


def waiting(vetlla: Vetlla) -> list[object]:
    """Return the numbers of the replies that wait."""
    return [one["reply"] for one in vetlla(*INBOX, "list", "--json").json]


def is_confirmed(desk: DeskWorld, name: str) -> bool:
    """Return whether the citizen confirmed an appointment."""
    kept = appointments.kept(desk.db, key(name))
    return kept is not None and kept.is_confirmed


def wanted(desk: DeskWorld, name: str) -> str | None:
    """Return the state of the cancellation of an appointment; None if there is none."""
    kept = appointments.kept(desk.db, key(name))
    assert kept is not None
    found = cancellations.cancellation(desk.db, key(name), kept.appointment.start)
    return found and found.state


# --- list -------------------------------------------------------------------------------------------------------------


def test_replies_are_listed_with_the_senders_own_appointments(vetlla: Vetlla, desk: DeskWorld) -> None:
    done = vetlla(*INBOX, "list", "--json")
    anna, biel = done.json
    assert list(anna) == FIELDS
    assert [one["appointment"] for one in anna["appointments"]] == ["lleida/a1", "lleida/a2"]
    assert (anna["text"], anna["phone"]) == ("Quina documentació he de portar?", "\u2026001")
    assert anna["answer_until"] is not None
    assert biel["answer_until"] is None
    assert ANNA not in done.out
    assert "lleida/a1" in vetlla(*INBOX, "list").out


# --- answer -----------------------------------------------------------------------------------------------------------


def test_an_answer_goes_out_on_the_channel_that_the_citizen_used(vetlla: Vetlla, desk: DeskWorld) -> None:
    (told,) = vetlla(*INBOX, "answer", 1, "Porteu el DNI.", "--json").json
    assert (told["channel"], told["segments"], told["answer"]) == ("whatsapp", 0, "Porteu el DNI.")
    assert "by sms\n" in vetlla(*INBOX, "answer", 2, "Us esperem.").out
    assert desk.answers() == [("whatsapp", "Porteu el DNI."), ("sms", "Us esperem.")]
    assert waiting(vetlla) == []
    assert desk.audited() == [("inbox answered", "reply 1"), ("inbox answered", "reply 2")]


def test_a_reply_is_closed_once(vetlla: Vetlla, desk: DeskWorld) -> None:
    assert vetlla(*INBOX, "answer", 1, "--close").status == 0
    done = vetlla(*INBOX, "answer", 1, "Porteu el DNI.")
    assert done.status == os.EX_USAGE
    assert "has closed reply 1" in done.error
    assert vetlla(*INBOX, "answer", 77, "--close").status == os.EX_USAGE
    assert desk.answers() == []


def test_after_24_hours_whatsapp_takes_no_free_message(vetlla: Vetlla, desk: DeskWorld) -> None:
    desk.now -= timedelta(hours=24)
    number = desk.writes("+34600000003", "Hola", Channel.WHATSAPP)
    done = vetlla(*INBOX, "answer", number, "Bon dia.")
    assert done.status == os.EX_USAGE
    assert "24 hours" in done.error
    assert "telephone the citizen" in done.error
    assert number in waiting(vetlla)
    assert vetlla(*INBOX, "answer", number, "--close").status == 0


def test_a_newer_message_of_the_citizen_opens_the_window_again(vetlla: Vetlla, desk: DeskWorld) -> None:
    desk.now -= timedelta(hours=24)
    number = desk.writes(ANNA, "Hola", Channel.WHATSAPP)
    assert vetlla(*INBOX, "answer", number, "Bon dia.").status == 0


def test_an_sms_is_answered_also_after_24_hours(vetlla: Vetlla, desk: DeskWorld) -> None:
    desk.now -= timedelta(hours=30)
    number = desk.writes("+34600000003", "Hola", Channel.SMS)
    assert vetlla(*INBOX, "answer", number, "Bon dia.").status == 0


@pytest.mark.parametrize("text", ["", " ", "a\x1b[31m", "x" * 1_001])
def test_an_answer_that_cannot_be_sent_is_refused(vetlla: Vetlla, desk: DeskWorld, text: str) -> None:
    assert vetlla(*INBOX, "answer", 1, text).status == os.EX_USAGE
    assert desk.answers() == []
    assert waiting(vetlla) == [1, 2]


# --- what a person decides --------------------------------------------------------------------------------------------


def test_a_person_confirms_and_the_citizen_reads_the_offices_own_words(vetlla: Vetlla, desk: DeskWorld) -> None:
    (told,) = vetlla(*INBOX, "answer", 2, "--confirm", "b1", "--json").json
    assert (told["decision"], told["appointment"]) == ("confirm", "lleida/b1")
    assert is_confirmed(desk, "b1")
    ((channel, text),) = desk.answers()
    assert channel == "sms"
    assert "Us esperem" in text
    assert desk.audited() == [("inbox confirm", "reply 2")]


def test_a_confirmation_can_have_a_text_of_its_own(vetlla: Vetlla, desk: DeskWorld) -> None:
    assert vetlla(*INBOX, "answer", 2, "Fins demà!", "--confirm", "lleida/b1").status == 0
    assert desk.answers() == [("sms", "Fins demà!")]


def test_a_cancellation_is_wanted_and_its_outcome_is_the_answer(vetlla: Vetlla, desk: DeskWorld) -> None:
    done = vetlla(*INBOX, "answer", 1, "--cancel", "a2")
    assert done.status == 0
    assert (wanted(desk, "a1"), wanted(desk, "a2")) == (None, "wanted")
    (due,) = cancellations.due_cancellations(desk.db, desk.now + timedelta(hours=1))
    assert due.reply == 1
    assert desk.answers() == []


def test_a_mistyped_key_never_touches_the_appointment_of_another_person(vetlla: Vetlla, desk: DeskWorld) -> None:
    for name in ("b1", "lleida/b1", "a", "", "lleida/"):
        done = vetlla(*INBOX, "answer", 1, "--cancel", name)
        assert done.status == os.EX_USAGE
    assert wanted(desk, "b1") is None
    assert "lleida/a1, lleida/a2" in vetlla(*INBOX, "answer", 1, "--cancel", "b1").error
    assert waiting(vetlla) == [1, 2]
    assert desk.audited() == []


def test_what_is_cancelled_or_past_is_neither_confirmed_nor_cancelled(vetlla: Vetlla, desk: DeskWorld) -> None:
    with atomic(desk.db):
        appointments.mark_cancelled(desk.db, key("b1"), desk.now, "office")
        cancellations.want_cancelled(desk.db, key("a1"), desk.now + timedelta(days=1), None, desk.now)
    for name, number in (("b1", 2), ("a1", 1)):
        for option in ("--confirm", "--cancel"):
            assert vetlla(*INBOX, "answer", number, option, name).status == os.EX_USAGE
        assert not is_confirmed(desk, name)
    desk.book("a0", ANNA, 0)
    desk.poll()
    assert vetlla(*INBOX, "answer", 1, "--cancel", "a0").status == os.EX_USAGE


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("Text", "--close"),
        ("Text", "--cancel", "a1"),
        ("--confirm", "a1", "--cancel", "a1"),
        ("--confirm", "a1", "--close"),
    ],
)
def test_a_mixture_of_answers_is_refused(vetlla: Vetlla, desk: DeskWorld, words: tuple[str, ...]) -> None:
    assert vetlla(*INBOX, "answer", 1, *words).status == os.EX_USAGE
    assert waiting(vetlla) == [1, 2]


# --- teach ------------------------------------------------------------------------------------------------------------


def test_a_suggestion_is_written_in_the_lexicons_form_and_beside_it(
    vetlla: Vetlla, desk: DeskWorld, state_dir: Path
) -> None:
    done = vetlla(*INBOX, "teach", 2, "confirm", "--language", "ca", "--json")
    (told,) = done.json
    file = state_dir / "suggestions" / "ca.toml"
    assert (told["phrase"], told["intent"], told["file"]) == ("Doncs allà em tindreu", "confirm", str(file))
    vetlla(*INBOX, "teach", 2, "confirm", "--language", "ca", "--phrase", 'em "tindreu"')
    document = tomlfile.document(file.read_bytes())
    assert document == {
        "language": "ca",
        "confirm": {"phrases": ["Doncs allà em tindreu", 'em "tindreu"']},
    }
    assert lexicon_of([document]).entries
    assert waiting(vetlla) == [1, 2]
    assert ("taught", "reply 2") in desk.audited()


def test_what_a_suggestion_changes_is_shown_and_what_it_makes_wrong(
    vetlla: Vetlla, desk: DeskWorld, tmp_path: Path, state_dir: Path
) -> None:
    corpus = tmp_path / "corpus.ndjson"
    recorded = [
        {"text": "Doncs allà em tindreu", "means": "confirm", "awaiting": 1, "offered": []},
        {"text": "doncs alla em tindreu!", "means": "cancel", "awaiting": 1, "offered": []},
        {"text": "anul·lar", "means": "cancel", "awaiting": 1, "offered": []},
    ]
    corpus.write_text("".join(json.dumps(one) + "\n" for one in recorded), encoding="utf-8")
    words = (*INBOX, "teach", 2, "confirm", "--language", "ca", "--corpus", corpus, "--dry-run")
    (told,) = vetlla(*words, "--json").json
    assert [(one["means"], one["after"], one["wrong"]) for one in told["changes"]] == [
        ("confirm", "confirm", False),
        ("cancel", "confirm", True),
        (None, "confirm", False),
    ]
    assert (told["wrong"], told["file"]) == (1, None)
    assert "WRONG  doncs alla em tindreu!" in vetlla(*words).out
    assert not (state_dir / "suggestions").exists()


def test_a_phrase_of_another_meaning_is_refused(vetlla: Vetlla, desk: DeskWorld, state_dir: Path) -> None:
    done = vetlla(*INBOX, "teach", 2, "cancel", "--language", "ca", "--phrase", "hi seré")
    assert done.status == os.EX_USAGE
    assert '"hi sere" means cancel and confirm' in done.error
    assert "--phrase" in done.error
    assert not (state_dir / "suggestions").exists()


def test_earlier_suggestions_are_not_shown_again_and_not_contradicted(vetlla: Vetlla, desk: DeskWorld) -> None:
    words = (*INBOX, "teach", 2, "--language", "ca")
    vetlla(*words, "confirm")
    (told,) = vetlla(*words, "help", "--phrase", "quina documentació he de portar", "--json").json
    assert "Doncs allà em tindreu" not in {one["text"] for one in told["changes"]}
    assert vetlla(*words, "cancel").status == os.EX_USAGE


@pytest.mark.parametrize("text", ["x", 'language = "ca"\nconfirm = 1', '[confirm]\nphrases = "a"', 'language = "fr"'])
def test_a_broken_file_of_suggestions_is_reported_and_stays(
    vetlla: Vetlla, desk: DeskWorld, state_dir: Path, text: str
) -> None:
    (state_dir / "suggestions").mkdir()
    file = state_dir / "suggestions" / "ca.toml"
    file.write_text(text, encoding="utf-8")
    assert vetlla(*INBOX, "teach", 2, "confirm", "--language", "ca").status in {os.EX_USAGE, os.EX_CONFIG}
    assert file.read_text(encoding="utf-8") == text


def test_the_language_is_the_citizens_or_must_be_named(vetlla: Vetlla, desk: DeskWorld) -> None:
    assert vetlla(*INBOX, "teach", 2, "confirm").status == os.EX_USAGE
    with atomic(desk.db):
        citizens.remember_language(desk.db, desk.citizen(BIEL), "es")
    assert vetlla(*INBOX, "teach", 2, "confirm", "--json").json[0]["language"] == "es"


def test_a_closed_reply_keeps_what_was_taught(vetlla: Vetlla, desk: DeskWorld) -> None:
    vetlla(*INBOX, "teach", 2, "confirm", "--language", "ca")
    vetlla(*INBOX, "answer", 2, "--close")
    entry = replies.inbox_entry(desk.db, 2)
    assert entry is not None
    assert entry.closed_at is not None
    assert desk.db.execute("SELECT taught FROM inbox WHERE reply = 2").fetchone()[0] == "confirm"


@pytest.mark.parametrize("phrase", ["?!", "x" * 81, "a\x1bb"])
def test_a_phrase_that_no_lexicon_can_have_is_refused(vetlla: Vetlla, desk: DeskWorld, phrase: str) -> None:
    assert vetlla(*INBOX, "teach", 2, "confirm", "--language", "ca", "--phrase", phrase).status == os.EX_USAGE
