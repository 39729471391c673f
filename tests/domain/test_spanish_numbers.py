"""Check characters of tax numbers and bank accounts."""

from __future__ import annotations

from vetlla.domain.spanish_numbers import is_iban, is_tax_number


def test_a_tax_number_is_checked() -> None:
    """Companies, public bodies and persons have different check characters."""
    assert all(map(is_tax_number, ("B00000000", "Q0000000J", "00000000T")))
    assert not any(map(is_tax_number, ("B00000001", "Q0000000K", "00000000A", "")))


def test_an_account_is_checked() -> None:
    """The example of the standard's registry is right, and a changed digit is not."""
    assert is_iban("ES9121000418450200051332")
    assert not any(map(is_iban, ("ES9121000418450200051333", "ES91", "")))
