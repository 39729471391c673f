"""Rows of cells to values by column: a file's own headings and words are translated, nothing else is guessed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.columns import Column, Fault, Holds
from vetlla.domain.errors import ConfigError
from vetlla.tables.bounds import MAX_FAULTS
from vetlla.tables.cells import HIDDEN, MAX_SHOWN, Broken, is_blank, shown, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from vetlla.domain.columns import Parse
    from vetlla.tables.table import Row, Table

MAX_CELL = 2000
"""Longest cell of any kind: a home with fifty suspended periods fits."""
TITLE_ROWS = 10
"""Rows in which the heading is looked for where row 1 is a title, only to tell where it is."""


_BEGINS_AND_ENDS = re.compile(rf"\w(?:.{{0,{MAX_CELL - 2}}}\S)?").fullmatch
"""Text with a letter or digit in front and no blank behind: no spreadsheet has put anything around it."""
_PLAIN: Mapping[Holds, Callable[[str], object]] = {
    Holds.TEXT: _BEGINS_AND_ENDS,
    Holds.LIST: _BEGINS_AND_ENDS,
    Holds.CODE: str.isalnum,
}
"""Which texts need no closer look, by what a column holds. Of all others none: what is odd cannot be parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """How a file's headings and words become ours; what an operator writes in a mapping file."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column: the file's heading."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our column: {the file's word: ours}."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Our column: what it is in every row, where the file does not have it."""
    ignore: frozenset[str] = frozenset()
    """Headings of the file that mean nothing to us."""


class _Place(NamedTuple):
    """Where a column stands in the file, and how its cells become values."""

    at: int
    name: str
    parse: Parse
    is_plain: Callable[[str], object] | None
    """Returns something true for a text that can be parsed as it is; None: each can."""
    is_needed: bool
    column: Column
    words: Mapping[str, str]


class Reader:
    """Turns the rows of one table into values by column name.

    ``faults`` holds what is wrong with the heading; while there is any, no row can be read. ``whole`` gives every
    column a value, None where the file has none. Without it a column that is absent is absent from the values, and an
    empty cell means what its column says of "". Raises ConfigError for a mapping that names what there is not.
    """

    def __init__(self, columns: Sequence[Column], table: Table, translation: Translation, *, whole: bool) -> None:
        _check_mapping(columns, translation)
        self._theirs = {column.name: translation.columns.get(column.name, column.name) for column in columns}
        ours = {folded(self._theirs[column.name]): column for column in columns}
        known = {folded(name): name for name in translation.ignore}
        heading = list(map(folded, table.heading))
        self._width = len(heading)
        self._whole = whole
        self._hides = any(column.secret for column in columns)
        self._nameless = [index for index, name in enumerate(heading) if not name]
        self._constants = {
            column.name: _constant(column, translation.constants[column.name])
            for column in columns
            if column.name in translation.constants
        }
        needed = {column.name for column in columns if column.required} - set(self._constants)
        self._places = [
            _place(index, column, translation.values.get(column.name, {}), is_needed=column.name in needed)
            for index, name in enumerate(heading)
            if (column := ours.get(name))
        ]
        present = {place.column.name for place in self._places}
        # What a row says if every cell is empty: without ``whole`` its columns say what they make of "".
        nothing = {
            column.name: None if whole else column.parse("")
            for column in columns
            if whole or (column.name in present and not column.required)
        }
        self._start = nothing | self._constants
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

    def read(self, rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, dict[str, Any], list[Fault]]]:
        """Yield each row's number, its values by our column names (None where empty), and what is wrong in it."""
        for number, cells in rows:
            if isinstance(cells, Broken):
                text = HIDDEN if self._hides and cells.text else cells.text[:MAX_SHOWN]
                yield number, {}, [Fault(number, "", text, cells.reason)]
                continue
            if (len(cells) != self._width or self._nameless) and (unfit := self._misfits(cells)):
                yield number, {}, [Fault(number, "", "", unfit)]
                continue
            yield number, *self._values(number, cells)

    def _misfits(self, cells: Sequence[object]) -> str:
        """Return why cells do not fit under the heading; "" if they do. Blank cells beyond it are nothing."""
        if len(cells) < self._width or not all(map(is_blank, cells[self._width :])):
            quotes = "; a cell with the separator in it needs quotes" if len(cells) > self._width else ""
            return f"{len(cells)} cells, the heading has {self._width}{quotes}"
        for index in self._nameless:
            if not is_blank(cells[index]):
                return f"column {index + 1} has no heading, and {shown(cells[index])[:MAX_SHOWN]!r} stands in it"
        return ""

    def _values(self, row: int, cells: Sequence[object]) -> tuple[dict[str, Any], list[Fault]]:
        values = dict(self._start)
        faults: list[Fault] = []
        # A park has four million cells: what nearly all of them need is done here, and without a call.
        for place in self._places:
            index, name, parse, is_plain, is_needed, _, _ = place
            cell = cells[index]
            if cell == "":
                if is_needed:
                    faults.append(Fault(row, name, "", "is empty"))
                continue
            try:
                if cell.__class__ is str and (is_plain is None or is_plain(cell)):
                    values[name] = parse(cell)  # narrowed by its class, the quickest way
                    continue
            except ValueError:
                pass
            try:
                self._look_closer(cell, place, values)
            except ValueError as error:
                value = HIDDEN if place.column.secret else shown(cell).strip()[:MAX_SHOWN]
                faults.append(Fault(row, name, value, str(error)))
        return values, faults

    def _look_closer(self, cell: object, place: _Place, values: dict[str, Any]) -> None:
        """Put the value of any cell into a row's values. Raises ValueError with the reason if it has none."""
        _, name, parse, _, is_needed, column, words = place
        if cell is None and not self._whole and not is_needed:
            values.pop(name, None)
            return
        # A word that the mapping names has lost nothing, number or not.
        text = shown(cell) if words and shown(cell) in words else text_of(cell, column)
        if len(text) > MAX_CELL:
            raise ValueError(f"longer than {MAX_CELL} characters")
        if text:
            values[name] = parse(words.get(text, text))
        elif is_needed:
            raise ValueError("is empty")


