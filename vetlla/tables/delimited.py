"""Reads the variants of CSV that spreadsheets and programs write, and writes one of them."""

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
"""Comma, semicolon and tab. Spreadsheets write a semicolon where the comma is the decimal sign."""
HEADING_LINES = 100
"""Number of lines in which the heading is searched for."""
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
"""A line before the heading that tells Excel the separator. Excel hides it, and counts rows from the next line."""
_QUOTED = re.compile(r'"[^"]*"')


def table(text: TextIO, done: Callable[[], float]) -> Table:
    """Open a CSV file. Raises UsageError if it holds no row at all."""
    first = _until_heading(text)
    separator = ""
    if stated := _SEPARATOR_LINE.fullmatch(first[-1]):
        separator, first = stated[1], _until_heading(text)
    outside = _QUOTED.sub("", "".join(first))
    lines = _Lines(first, text)
    # strict, because a quote that never ends would make one cell of the rest of the file.
    reader = csv.reader(lines, delimiter=separator or max(SEPARATORS, key=outside.count), strict=True)
    rows = _rows(reader, lines)
    _, cells = next(rows, (0, None))
    return Table(heading_of(None if isinstance(cells, Broken) else cells), rows, done)


def _until_heading(text: TextIO) -> list[str]:
    """Return the lines up to the end of the heading. Blank lines may precede it; its names may contain line breaks."""
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
    """The lines of a file. All lines of one row share a bound, because a row may have line breaks in quotes."""

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
        """Return the cells of a complete row as their writer meant them."""
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
        yield row + 1, Broken("", f"is not CSV: {error}; nothing after it was read")


class Writer:
    """Writes every CSV export: each cell is in quotes (RFC 4180), and a spreadsheet computes none of them."""

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
