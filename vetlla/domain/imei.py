"""IMEI: 15 digits that identify a device with a SIM card; the last is a check digit (3GPP TS 23.003, annex B)."""

from __future__ import annotations

from typing import Final

from stdnum import imei, luhn

DIGITS: Final = 15


def checked(text: str) -> str:
    """Return the text if it is an IMEI. Raises ValueError with the reason why it is not."""
    # The library also accepts 14 digits, 16 digits, and hyphens.
    if not (text.isascii() and text.isdigit() and len(text) == DIGITS):
        raise ValueError(f"an IMEI has {DIGITS} digits")
    if not imei.is_valid(text):
        raise ValueError("the IMEI's check digit does not fit")
    return text


def with_check_digit(body: str) -> str:
    """Return the IMEI that begins with these 14 digits."""
    return body + luhn.calc_check_digit(body)
