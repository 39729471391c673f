"""Turns rows of cells into values by column. It translates a file's headings and words, and guesses nothing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from vetlla.domain.columns import Column, Fault, Holds, RowKind, reasons
from vetlla.domain.errors import ConfigError
from vetlla.tables.bounds import MAX_FAULTS
from vetlla.tables.cells import HIDDEN, MAX_SHOWN, Broken, is_blank, shown, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from vetlla.tables.table import Row, Table

R = TypeVar("R")
MAX_CELL = 2000
"""Longest cell of any kind in characters: a home with fifty suspended periods fits."""
TITLE_ROWS = 10
"""Rows that are searched for the heading if row 1 is a title. The result is used only in a message."""


_BEGINS_AND_ENDS = re.compile(rf"\w(?:.{{0,{MAX_CELL - 2}}}\S)?").fullmatch
"""A text that begins with a letter or digit and does not end with a blank: a spreadsheet put nothing around it."""
_PLAIN: Mapping[Holds, Callable[[str], object]] = {
    Holds.TEXT: _BEGINS_AND_ENDS,
    Holds.LIST: _BEGINS_AND_ENDS,
    Holds.CODE: str.isalnum,
}
"""Test of a text that needs no closer look, by what a column holds.

Columns of other kinds need no such test, because their types refuse odd texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """How a file's headings and words become ours: the content of a mapping file, which an operator writes."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column: the file's heading."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our column: {the file's word: ours}."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Our column: its value in every row, if the file does not have the column."""
    ignore: frozenset[str] = frozenset()
    """Headings of the file that are not imported."""


class _FileColumn(NamedTuple):
    """The place of a column in the file, and how its cells become texts."""

    at: int
    name: str
    is_plain: Callable[[str], object] | None
    """Returns a true value for a text that can be checked as it is. None if every text can."""
    column: Column
    words: Mapping[str, str]


class Reader(Generic[R]):
    """Turns the rows of one table into rows of one kind.

    ``faults`` holds what is wrong with the heading; unless it is empty, no row can be read. Raises ConfigError for a
    mapping that names an unknown column.
    """

    def __init__(self, kind: RowKind[R], table: Table, translation: Translation) -> None:
        columns = kind.columns
        _check_mapping(columns, translation)
        self._kind = kind
        self._theirs = {column.name: translation.columns.get(column.name, column.name) for column in columns}
        ours = {folded(self._theirs[column.name]): column for column in columns}
        known = {folded(name): name for name in translation.ignore}
        heading = list(map(folded, table.heading))
        self._width = len(heading)
        self._secret = {column.name for column in columns if column.secret}
        self._nameless = [index for index, name in enumerate(heading) if not name]
        constants: dict[str, str | None] = {
            name: _constant(kind, name, text) for name, text in translation.constants.items()
        }
        self._places = [
            _place(index, column, translation.values.get(column.name, {}))
            for index, name in enumerate(heading)
            if (column := ours.get(name))
        ]
        present = {place.name for place in self._places}
        # The texts of a row in which every cell is empty.
        nothing: dict[str, str | None] = {
            column.name: None if kind.is_whole else ""
            for column in columns
            if not column.required and (kind.is_whole or column.name in present)
        }
        self._start = nothing | constants
        needed = {column.name for column in columns if column.required} - set(constants)
        self.faults = [
            *_heading_faults(table, heading, set(ours) | set(known), list(self._theirs.values())),
            *(_missing(name, self._theirs[name]) for name in self._theirs if name in needed - present),
        ]
        if table.is_empty:
            self.faults = []
        elif self.faults and not present:
            self.faults += _title_fault(table, set(ours))

    def heading(self, column: str) -> str:
        """Return what the file calls one of our columns."""
        return self._theirs.get(column, column)

    def read(self, rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, R | list[Fault]]]:
        """Yield each row's number and the row, or what is wrong in it."""
        for number, cells in rows:
            if isinstance(cells, Broken):
                text = HIDDEN if self._secret and cells.text else cells.text[:MAX_SHOWN]
                yield number, [Fault(number, "", text, cells.reason)]
            elif (len(cells) != self._width or self._nameless) and (unfit := self._misfits(cells)):
                yield number, [Fault(number, "", "", unfit)]
            else:
                yield number, self._row(number, cells)

    def _misfits(self, cells: Sequence[object]) -> str:
        """Return why cells do not fit under the heading; "" if they do. Blank cells beyond it do not count."""
        if len(cells) < self._width or not all(map(is_blank, cells[self._width :])):
            quotes = "; a cell with the separator in it needs quotes" if len(cells) > self._width else ""
            return f"{len(cells)} cells, the heading has {self._width}{quotes}"
        for index in self._nameless:
            if not is_blank(cells[index]):
                return f"column {index + 1} has no heading, but contains {shown(cells[index])[:MAX_SHOWN]!r}"
        return ""

    def _row(self, number: int, cells: Sequence[object]) -> R | list[Fault]:
        texts = self._start.copy()
        wrong: dict[str, str] = {}
        # A park has four million cells, so what nearly all of them need is done here, without a call of ours.
        for place in self._places:
            index, name, is_plain, _, _ = place
            cell = cells[index]
            if cell == "":
                continue
            if cell.__class__ is str and (is_plain is None or is_plain(cell)):
                texts[name] = cell  # it is a str: comparing the class is the quickest test
            else:
                self._look_closer(cell, place, texts, wrong)
        try:
            row = self._kind.check(texts)
        except ValidationError as error:
            return self._second_look(number, cells, texts, wrong, reasons(error))
        return self._faults(number, cells, wrong) if wrong else row

    def _look_closer(
        self, cell: object, place: _FileColumn, texts: dict[str, str | None], wrong: dict[str, str]
    ) -> None:
        """Put the text of any cell into a row's texts or, if it has none, the reason into ``wrong``."""
        if cell is None and not self._kind.is_whole:
            texts.pop(place.name, None)
            return
        # A word that the mapping names has lost nothing, even if it is a number.
        said = shown(cell)
        try:
            text = said if said in place.words else text_of(cell, place.column)
        except ValueError as error:
            wrong[place.name] = str(error)
            return
        if len(text) > MAX_CELL:
            wrong[place.name] = f"longer than {MAX_CELL} characters"
        elif text:
            texts[place.name] = place.words.get(text, text)
        elif place.name in self._start:
            texts[place.name] = self._start[place.name]
        else:
            texts.pop(place.name, None)

    def _second_look(
        self,
        number: int,
        cells: Sequence[object],
        texts: dict[str, str | None],
        wrong: dict[str, str],
        refused: Mapping[str, str],
    ) -> R | list[Fault]:
        """Check a row again after a text was refused, because a spreadsheet may have put something around that text."""
        for place in self._places:
            if place.name in refused:
                self._look_closer(cells[place.at], place, texts, wrong)
        try:
            row = self._kind.check(texts)
        except ValidationError as error:
            return self._faults(number, cells, reasons(error) | wrong)
        return self._faults(number, cells, wrong) if wrong else row

    def _faults(self, row: int, cells: Sequence[object], wrong: Mapping[str, str]) -> list[Fault]:
        """Return the faults of a row in the order of its cells."""
        said = {place.name: shown(cells[place.at]).strip() for place in self._places if place.name in wrong}
        return [
            Fault(row, name, HIDDEN if name in self._secret else said.get(name, "")[:MAX_SHOWN], wrong[name])
            for name in dict.fromkeys((*said, *wrong))
        ]


