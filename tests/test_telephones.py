"""Telephone numbers: a text that can be one is kept as it is, and any other has a reason."""

from __future__ import annotations

import pytest

from vetlla.domain.telephones import checked, dialled, e164


@pytest.mark.parametrize(
    "text",
    [
        "931234567",
        "93 123 45 67",
        "600000000",
        "900000001",  # the range that Spain never assigns, for samples and tests
        "+34931234567",
        "+34 931 234 567",
        "0034 931234567",
        "34931234567",
        "+33612345678",
        "0033 6 12 34 56 78",
        "+376 812 345",
    ],
)
def test_a_number_is_kept_as_it_was_written(text: str) -> None:
    """A number of Spain may have +34 or not; one of another country begins with + or 00 and the country's code."""
    assert checked(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("112", "112 has too few digits for a telephone number"),
        ("93123456", "93123456 has too few digits for a telephone number"),
        ("+34 9312345", "has too few digits for a telephone number"),
        ("0034", "has too few digits for a telephone number"),
        ("   ", "has too few digits for a telephone number"),
        ("9312345678", "has too many digits for a telephone number"),
        ("612345678901234", "has too many digits for a telephone number"),
        ("12345678901234567890", "has too many digits for a telephone number"),
        ("+999 123456789", "+999 123456789 begins with an unknown country code"),
        ("93-123-45-67", "telephone numbers are digits, separated by ';'"),
        ("931234567, 931234568", "telephone numbers are digits, separated by ';'"),
        ("931234567 ext 5", "telephone numbers are digits, separated by ';'"),
        ("93A234567", "telephone numbers are digits, separated by ';'"),
        ("", "telephone numbers are digits, separated by ';'"),
    ],
)
def test_a_text_that_cannot_be_a_number_has_a_reason(text: str, reason: str) -> None:
    """The reason names the number, because a cell may hold several."""
    with pytest.raises(ValueError, match=r".") as caught:
        checked(text)

    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "600000001",
        "600 000 001",
        "600-000-001",
        "600.00.00.01",
        "+34600000001",
        "+34 600 00 00 01",
        "(+34) 600000001",
        "0034600000001",
        "00 34 600 000 001",
        "34600000001",
        " 600000001\n",
        "600000001 (mare)",
        "tel. 600000001 / 600000002",
        "DNI 00000000T, mòbil 600000001",
    ],
)
def test_a_number_becomes_e164_however_a_person_wrote_it(text: str) -> None:
    """The first number that can be dialled counts."""
    assert e164(text) == "+34600000001"


def test_landlines_and_numbers_of_other_countries_are_kept() -> None:
    """Which channel reaches a number is decided elsewhere."""
    assert e164("973 000 000") == "+34973000000"
    assert e164("+33 6 12 34 56 78") == "+33612345678"


@pytest.mark.parametrize(
    "text",
    ["", "no en té", "06-00000001", "12345", "123456789", "600000001234", "+", "112", "x" * 500 + "600000001"],
)
def test_a_text_without_a_number_that_can_be_dialled_gives_none(text: str) -> None:
    """A short number, a number of another plan without its country, a word: none of them is guessed at."""
    assert e164(text) == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("900000001", "+34900000001"),
        ("+34 900 000 001", "+34900000001"),
        ("0034900000001", "+34900000001"),
        ("34900000001", "+34900000001"),
        ("(+34) 900-000-001", "+34900000001"),
        ("900/000/001", "+34900000001"),
        ("+33612345678", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("101", "101"),
        ("112", "112"),
        ("porter", "porter"),
        ("anonymous", ""),
        ("", ""),
    ],
)
def test_a_number_of_a_pbx_is_one_text_however_it_was_written(text: str, number: str) -> None:
    """Extensions and names stay as they are; a slash in a number does not hide its home (zammad issue 4872)."""
    assert dialled(text) == number
