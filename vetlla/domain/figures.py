"""Tables of figures: rules make them, documents and files of rows show them, each in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

CellValue: TypeAlias = "str | int | Decimal | date | None"
"""A moment is a ``datetime`` on the clock of the service, which is a ``date``, too.

None: the figure does not exist, such as a share of nothing.
"""


class Form(Enum):
    """What the cells of a column are, so that people see them as their language writes them."""

    WORD = "one of our words, which documents translate"
    NAME = "a name that stays as it is: an office, a template, a code"
    COUNT = "a whole number"
    SHARE = "a fraction from 0 to 1, which people see in percent"
    POINTS = "a difference of two shares, which people see in percentage points"
    HOURS = "hours"
    EUR = "an amount in EUR"
    DAY = "a day"
    MOMENT = "a moment on the clock of the service"


class FigureColumn(NamedTuple):
    """A column of figures."""

    name: str
    form: Form = Form.COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTable:
    """Figures of one subject."""

    name: str
    columns: tuple[FigureColumn, ...]
    rows: tuple[tuple[CellValue, ...], ...] = ()

    def column(self, name: str) -> list[CellValue]:
        """Return the cells of a column."""
        place = [one.name for one in self.columns].index(name)
        return [row[place] for row in self.rows]

    def records(self) -> list[dict[str, CellValue]]:
        """Return the rows as objects."""
        names = [one.name for one in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]