def _place(index: int, column: Column, words: Mapping[str, str], *, is_needed: bool) -> _Place:
    # str.isspace is true of no text that says something: each is looked at closer, and its word looked up.
    is_plain = str.isspace if words else _PLAIN.get(column.holds)
    return _Place(index, column.name, column.parse, is_plain, is_needed, column, words)


def folded(name: str) -> str:
    """Return a heading so that equal ones compare equal: case, kinds of white space and ways to write an accent."""
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
            reason = (
                f"unknown heading: {hint} A mapping file translates it, under [columns], or passes over it, in ignore"
            )
            yield Fault(row, "", said[:MAX_SHOWN], reason)


def _missing(name: str, heading: str) -> Fault:
    reason = "missing column: add it, or give it under [constants] of a mapping file"
    return Fault(1, name, heading if heading != name else "", reason)


def _title_fault(table: Table, ours: set[str]) -> Iterator[Fault]:
    """Yield where the heading seems to be. It is not taken from there: the rows above it may mean something."""
    for row, cells in islice(table.rows, TITLE_ROWS):
        if isinstance(cells, list) and len(ours & {folded(shown(cell)) for cell in cells}) > 1:
            yield Fault(row, "", "", "looks like the heading: delete the rows above it")
            return


def _check_mapping(columns: Sequence[Column], translation: Translation) -> None:
    known = {column.name for column in columns}
    there = f"there are the columns {', '.join(column.name for column in columns)}"
    _refuse("mapping: unknown column", set(translation.columns) - known, there)
    _refuse("mapping: unknown constant", set(translation.constants) - known, there)
    _refuse("mapping: values of an unknown column", set(translation.values) - known, "values are named by our column")
    theirs = list(map(folded, translation.columns.values()))
    twice = {name for name in translation.columns.values() if theirs.count(folded(name)) > 1}
    _refuse("mapping: heading for two columns", twice, "one heading stands for one column")


def _constant(column: Column, said: str) -> Any:  # noqa: ANN401 - a cell's value
    try:
        return column.parse(said)
    except ValueError as error:
        raise ConfigError(f"mapping: constant {column.name} = {said!r}: {error}") from error


def _refuse(what: str, names: set[str], remedy: str) -> None:
    if names:
        raise ConfigError(f"{what}: {', '.join(sorted(names))}", remedy=remedy)


def too_many(row: int) -> Fault:
    """Return the last fault of a file that has too many faults. Its rows from this one on are not read."""
    return Fault(
        row, "", "", f"this row and the following ones were not read: there are {MAX_FAULTS} faults before them"
    )
