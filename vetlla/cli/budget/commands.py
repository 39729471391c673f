"""``vetlla budget`` computes the money of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.budget.execution import execution
from vetlla.cli.budget.offer import offer
from vetlla.cli.budget.options import NOT_A_CONTRACT, TOTAL, TenderFile
from vetlla.cli.budget.residual import residual
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import print_rows
from vetlla.cli.kit.parameters import footnotes
from vetlla.domain.errors import UsageError
from vetlla.service.budget.tender import cells
from vetlla.tasks.budget.tender import load_tender

if TYPE_CHECKING:
    from vetlla.service.budget.tender import Cell

app = typer.Typer(help="Compute the money of the contract.", no_args_is_help=True)
ODDITIES = (
    "the tender counts 276 days in 2024, and computes with 2,209 analog terminals where it prints 2,210;"
    " --calendar replaces both"
)


@app.callback()
def _group() -> None:
    """Compute the money of the contract."""


@app.command()
def tender(
    calendar: Annotated[
        bool, typer.Option("--calendar", help="With the days of the calendar, and the installations as printed.")
    ] = False,
    year: Annotated[int | None, typer.Option("--year", help="Only this year.")] = None,
    file: TenderFile = None,
    as_json: AsJson = False,
) -> None:
    """Compute the cost tables of the tender: services, rents, VAT and the purchase option, in EUR.

    Example: vetlla budget tender --year 2026
    """
    tables = load_tender(file)
    if year is not None and year not in tables.years:
        raise UsageError(f"the tender has no year {year}", remedy=f"one of {', '.join(map(str, tables.years))}")
    found = [one for one in cells(tables, calendar=calendar) if year in {None, one.year}]
    shape = _fields if as_json else _row
    print_rows(map(shape, found), ("year", "concept", "units", "amount"), as_json=as_json)
    footnotes([NOT_A_CONTRACT] if calendar else [ODDITIES, NOT_A_CONTRACT])


app.command()(execution)
app.command()(residual)
app.command()(offer)


def _fields(cell: Cell) -> dict[str, Any]:
    units = None if cell.units is None else f"{cell.units.normalize():f}"
    return {"year": cell.year or TOTAL, "concept": cell.concept, "units": units, "amount": str(cell.amount)}


def _row(cell: Cell) -> dict[str, Any]:
    units = "" if cell.units is None else f"{cell.units:,.1f}"
    return {"year": cell.year or TOTAL, "concept": cell.concept, "units": units, "amount": f"{cell.amount:,.2f}"}
