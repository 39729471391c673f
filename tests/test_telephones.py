"""Telephone numbers: a text that can be one is kept as it is, and any other has a reason."""

from __future__ import annotations

import pytest

from vetlla.domain.telephones import checked


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
