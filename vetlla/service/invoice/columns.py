"""The columns of a file with the lines of an invoice; ``vetlla invoice make --json`` writes them."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from typing_extensions import TypedDict

from vetlla.domain.column_types import ShortText
from vetlla.domain.columns import Cell, Holds, ReadBy, RowKind

_LONGEST: Final = 30
"""Most characters of a number; longer ones are no amount of an invoice."""


def _number(cell: str) -> Decimal:
    try:
        found = Decimal(cell.strip().replace(",", ".")) if len(cell) <= _LONGEST else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise ValueError("is no number: write it as 1234.50, without signs between thousands")
    return found


_Number = Annotated[Decimal, ReadBy(_number), Cell(Holds.NUMBER)]


class LineRow(TypedDict):
    """A line of an invoice."""

    month: Annotated[ShortText, Cell(Holds.TEXT)] | None
    concept: Annotated[ShortText, Cell(Holds.TEXT)]
    units: _Number
    price: _Number
    amount: _Number
    vat: _Number


LINES: Final = RowKind(LineRow)
