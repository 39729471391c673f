"""Folding to the letters of the SMS alphabet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.segments import outside_gsm_7, segments_of
from vetlla.service.reminders.texts.folding import fold


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("anul·lar la plaça", "anul.lar la placa"),
        ("ANUL·LAR", "ANUL.LAR"),
        ("SÍ, matí, línia, raïm, camió", "SI, mati, linia, raim, camio"),
        ("l\u2019hora\u2026 «avui» \u2013 demà", 'l\'hora... "avui" - demà'),
        ("1a, 2º, 3ª", "1a, 2o, 3a"),
        ("À È Ò Á Ó Ú", "A E O A O U"),
        ("anuŀlar", "anul.lar"),
        ("a\u00a0les\u202f10.30 h", "a les 10.30 h"),
    ],
)
def test_only_what_the_alphabet_lacks_is_replaced(written: str, folded: str) -> None:
    assert fold(written) == folded
    assert not outside_gsm_7(fold(written))


def test_letters_of_the_alphabet_stay() -> None:
    """GSM 7-bit has à, è, é, ò, ü, ñ and Ç, so that these words keep their accents."""
    kept = "gràcies, demà, telèfon, què, més, això, mañana, pingüino, Ç, ¿qué?, 10 €"
    assert fold(kept) == kept


@pytest.mark.parametrize(
    "address",
    [
        "https://cita.example.cat/anul·lació?què=plaça",
        "http://plaça.cat",
        "www.plaça.cat",
        "plaça.cat/cita·prèvia",
        "plaça.cat",
    ],
)
def test_an_address_of_the_web_is_never_changed(address: str) -> None:
    assert fold(f"Cancel·leu a {address} avui") == f"Cancel.leu a {address} avui"


def test_signs_after_an_address_end_the_sentence_and_are_folded() -> None:
    assert fold("a https://example.cat/plaça… «més»") == 'a https://example.cat/plaça... "més"'
    assert fold("(https://example.cat/í)") == "(https://example.cat/í)"


def test_a_decomposed_accent_is_folded_as_the_composed_one() -> None:
    assert fold("si\u0301") == "si"


def test_a_sign_without_a_replacement_stays() -> None:
    assert fold("👍 日") == "👍 日"


def test_the_catalan_reminder_costs_one_segment_instead_of_three() -> None:
    """The figures are those of three calculators of segments for a reminder of this length."""
    written = (
        "Ajuntament de Lleida: us recordem la cita de dimarts 24 de març a les 10.30 h a l'OMAC. "
        "Responeu SÍ per confirmar o ANUL·LAR si no podeu venir-hi."
    )
    assert segments_of(written).segments == 3
    assert segments_of(fold(written)).segments == 1


@given(st.text(max_size=80))
def test_a_text_that_was_folded_is_not_changed_again(said: str) -> None:
    once = fold(said)
    assert fold(once) == once
