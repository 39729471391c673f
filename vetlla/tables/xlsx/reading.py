"""Workbooks read cell by cell: SpreadsheetML (ECMA-376, part 1, 18), in both of its name spaces.

Libraries that read workbooks return only values, and do not show what was lost. openpyxl trusts ``<dimension>`` and
leaves out the rows beyond it (frappe/frappe pull request 26372). It returns a formula that was never calculated as an
empty cell (jazzband/tablib 462). In a workbook saved as "Strict Open XML" it finds nothing (ExcelDataReader 498). Here
each cell becomes a text, a number, a date, a truth value, or the reason why it cannot be read.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import IO, TYPE_CHECKING, BinaryIO
from xml.etree import ElementTree as ET

from vetlla.domain.errors import UsageError
from vetlla.tables.cells import MAX_SHOWN, Broken, is_blank
from vetlla.tables.table import Table, heading_of
from vetlla.tables.xlsx.book import Book, Sheet, namespace, text_in, unescaped
from vetlla.tables.xlsx.parts import elements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from vetlla.tables.table import Row

MAX_ROW = 1 << 20
MAX_COLUMN = 1 << 14
"""Rows and columns that a sheet can have (Excel's specification); a cell beyond them is refused."""
LETTERS = 3
"""Most letters of a column: the last column is XFD."""
_BROKEN = (zipfile.BadZipFile, zlib.error, ET.ParseError, LookupError, EOFError, RuntimeError, ValueError, struct.error)
"""Errors of a broken file. zipfile raises RuntimeError for a password; a text in place of a number is a ValueError."""
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
_MS_OF_DAY = 86_400_000
_DAY = len("2026-12-01")


class Cells:
    """Turns the cell elements of one workbook into values."""

    def __init__(self, book: Book, space: str) -> None:
        self._book = book
        self._value = f"{space}v"
        self._formula = f"{space}f"
        self._inline = f"{space}is"
        self._space = space

    def held(self, cell: Element) -> object:
        """Return a text, a number, a date, a truth value, or ``Broken`` with the reason; "" for an empty cell."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find(self._inline)
            return "" if inline is None else text_in(inline, self._space)
        text = cell.findtext(self._value)
        if text:
            return self._said(kind, text, cell.get("s"))
        # A formula whose result is an empty text has an empty value. A formula without a value was never calculated.
        if (kind == "n" or text is None) and cell.find(self._formula) is not None:
            return Broken("", "is a formula that was never calculated: open the file in a spreadsheet and save it")
        return ""

    def _said(self, kind: str, text: str, style: str | None) -> object:
        match kind:
            case "s":
                return self._book.shared(int(text))
            case "n":
                return self._number(text, style)
            case "b":
                return text.strip() in {"1", "true"}
            case "d":
                return date.fromisoformat(text[:10]) if len(text) <= _DAY else datetime.fromisoformat(text)
            case "e":
                return Broken(text, "is an error of the spreadsheet: correct it there")
        return unescaped(text)

    def _number(self, text: str, style: str | None) -> object:
        number = float(text)
        if style is not None and (shows_time := self._book.date_styles.get(int(style))) is not None:
            try:
                day = self._book.epoch + timedelta(days=int(number))
                if not shows_time and number.is_integer():
                    return day
                # A day of a spreadsheet is a float, which is exact to some microseconds.
                seconds = timedelta(milliseconds=round(number % 1 * _MS_OF_DAY))
                return datetime(day.year, day.month, day.day) + seconds  # noqa: DTZ001 - a workbook has no zones
            except OverflowError:
                return Broken(text, "is not a possible date")
        return int(text) if text.isascii() and text.isdecimal() else number


def table(raw: BinaryIO, what: str, wanted: str) -> Table:
    """Open the sheet named ``wanted``. If that is "", open the one named ``what``, or else the first visible one."""
    with broken_files_told():
        book = Book(raw)
        sheet = _chosen(book.sheets, what, wanted)
        part = book.open(sheet.part)
    size = max(book.size(sheet.part), 1)
    rows = _rows(book, part)
    _, cells = next(rows, (0, None))
    others = [one.name for one in book.sheets if one.is_visible and one is not sheet]
    if cells is None and others:
        raise UsageError(f"sheet {sheet.name!r} is empty", remedy=f"name another: --sheet {others[0]!r}")
    heading = heading_of(None if isinstance(cells, Broken) else cells)
    note = f"sheet {sheet.name!r} was read, {', '.join(map(repr, others))} not (--sheet)" if others else ""
    return Table(heading, _filled(rows, len(heading)), lambda: part.tell() / size, note=note)


@contextmanager
def broken_files_told() -> Iterator[None]:
    """Turn every error of a broken archive or broken XML into a UsageError."""
    try:
        yield
    except _BROKEN as error:
        raise UsageError(
            f"is no XLSX file, or damaged: {error}",
            remedy="open it in a spreadsheet and save it as .xlsx, without a password",
        ) from error


def _chosen(sheets: Sequence[Sheet], what: str, wanted: str) -> Sheet:
    if not sheets:
        raise UsageError("has no sheet with cells", remedy="save it again as .xlsx")
    if wanted:
        for sheet in sheets:
            if sheet.name.casefold() == wanted.casefold():
                return sheet
        names = ", ".join(repr(sheet.name) for sheet in sheets)
        raise UsageError(f"has no sheet {wanted!r}", remedy=f"name one of {names}")
    named = [sheet for sheet in sheets if sheet.name.casefold() == what.casefold()]
    return (named or [sheet for sheet in sheets if sheet.is_visible] or sheets)[0]


def _filled(rows: Iterator[tuple[int, Row]], width: int) -> Iterator[tuple[int, Row]]:
    """Give every row as many cells as the heading has: a sheet leaves out the empty ones."""
    for number, cells in rows:
        if isinstance(cells, list):
            cells.extend([""] * (width - len(cells)))
        yield number, cells


def _rows(book: Book, part: IO[bytes]) -> Iterator[tuple[int, Row]]:
    with broken_files_told(), part:
        yield from _read_rows(book, part)


def _read_rows(book: Book, part: IO[bytes]) -> Iterator[tuple[int, Row]]:
    number, first, last, width = 0, 0, 0, 0
    cells: Cells | None = None
    for name, element in elements(part, "row", "mergeCell"):
        if name == "row":
            cells = cells or Cells(book, namespace(element))
            number = _row_number(element, number)
            held = _held(element, cells)
            element.clear()
            if held:
                first, last, width = first or number, number, width or len(held)
                yield number, held
        else:
            reference = element.get("ref", "")
            if row := _merged_row(reference, first + 1, last, width):
                why = f"{reference} are merged cells: only the first of them has the value, unmerge them"
                yield row, Broken("", why)


def _row_number(row: Element, before: int) -> int:
    number = int(row.get("r", before + 1))
    if not before < number <= MAX_ROW:
        raise ValueError(f"row {number} comes after row {before}")
    return number


def _held(row: Element, cells: Cells) -> list[object]:
    """Return the cells of a row up to the last one that is not blank."""
    held: list[object] = []
    for cell in row:
        if reference := cell.get("r"):
            column = _column(reference.rstrip("0123456789"))
            if column < len(held) or column >= MAX_COLUMN:
                raise ValueError(f"cell {reference[:MAX_SHOWN]} is out of place")
            held += [""] * (column - len(held))
        held.append(cells.held(cell))
    while held and is_blank(held[-1]):
        held.pop()
    return held


@lru_cache(maxsize=MAX_COLUMN)
def _column(letters: str) -> int:
    """Return the column of ``AB``, counted from 0. Raises ValueError where it has more letters than the last one."""
    if len(letters) > LETTERS:
        raise ValueError(f"cell {letters[:MAX_SHOWN]} is out of place")
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _merged_row(reference: str, first: int, last: int, width: int) -> int:
    """Return the first row of the table that merged cells cover; 0 if they cover none.

    The table has the rows from ``first`` to ``last``, and ``width`` columns.
    """
    ends = [(_column(found[1]), int(found[2])) for found in _REFERENCE.finditer(reference.upper())]
    columns, rows = zip(*ends, strict=True) if ends else ((width,), (0,))
    if min(columns) >= width:
        return 0
    row = max(min(rows), first)
    return row if row <= min(max(rows), last) else 0
