"""How large the letters of a table are on paper, how wide its columns, and whether its sheet lies on its side.

Widths of texts are estimated from their letters, so that a table is the same wherever it is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGE, SMALL = 8.0, 7.0
"""Sizes of a table's letters in points. Smaller ones are hard to read on paper."""
UPRIGHT, ACROSS = 515.0, 760.0
"""Width of what is printed on a sheet of A4, in points."""
_PADDING: Final = {LARGE: 7.0, SMALL: 6.0}
"""Points beside the text of a cell, left and right together, for each size."""
_NARROW: Final = frozenset("fijlrtIJ!'()*,-./:;[]|\u00a0\u00b7\u2019\u00ed\u00ef ")
_BROAD: Final = frozenset("mwMW%@\u2014\u2026")
_OF_NARROW, _OF_MEAN, _OF_CAPITAL, _OF_BROAD, _OF_BOLD = 0.335, 0.556, 0.76, 0.95, 1.08
"""Widths of letters as parts of their size; the last one is a factor."""
_OF_DIGIT, _OF_COMMA = 0.36, 0.36
"""Widths of a digit in the mark of a footnote, and of the comma behind it, likewise."""
_LINE: Final = 11.0
"""A text of words needs room for a line of this width, as parts of its size: some 20 letters. The rest is below it."""
_WHOLE, _BROKEN = 9.0, 5.6
"""Longest part of a heading that stays on one line, as parts of its size: a word of 14 letters, or a part of one."""
_LETTERS: Final = {_WHOLE: 15, _BROKEN: 9}
"""Letters from which a word gets hyphens, for each of these."""


class Fit(NamedTuple):
    """How a table is printed."""

    size: float
    """Of its letters, in points."""
    is_across: bool
    """Whether the sheet lies on its side."""
    padding: float
    """Beside the text of a cell, left and right together, in points."""
    widths: list[float]
    """Of its columns, in points."""
    hyphens_from: int
    """Letters from which a word may be broken."""


_WAYS: Final = (
    (UPRIGHT, LARGE, _WHOLE),
    (UPRIGHT, SMALL, _WHOLE),
    (UPRIGHT, SMALL, _BROKEN),
    (ACROSS, LARGE, _WHOLE),
    (ACROSS, SMALL, _BROKEN),
)
"""Width of the sheet, size of the letters, and longest part of a heading on one line; the best way is first."""


class _Need(NamedTuple):
    """Widths of a column as parts of the size of its letters: the least one, and that with each cell on one line."""

    least: float
    most: float


class _Lengths(NamedTuple):
    """How long the longest texts of a column are, as parts of the size of its letters."""

    is_text: bool
    cell: float
    heading: float
    word: float
    """Of the heading."""

    def need(self, longest: float) -> _Need:
        """Return what the column needs, with parts of this length on one line of its heading."""
        least = max(min(self.cell, _LINE) if self.is_text else self.cell, min(self.word, longest))
        return _Need(least, max(self.cell, self.heading))


def fit(table: Mapping[str, Any]) -> Fit:
    """Return how a table of an outline is printed: the first way of ``_WAYS`` in which it fits.

    A table that fits in none gets small letters on a sheet that lies on its side, and its columns share the width.
    """
    lengths = [_lengths(table, place) for place in range(len(table["headings"]))]
    for width, size, longest in _WAYS:
        needs = [one.need(longest) for one in lengths]
        padding = _PADDING[size]
        if sum(need.least * size + padding for need in needs) <= width:
            return Fit(size, width > UPRIGHT, padding, _widths(needs, size, width), _LETTERS[longest])
    needs = [one.need(_BROKEN) for one in lengths]
    least, padding = sum(need.least for need in needs), _PADDING[SMALL]
    shared = (ACROSS - padding * len(needs)) / least
    return Fit(
        size=SMALL,
        is_across=True,
        padding=padding,
        widths=[round(padding + shared * need.least, 1) for need in needs],
        hyphens_from=_LETTERS[_BROKEN],
    )


def _widths(needs: list[_Need], size: float, width: float) -> list[float]:
    """Return the widths of columns. What is left of the sheet goes to those whose cells have no room on one line."""
    least = [need.least * size + _PADDING[size] for need in needs]
    wanted = [(need.most - need.least) * size for need in needs]
    left = width - sum(least)
    share = min(1.0, left / sum(wanted)) if sum(wanted) else 0.0
    return [round(narrow + more * share, 1) for narrow, more in zip(least, wanted, strict=True)]


def _lengths(table: Mapping[str, Any], place: int) -> _Lengths:
    heading = table["headings"][place]
    return _Lengths(
        is_text=heading["kind"] in {"word", "name"},
        cell=max((_cell(row["cells"][place]) for row in table["rows"]), default=0.0),
        heading=_length(heading["text"]) * _OF_BOLD,
        word=max((_length(word) * _OF_BOLD for word in heading["text"].split()), default=0.0),
    )


def _cell(cell: Mapping[str, Any]) -> float:
    return _length(cell["text"]) + sum(_OF_DIGIT * len(str(mark)) + _OF_COMMA for mark in cell["marks"])


def _length(text: str) -> float:
    """Return about how wide a text is, as parts of the size of its letters."""
    return sum(
        _OF_NARROW
        if letter in _NARROW
        else _OF_BROAD
        if letter in _BROAD
        else _OF_CAPITAL
        if letter.isupper()
        else _OF_MEAN
        for letter in text
    )
