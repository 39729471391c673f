"""CSV: what spreadsheets and programs write under that name."""

from __future__ import annotations

import csv
import re
from itertools import chain
from typing import TYPE_CHECKING, TextIO

from vetlla.tables.cells import BLANK, Broken
from vetlla.tables.table import Table, heading_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vetlla.tables.table import Row

SEPARATORS = ",;\t"
"""Comma; semicolon, as spreadsheets write where the comma is the decimal sign; tabulator."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet computes; a home's text must not (OWASP, CSV Injection)."""
HEADING_LINES = 100
LONGEST_LINE = 1 << 20
"""Of the search for the heading: a file without any is refused before all of it is in memory."""
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
"""The line in front of a heading that tells Excel the separator; Excel hides it and counts rows from behind it."""
_QUOTED = re.compile(r'"[^"]*"')


def table(text: TextIO, done: Callable[[], float]) -> Table:
    """Open a CSV file. Raises UsageError if it holds no row at all."""
    lines = _until_heading(text)
    separator = ""
    if told := _SEPARATOR_LINE.fullmatch(lines[-1]):
        separator, lines = told[1], _until_heading(text)
    outside = _QUOTED.sub("", "".join(lines))
    # strict: a quote that never ends would make one cell of the rest of the file.
    reader = csv.reader(chain(lines, text), delimiter=separator or max(SEPARATORS, key=outside.count), strict=True)
    rows = _rows(reader)
    _, cells = next(rows, (0, None))
    return Table(heading_of(None if isinstance(cells, Broken) else cells), rows, done)


def _until_heading(text: TextIO) -> list[str]:
    """Return the lines up to the end of the heading: it comes behind blank ones, and its names may have line breaks."""
    lines: list[str] = []
    while line := text.readline(LONGEST_LINE):
        lines.append(line)
        if (line.strip(BLANK) and "".join(lines).count('"') % 2 == 0) or len(lines) >= HEADING_LINES:
            return lines
    return lines or [""]


def _rows(lines: Iterator[list[str]]) -> Iterator[tuple[int, Row]]:
    # Rows are counted, not lines: a quoted cell may hold a line break, and a spreadsheet shows one row.
    row = 0
    try:
        for row, cells in enumerate(lines, start=1):
            if cells and (cells[0].strip(BLANK) or "".join(cells).strip(BLANK)):
                yield row, cells
    except csv.Error as error:
        yield row + 1, Broken("", f"is not CSV: {error}; nothing behind it was read")


def write(out: TextIO, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a heading and rows, as RFC 4180 has them."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows(rows)


def guarded(value: object) -> object:
    """Return a value so that a spreadsheet does not compute it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
