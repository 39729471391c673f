"""The columns of one file: where each stands, and which of its texts can be taken as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.columns import Column, Holds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_CELL = 2000
"""Longest cell of any kind in characters: a home with fifty suspended periods fits."""

_BEGINS_AND_ENDS = re.compile(rf"\w(?:.{{0,{MAX_CELL - 2}}}\S)?").fullmatch
"""A text that begins with a letter or digit and does not end with a blank: a spreadsheet put nothing around it."""
_PLAIN: Mapping[Holds, Callable[[str], object]] = {
    Holds.TEXT: _BEGINS_AND_ENDS,
    Holds.LIST: _BEGINS_AND_ENDS,
    Holds.CODE: str.isalnum,
}
"""Test of a text that needs no closer look, by what a column holds.

Columns of other kinds need no such test, because their types refuse odd texts."""


class FileColumn(NamedTuple):
    """The place of a column in the file, and how its cells become texts."""

    at: int
    name: str
    is_plain: Callable[[str], object] | None
    """Returns a true value for a text that can be checked as it is. None if every text can."""
    column: Column
    words: Mapping[str, str]


def file_column(index: int, column: Column, words: Mapping[str, str]) -> FileColumn:
    """Return the place of a column in a file; ``words`` are the file's words that a mapping translates."""
    # str.isspace is false for every text that is not blank, so each of them gets a closer look and is translated.
    is_plain = str.isspace if words else _PLAIN.get(column.holds)
    return FileColumn(index, column.name, is_plain, column, words)
