"""Numbers that an invoice has: tax numbers of Spain and bank accounts by their check characters, and DIR3 codes."""

from __future__ import annotations

import re
from typing import Final

from stdnum import iban
from stdnum.es import nif

_NATURAL: Final = re.compile(r"[0-9KLMXYZ]")
"""First character of a person's tax number; all others are of companies and public bodies."""
_DIR3: Final = re.compile(r"(?=.{9}\Z)[A-Z]{1,2}[0-9]{7,8}", re.ASCII)
"""Codes of the common directory of public offices have nine characters: one or two letters, and digits (LA0007817)."""
_POSTCODE: Final = re.compile(r"[0-9]{5}", re.ASCII)


def is_tax_number(text: str) -> bool:
    """Return True if a text is a tax number of Spain (NIF) of a person, a company or a public body."""
    return bool(nif.is_valid(text))


def is_of_person(tax_number: str) -> bool:
    """Return True if a tax number is one of a person, by its first character."""
    return _NATURAL.match(tax_number) is not None


def is_dir3(text: str) -> bool:
    """Return True if a text has the form of a DIR3 code. Whether the office exists, only the directory knows."""
    return _DIR3.fullmatch(text) is not None


def is_postcode(text: str) -> bool:
    """Return True if a text is a postcode of Spain: five digits."""
    return _POSTCODE.fullmatch(text) is not None


def is_iban(text: str) -> bool:
    """Return True if a text is the number of a bank account of any country (ISO 13616)."""
    return bool(iban.is_valid(text))
