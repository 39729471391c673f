"""Reads the cells and rows that the reader's quick test does not pass: a number, a date, a spreadsheet's ="0123".

Such a cell is rare, so a function call for each is cheap enough. A row that was refused is looked at as a whole,
because the quick test lets a text pass that a spreadsheet put something around.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError

from vetlla.domain.columns import HIDDEN, Fault, RowKind, reasons
from vetlla.tables.cells import MAX_SHOWN, shown, text_of
from vetlla.tables.file_columns import MAX_CELL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.tables.file_columns import FileColumn

R = TypeVar("R")


class CloserLook(Generic[R]):
    """Reads cells of any type, and says what is wrong in a row. ``empty`` has the texts of a row without any cell."""

    def __init__(self, kind: RowKind[R], places: Sequence[FileColumn], empty: Mapping[str, str | None]) -> None:
        self._kind = kind
        self._places = places
        self._empty = empty
        self._secret = {column.name for column in kind.columns if column.secret}

    def put(self, cell: object, place: FileColumn, texts: dict[str, str | None], wrong: dict[str, str]) -> None:
        """Put the text of any cell into a row's texts or, if it has none, the reason into ``wrong``."""
        if cell is None and not self._kind.is_whole:
            texts.pop(place.name, None)
            return
        # A word that the mapping names has lost nothing, even if it is a number.
        word = shown(cell)
        try:
            text = word if word in place.words else text_of(cell, place.column)
        except ValueError as error:
            wrong[place.name] = str(error)
            return
        if len(text) > MAX_CELL:
            wrong[place.name] = f"longer than {MAX_CELL} characters"
        elif text:
            texts[place.name] = place.words.get(text, text)
        elif place.name in self._empty:
            texts[place.name] = self._empty[place.name]
        else:
            texts.pop(place.name, None)

    def refused_row(
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
                self.put(cells[place.at], place, texts, wrong)
        try:
            row = self._kind.check(texts)
        except ValidationError as error:
            return self.faults(number, cells, reasons(error) | wrong)
        return self.faults(number, cells, wrong) if wrong else row

    def faults(self, row: int, cells: Sequence[object], wrong: Mapping[str, str]) -> list[Fault]:
        """Return the faults of a row in the order of its cells."""
        values = {place.name: shown(cells[place.at]).strip() for place in self._places if place.name in wrong}
        return [
            Fault(row, name, HIDDEN if name in self._secret else values.get(name, "")[:MAX_SHOWN], wrong[name])
            for name in dict.fromkeys((*values, *wrong))
        ]
