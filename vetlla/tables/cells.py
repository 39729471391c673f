"""Turns a cell of a file into the text that its writer meant, and refuses a value that a spreadsheet has changed.

Spreadsheets and JSON have numbers, dates and truth values as well as texts. In a column of texts, such a value is not
what a person wrote: 0123 became 123, a serial of 20 digits lost the last five, 2-3 became a date. Vetlla never guesses
the original text.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import NamedTuple

from vetlla.domain.columns import Column, Holds

MAX_SHOWN = 64
"""Most characters of a refused value that a message repeats."""
EXACT_DIGITS = 15
"""Digits of a number that spreadsheets keep. They replace every later digit by 0."""
_NOT_TEXT = "format the column as text and write the value again; in JSON put it in quotes"
_ERRORS = re.compile(r"#\S+[!?]|#(?:N/[AD]|NV|REF|VALUE|VALOR|NUM|NULL?|CALC|GETTING_DATA)|#+|Err:\d{3}", re.IGNORECASE)
"""Errors as Excel and LibreOffice write them, in any language, and the ### of a column that is too narrow."""
_QUOTED = re.compile(r'="((?:[^"]|"")*)"')
"""``="0123"``: a formula that contains only a text. Programs write it to keep leading zeros."""
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d*[Ee][+-]?|[Ee]\+)\d{1,3}")
"""``1.2E+20``, ``3,53512E+14``: how a long number is saved as text (microsoftgraph/powershell-intune-samples 140).

A program may write ``1.2e20`` or ``1e+21``. ``1E20`` does not match, because it may be a hexadecimal code.
"""
_DECIMAL = re.compile(r"\d+[.,]0+")
"""``123.0``: programs that keep numbers as floats save a column with empty cells like this (pandas 20717)."""
BLANK = "\0\x1a\ufeff\u200b\xa0 \t\r\n\v\f"
"""Characters without a meaning: white space, NUL and Ctrl-Z after the end of a file, marks without width."""


class Broken(NamedTuple):
    """A row or cell that cannot be read: its text, and the reason."""

    text: str
    reason: str


def is_blank(cell: object) -> bool:
    """Return True if a cell is empty or has only characters without a meaning."""
    return cell is None or (isinstance(cell, str) and not cell.strip(BLANK))


def shown(cell: object) -> str:
    """Return a cell as a fault shows it, and as a mapping file would name it."""
    if cell is None:
        return ""
    if isinstance(cell, Broken):
        return cell.text
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return (
        str(int(cell)) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**EXACT_DIGITS else str(cell)
    )


def text_of(cell: object, column: Column) -> str:
    """Return the text of a cell of any type. Raises ValueError if the column cannot take its value."""
    holds = column.holds
    match cell:
        case None:
            return ""
        case Broken(_, reason):
            raise ValueError(reason)
        case str():
            return meant(cell.strip(), column)
        case list() if holds is Holds.LIST:
            return ";".join(text_of(one, column) for one in cell)
        case bool():
            if holds is not Holds.TRUTH:
                raise ValueError(f"is true or false, not {holds.value}: {_NOT_TEXT}")
            return shown(cell)
        case int() | float():
            return _number(cell, column)
        case date():
            return _date(cell, holds)
    raise ValueError(f"should be {holds.value}")


def meant(text: str, column: Column) -> str:
    """Return a text without the signs that a spreadsheet put around it. Raises ValueError if it changed the value."""
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1].replace('""', '"').strip()
    if _ERRORS.fullmatch(text):
        raise ValueError("is an error of the spreadsheet, or its column is too narrow: correct it there")
    if column.holds is Holds.CODE:
        if _SCIENTIFIC.fullmatch(text):
            raise ValueError(f"is a number that a spreadsheet has shortened: {_NOT_TEXT}")
        if _DECIMAL.fullmatch(text):
            raise ValueError(f"is a number with decimals, so leading zeros may be lost: {_NOT_TEXT}")
    return text


def _date(cell: date, holds: Holds) -> str:
    match holds:
        case Holds.MOMENT:
            return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
        case Holds.DAY:
            return (cell.date() if isinstance(cell, datetime) else cell).isoformat()
    raise ValueError(f"is a date, which the spreadsheet made of {holds.value}: {_NOT_TEXT}")


def _number(number: float, column: Column) -> str:
    text = shown(number)
    match column.holds:
        case Holds.NUMBER | Holds.TRUTH:
            return text
        case Holds.DAY | Holds.MOMENT:
            raise ValueError("is a number, not a date: format the column as a date")
        case _ if column.digits and text.isdecimal() and len(text) == column.digits <= EXACT_DIGITS:
            return text
        case _ if abs(number) >= 10**EXACT_DIGITS:
            raise ValueError(f"is a number, and the digits after its 15th digit are lost: {_NOT_TEXT}")
    raise ValueError(f"is a number, which loses leading zeros: {_NOT_TEXT}")
