"""Turns rows of cells into values by column. It translates a file's headings and words, and guesses nothing.

A park has four million cells. Nearly all of them pass a quick test here; ``closer_look`` reads the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError

from vetlla.domain.columns import HIDDEN, Fault, RowKind, reasons
from vetlla.tables.cells import MAX_SHOWN, Broken, is_blank, shown
from vetlla.tables.closer_look import CloserLook
from vetlla.tables.file_columns import file_column
from vetlla.tables.headings import folded, heading_below_title, missing_column, unknown_headings
from vetlla.tables.translation import check_mapping, constants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.tables.table import Row, Table
    from vetlla.tables.translation import Translation

R = TypeVar("R")


class Reader(Generic[R]):
    """Turns the rows of one table into rows of one kind.

    ``faults`` holds what is wrong with the heading; unless it is empty, no row can be read. Raises ConfigError for a
    mapping that names an unknown column.
    """

    def __init__(self, kind: RowKind[R], table: Table, translation: Translation) -> None:
        columns = kind.columns
        check_mapping(columns, translation)
        self._kind = kind
        self._theirs = {column.name: translation.columns.get(column.name, column.name) for column in columns}
        ours = {folded(self._theirs[column.name]): column for column in columns}
        known = {folded(name): name for name in translation.ignore}
        heading = list(map(folded, table.heading))
        self._width = len(heading)
        self._secret = {column.name for column in columns if column.secret}
        self._nameless = [index for index, name in enumerate(heading) if not name]
        given = constants(kind, translation)
        self._places = [
            file_column(index, column, translation.values.get(column.name, {}))
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
        self._empty = nothing | given
        self._closer_look = CloserLook(kind, self._places, self._empty)
        needed = {column.name for column in columns if column.required} - set(given)
        self.faults = [
            *unknown_headings(
                table, heading, set(ours) | set(known), list(self._theirs.values()), private=kind.is_private
            ),
            *(missing_column(name, self._theirs[name]) for name in self._theirs if name in needed - present),
        ]
        if table.is_empty:
            self.faults = []
        elif self.faults and not present:
            self.faults += heading_below_title(table, set(ours))

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
        texts = self._empty.copy()
        wrong: dict[str, str] = {}
        # What nearly all cells need is done here, without a call of ours for each cell.
        for place in self._places:
            index, name, is_plain, _, _ = place
            cell = cells[index]
            if cell == "":
                continue
            if cell.__class__ is str and (is_plain is None or is_plain(cell)):
                texts[name] = cell  # it is a str: comparing the class is the quickest test
            else:
                self._closer_look.put(cell, place, texts, wrong)
        try:
            row = self._kind.check(texts)
        except ValidationError as error:
            return self._closer_look.refused_row(number, cells, texts, wrong, reasons(error))
        return self._closer_look.faults(number, cells, wrong) if wrong else row
