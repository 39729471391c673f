"""Texts that a spreadsheet would compute: guarded in what is written as CSV, and given back as they were when read.

A cell is a formula if =, +, - or @ stands in front, behind whatever blanks and quotes. A spreadsheet that takes another
character for the separator begins a cell in the middle of a text, quotes or not: where the comma is the decimal sign it
reads ``a;=HYPERLINK(...)`` as two cells. So an apostrophe goes before each such sign, wherever a cell could begin
(OWASP, CSV Injection). Reading takes exactly these away again. An apostrophe before a digit at the beginning is the
mark by which spreadsheets know a text; it is taken away, too, so that one that belongs to a text gets another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"
"""With those of full width, which spreadsheets take for the same."""
_SEPARATORS = frozenset(";,|\t\r\n")
_BETWEEN = r"""[;,|\s"']"""
_PLACE = re.compile(rf"(?<!{_BETWEEN}){_BETWEEN}*+(?=[{_SIGNS}])|^{_BETWEEN}*+(?=[0-9])")
"""All that stands between a sign and the last letter before it. A digit counts at the beginning alone."""
_SUSPECT = re.compile(rf"{_BETWEEN}[{_SIGNS}]|'[0-9]")


def guarded_row(row: Sequence[object]) -> Sequence[object]:
    """Return a row so that a spreadsheet computes none of its texts."""
    # One look at the whole row: a park has four million cells, and hardly one of them needs more.
    texts = "\n".join([value for value in row if value.__class__ is str])
    if not _SUSPECT.search("\n" + texts):
        return row
    return [guarded(value) if isinstance(value, str) else value for value in row]


def guarded(text: str) -> str:
    """Return a text so that a spreadsheet does not compute it, nor any part of it."""
    return _PLACE.sub(lambda place: place[0] + "'" if _is_open(place) else place[0], text)


def unguarded(text: str) -> str:
    """Return the text that ``guarded`` was given; and one that a spreadsheet has marked as a text, without the mark."""
    return _PLACE.sub(lambda place: place[0][:-1] if place[0].endswith("'") and _is_open(place) else place[0], text)


def _is_open(place: re.Match[str]) -> bool:
    """Return True if a cell could begin here."""
    if place.string[place.end()].isdecimal():
        return place[0].endswith("'")
    return place.start() == 0 or not _SEPARATORS.isdisjoint(place[0])
