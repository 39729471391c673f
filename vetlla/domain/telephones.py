"""Telephone numbers: which texts can be one. A text that can be one is kept as a person wrote it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    number_type,
    parse,
)

COUNTRY: Final = "ES"
"""Country of a number that begins neither with + nor with 00."""
COUNTRY_CODE: Final = 34
REMEMBERED: Final = 1 << 10
"""Most numbers in the cache. Nearly every home has a number of its own, so a larger cache would seldom help."""

LONGEST_NOTE: Final = 200
"""Most characters in which a number is looked for. A field of a number has one or two numbers and a few words."""

_WRITTEN = re.compile(r"\+?[0-9 ]{3,20}")
_NATIONAL = re.compile(r"[1-9][0-9]{2,8}")
"""A number that has no code of a country: it has nine digits or is wrong."""
_RUN = re.compile(r"(?:\+|\(\+?)?\d(?:[ ().\-]{0,2}\d){5,18}")
"""Digits that may belong together, as people write numbers: ``+34 600-000-001``, ``(0034) 600.00.00.01``."""
_SPANISH = re.compile(r"\+34[6-9][0-9]{8}")
"""Every number of Spain for people: mobile, landline and special rates; other first digits are short numbers."""
_IN_SPAIN = re.compile(r"(?:\+34|0034|34)?([6-9][0-9]{8})", re.ASCII)
"""A number of Spain as a PBX writes it, without blanks."""
WITHHELD: Final = frozenset({"anonymous", "restricted", "private", "withheld", "unknown", "unavailable", "invalid"})
"""Words in the place of a caller's number that was withheld or did not come (RFC 3323, 4.1; Asterisk, callerid.c)."""
_BETWEEN = str.maketrans("", "", " ().-/")
"""Characters that people put between the digits."""
_REASONS: Final = {
    ValidationResult.TOO_SHORT: "has too few digits for a telephone number",
    ValidationResult.TOO_LONG: "has too many digits for a telephone number",
    ValidationResult.INVALID_COUNTRY_CODE: "begins with an unknown country code",
}


@lru_cache(maxsize=REMEMBERED)
def checked(text: str) -> str:
    """Return the text if it can be a telephone number. Raises ValueError with the reason why it cannot.

    Only its country and its length decide: operators open ranges of numbers that no list has yet.
    """
    result = _result(written(text))
    if result != ValidationResult.IS_POSSIBLE:
        raise ValueError(f"{text} {_REASONS.get(result, 'has a wrong number of digits for a telephone number')}")
    return text


_WITHOUT_MESSAGES: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
"""Kinds of numbers that get no messages, as the library's list of the countries' numbering plans has them."""


@lru_cache(maxsize=REMEMBERED)
def gets_messages(phone: str) -> bool:
    """Return False for a landline or a service number. A number of an unknown kind may be a mobile one."""
    try:
        return number_type(parse(phone, COUNTRY)) not in _WITHOUT_MESSAGES
    except NumberParseException:
        return False


def written(text: str) -> str:
    """Return the text if it is written as a telephone number is, of any length. Raises ValueError."""
    if not _WRITTEN.fullmatch(text):
        raise ValueError("telephone numbers are digits, separated by ';'")
    return text


def _result(text: str) -> int:
    if _NATIONAL.fullmatch(text):
        # Nearly all numbers are national. The library's parser takes 14 us, too long for a park of 95,000 homes.
        return is_possible_number_with_reason(PhoneNumber(country_code=COUNTRY_CODE, national_number=int(text)))
    try:
        return is_possible_number_with_reason(parse(text, COUNTRY))
    except NumberParseException as error:
        match error.error_type:
            case NumberParseException.INVALID_COUNTRY_CODE:
                return ValidationResult.INVALID_COUNTRY_CODE
            case NumberParseException.TOO_LONG:
                return ValidationResult.TOO_LONG
        return ValidationResult.TOO_SHORT


def e164(text: str) -> str:
    """Return the first number in a text as E.164 (``+34600000001``); "" if there is none that can be dialled.

    People write numbers in many ways, and a word beside them: ``600 000 001 (mare)``. A number without a country is
    one of Spain.
    """
    for run in _RUN.findall(text[:LONGEST_NOTE]):
        try:
            number = parse(run, COUNTRY)
        except NumberParseException:
            continue
        written = format_number(number, PhoneNumberFormat.E164)
        if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
            continue
        if number.country_code != COUNTRY_CODE or _SPANISH.fullmatch(written):
            return written
    return ""


def is_withheld(text: str) -> bool:
    """Return True if a text stands in the place of a number and says that there is none."""
    return text.strip(" <>").casefold() in WITHHELD


def dialled(text: str) -> str:
    """Return a number as a PBX received or dialled it: E.164 if it can be one, else the text without blanks.

    A word that says that the number was withheld is no number, so this returns "" for it.
    Nearly all numbers are Spanish, and the library's parser takes 14 us: too long for the million calls of a year.
    """
    plain = text.translate(_BETWEEN)
    if found := _IN_SPAIN.fullmatch(plain):
        return f"+{COUNTRY_CODE}{found[1]}"
    return _foreign(plain) if plain and not is_withheld(text) else ""


@lru_cache(maxsize=REMEMBERED)
def _foreign(plain: str) -> str:
    return e164(plain) or plain
