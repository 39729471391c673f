"""Reads a text file of rows that has no heading, such as a log. Its first row shows which columns it has."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple, TextIO

from vetlla.domain.errors import UsageError
from vetlla.tables.bounds import MAX_ROW, MAX_ROWS
from vetlla.tables.cells import Broken
from vetlla.tables.table import Table, too_many_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.tables.table import Row


class CutOffError(csv.Error):
    """The last line has no end."""


class Headless(NamedTuple):
    """How such a file is read."""

    separator: str
    quoted: bool
    """Whether quotes are around texts. If not, a quote is a character like any other."""
    columns_of: Callable[[list[str]], list[str]]
    """Returns the names of the columns for the first row. Raises ValueError if it is of no known form."""


def table(text: TextIO, done: Callable[[], float], form: Headless) -> Table:
    """Open such a file. Raises UsageError if it is empty, or not of the form."""
    lines = _bounded(text)
    if form.quoted:
        rows = csv.reader(lines, delimiter=form.separator, strict=True)
    else:
        rows = csv.reader(lines, delimiter=form.separator, quoting=csv.QUOTE_NONE)
    try:
        first = next((cells for cells in rows if cells), None)
    except csv.Error as error:
        raise UsageError(f"is not of the form: {error}", remedy="is it the right file?") from error
    if first is None:
        raise UsageError("is empty", remedy="is it the right file?")
    try:
        heading = form.columns_of(first)
    except ValueError as error:
        raise UsageError(str(error), remedy="is it the right file and --format?") from error
    return Table(heading, _rows(first, rows, 0 if form.quoted else len(heading)), done)


def _bounded(text: TextIO) -> Iterator[str]:
    while line := text.readline(MAX_ROW):
        if len(line) >= MAX_ROW:
            raise csv.Error(f"a row of more than {MAX_ROW} characters")
        if not line.endswith(("\n", "\r")):
            # The program ends every line that it writes, so this one was cut: half a number could pass as a whole one.
            raise CutOffError("the last line is cut off, because no line end follows it")
        yield line


def _rows(first: list[str], rows: Iterator[list[str]], width: int) -> Iterator[tuple[int, Row]]:
    """Yield each row with its number, and with empty cells up to a width: a log leaves out what it does not have."""
    number = 1
    yield number, _padded(first, width)
    try:
        for number, cells in enumerate(rows, start=2):
            if number > MAX_ROWS:
                raise too_many_rows()
            if cells:
                yield number, _padded(cells, width)
    except CutOffError as error:
        yield number + 1, Broken("", f"{error}: import the file again when its program has written it whole")
    except csv.Error as error:
        yield number + 1, Broken("", f"is not of the form: {error}; nothing after it was read")


def _padded(cells: list[str], width: int) -> list[str]:
    return cells if len(cells) >= width else cells + [""] * (width - len(cells))
