"""Guards texts that a spreadsheet would compute when they are written as CSV, and restores them when they are read.

A cell is a formula if it begins with =, +, - or @, also after blanks and quotes. A spreadsheet may take another
character for the separator. Where the comma is the decimal sign, it reads ``a;=HYPERLINK(...)`` as two cells, even
within quotes. So an apostrophe is written before each such sign wherever a cell could begin (OWASP, CSV Injection).
Reading removes exactly these apostrophes. A spreadsheet also marks a text by an apostrophe before its first digit.
Reading removes that one, too, so writing adds one to a text that itself begins with such an apostrophe.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"
"""Signs that begin a formula. Spreadsheets treat their full-width forms in the same way."""
_SEPARATORS = frozenset(";,|\t\r\n")
_BETWEEN = r"""[;,|\s"']"""
_PLACE = re.compile(rf"(?<!{_BETWEEN}){_BETWEEN}*+(?=[{_SIGNS}])|^{_BETWEEN}*+(?=[0-9])")
"""Blanks, quotes and separators before a sign; before a digit only those at the beginning of the text."""
_SUSPECT = re.compile(rf"{_BETWEEN}[{_SIGNS}]|'[0-9]")


def guarded_row(row: Sequence[object]) -> Sequence[object]:
    """Return a row so that a spreadsheet computes none of its texts."""
    # The whole row is searched at once: a park has four million cells, and hardly any of them needs an apostrophe.
    texts = "\n".join([value for value in row if value.__class__ is str])
    if not _SUSPECT.search("\n" + texts):
        return row
    return [guarded(value) if isinstance(value, str) else value for value in row]


def guarded(text: str) -> str:
    """Return a text so that a spreadsheet does not compute it, nor any part of it."""
    return _PLACE.sub(lambda place: place[0] + "'" if _is_open(place) else place[0], text)


def unguarded(text: str) -> str:
    """Return the text that ``guarded`` was given. Remove also the mark that a spreadsheet put before a text."""
    return _PLACE.sub(lambda place: place[0][:-1] if place[0].endswith("'") and _is_open(place) else place[0], text)


def _is_open(place: re.Match[str]) -> bool:
    """Return True if a cell could begin here."""
    if place.string[place.end()].isdecimal():
        return place[0].endswith("'")
    return place.start() == 0 or not _SEPARATORS.isdisjoint(place[0])
