"""Prints tables of figures on a terminal."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from vetlla.cli.kit.output import print_rows
from vetlla.domain.figures import Form

if TYPE_CHECKING:
    from vetlla.domain.figures import CellValue, FigureTable


def show_figures(table: FigureTable) -> None:
    """Print a table under its name; nothing if it has no row."""
    names = [column.name for column in table.columns]
    rows = ({name: _cell(table, name, value) for name, value in row.items()} for row in table.records())
    print_rows(rows, names, as_json=False, title=table.name.replace("_", " "))


def signed_points(value: Decimal | None) -> str:
    """Return a difference of two shares in percentage points."""
    return "-" if value is None else f"{value * 100:+.1f}"


def _cell(table: FigureTable, name: str, value: CellValue) -> str:
    form = next(column.form for column in table.columns if column.name == name)
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Decimal) and form in {Form.SHARE, Form.POINTS}:
        return signed_points(value) if form is Form.POINTS else f"{value * 100:.1f} %"
    return f"{value:,}" if isinstance(value, int) else str(value)
