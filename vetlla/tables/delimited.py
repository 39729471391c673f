"""CSV: what spreadsheets and programs write under that name."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, TextIO

from vetlla.domain.errors import UsageError
from vetlla.tables.bounds import MAX_ROW, MAX_ROWS
from vetlla.tables.cells import BLANK, Broken
from vetlla.tables.formulas import guarded_row, unguarded
from vetlla.tables.table import Table, heading_of, too_many_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vetlla.tables.table import Row

SEPARATORS = ",;\t"
"""Comma; semicolon, as spreadsheets write where the comma is the decimal sign; tabulator."""
HEADING_LINES = 100
"""Lines in which the heading is looked for."""
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
"""The line in front of a heading that tells Excel the separator; Excel hides it and counts rows from behind it."""
_QUOTED = re.compile(r'"[^"]*"')


def table(text: TextIO, done: Callable[[], float]) -> Table:
    """Open a CSV file. Raises UsageError if it holds no row at all."""
    first = _until_heading(text)
    separator = ""
    if told := _SEPARATOR_LINE.fullmatch(first[-1]):
        separator, first = told[1], _until_heading(text)
    outside = _QUOTED.sub("", "".join(first))
    lines = _Lines(first, text)
    # strict: a quote that never ends would make one cell of the rest of the file.
    reader = csv.reader(lines, delimiter=separator or max(SEPARATORS, key=outside.count), strict=True)
    rows = _rows(reader, lines)
    _, cells = next(rows, (0, None))
    return Table(heading_of(None if isinstance(cells, Broken) else cells), rows, done)


def _until_heading(text: TextIO) -> list[str]:
    """Return the lines up to the end of the heading: it comes behind blank ones, and its names may have line breaks."""
    lines: list[str] = []
    size = 0
    while line := text.readline(MAX_ROW):
        lines.append(line)
        size += len(line)
        if size >= MAX_ROW:
            raise UsageError(f"has no heading within its first {MAX_ROW} characters", remedy="is it the right file?")
        if (line.strip(BLANK) and "".join(lines).count('"') % 2 == 0) or len(lines) >= HEADING_LINES:
            return lines
    return lines or [""]


class _Lines:
    """The lines of a file. Those of one row together are bounded: a row may have line breaks in quotes."""

    def __init__(self, first: Sequence[str], text: TextIO) -> None:
        self._first = iter(first)
        self._text = text
        self._size = 0
        self._is_marked = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._first, "") or self._text.readline(MAX_ROW)
        if not line:
            raise StopIteration
        self._size += len(line)
        if self._size >= MAX_ROW:
            raise csv.Error(f"a row of more than {MAX_ROW} characters")
        if "'" in line:
            self._is_marked = True
        return line

    def row(self, cells: list[str]) -> list[str]:
        """Return the cells of a row that has ended as they were meant."""
        self._size = 0
        if not self._is_marked:
            return cells
        self._is_marked = False
        return list(map(unguarded, cells))


def _rows(reader: Iterator[list[str]], lines: _Lines) -> Iterator[tuple[int, Row]]:
    # Rows are counted, not lines: a quoted cell may hold a line break, and a spreadsheet shows one row.
    row = 0
    try:
        for row, cells in enumerate(reader, start=1):
            if row > MAX_ROWS:
                raise too_many_rows()
            meant = lines.row(cells)
            if meant and (meant[0].strip(BLANK) or "".join(meant).strip(BLANK)):
                yield row, meant
    except csv.Error as error:
        yield row + 1, Broken("", f"is not CSV: {error}; nothing behind it was read")


class Writer:
    """Writes every CSV export: each cell in quotes (RFC 4180), and none that a spreadsheet computes."""

    def __init__(self, out: TextIO) -> None:
        self._writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")

    def row(self, cells: Sequence[object]) -> None:
        """Write one row."""
        self._writer.writerow(guarded_row(cells))

    def rows(self, rows: Iterable[Sequence[object]]) -> None:
        """Write many rows."""
        self._writer.writerows(map(guarded_row, rows))


def write(out: TextIO, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a heading and rows."""
    writer = Writer(out)
    writer.row(heading)
    writer.rows(rows)
