"""Tables of figures as rows for programs: JSON objects and sheets of a workbook."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vetlla.domain.figures import CellValue, FigureTable


def records(table: FigureTable) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON objects."""
    return [{name: plain(value) for name, value in row.items()} for row in table.records()]


def plain(value: CellValue) -> str | int | None:
    """Return a cell for JSON: decimals and days as text, so that no digit is lost, and moments with their offset."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | date) else value


def sheet(table: FigureTable) -> tuple[list[str], list[list[CellValue]]]:
    """Return heading and rows for a workbook; moments are texts with their offset, because its cells have no zone."""
    rows = [[cell.isoformat() if isinstance(cell, datetime) else cell for cell in row] for row in table.rows]
    return [column.name for column in table.columns], rows
