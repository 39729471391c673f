"""Replies as plain words."""

from __future__ import annotations

import pytest

from vetlla.service.reminders.words import words_of


@pytest.mark.parametrize(
    "text",
    [
        "ANUL·LAR",
        "anul.lar",
        "anul-lar",
        "anuŀlar",
        "anul•lar",
        "anul‧lar",
        "anul· lar",
        "Anul'lar",
        "anullar",
        "  Anul·lar!  ",
    ],
)
def test_every_spelling_of_the_double_l_is_one_word(text: str) -> None:
    assert words_of(text) == ["anullar"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SÍ", ["si"]),
        ("👍🏽", ["👍"]),
        ("2.", ["2"]),
        ("2️⃣", ["2"]),
        ("anullar2", ["anullar", "2"]),
        ("no al control. La cita sí", ["no", "al", "control", "la", "cita", "si"]),
        ("Mañana, cancelación", ["manana", "cancelacion"]),
        ("plaça", ["placa"]),
        ("si\u200bi", ["sii"]),
        ("siiii", ["si"]),
        ("\uff4f\uff4b", ["ok"]),
    ],
)
def test_accents_signs_and_invisible_characters_do_not_matter(text: str, words: list[str]) -> None:
    assert words_of(text) == words