def _place(index: int, column: Column, words: Mapping[str, str]) -> _FileColumn:
    # str.isspace is false for every text that is not blank, so each of them gets a closer look and is translated.
    is_plain = str.isspace if words else _PLAIN.get(column.holds)
    return _FileColumn(index, column.name, is_plain, column, words)


def folded(name: str) -> str:
    """Return a heading without differences of case, of white space, and of the ways to write an accent."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _heading_faults(table: Table, heading: list[str], known: set[str], ours: list[str]) -> Iterator[Fault]:
    for index, name in enumerate(heading):
        said = table.heading[index].strip()
        row = table.seen_in.get(table.heading[index], 1)
        if name and name in heading[:index]:
            yield Fault(row, "", said[:MAX_SHOWN], "is a heading twice: rename one of them")
        elif name and name not in known:
            close = get_close_matches(name, ours, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(ours)};"
            reason = f"unknown heading: {hint} A mapping file translates it, under [columns], or skips it, in ignore"
            yield Fault(row, "", said[:MAX_SHOWN], reason)


def _missing(name: str, heading: str) -> Fault:
    reason = "missing column: add it, or give it under [constants] of a mapping file"
    return Fault(1, name, heading if heading != name else "", reason)


def _title_fault(table: Table, ours: set[str]) -> Iterator[Fault]:
    """Yield where the heading seems to be. It is not read from there, because the rows above it may be data."""
    for row, cells in islice(table.rows, TITLE_ROWS):
        if isinstance(cells, list) and len(ours & {folded(shown(cell)) for cell in cells}) > 1:
            yield Fault(row, "", "", "looks like the heading: delete the rows above it")
            return


def _check_mapping(columns: Sequence[Column], translation: Translation) -> None:
    known = {column.name for column in columns}
    there = f"there are the columns {', '.join(column.name for column in columns)}"
    _refuse("mapping: unknown column", set(translation.columns) - known, there)
    _refuse("mapping: unknown constant", set(translation.constants) - known, there)
    _refuse("mapping: values of an unknown column", set(translation.values) - known, "name the values by our column")
    theirs = list(map(folded, translation.columns.values()))
    twice = {name for name in translation.columns.values() if theirs.count(folded(name)) > 1}
    _refuse("mapping: heading for two columns", twice, "use each heading for one column only")


def _constant(kind: RowKind[R], column: str, said: str) -> str:
    try:
        kind.parse(column, said)
    except ValueError as error:
        raise ConfigError(f"mapping: constant {column} = {said!r}: {error}") from error
    return said.strip()


def _refuse(what: str, names: set[str], remedy: str) -> None:
    if names:
        raise ConfigError(f"{what}: {', '.join(sorted(names))}", remedy=remedy)


def too_many(row: int) -> Fault:
    """Return the last fault of a file that has too many faults. Its rows from this one on are not read."""
    return Fault(
        row, "", "", f"this row and the following ones were not read: there are {MAX_FAULTS} faults before them"
    )
