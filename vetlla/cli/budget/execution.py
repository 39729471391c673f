"""``vetlla budget execution``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.budget.options import NOT_A_CONTRACT, TenderFile, money
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import print_json, print_rows, talk
from vetlla.cli.kit.parameters import footnotes
from vetlla.service.budget.checking import findings
from vetlla.service.budget.execution import BudgetState
from vetlla.service.budget.execution import execution as executed_years
from vetlla.tasks.budget.invoiced import invoiced_lines
from vetlla.tasks.budget.tender import load_tender

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.domain.findings import Finding
    from vetlla.service.budget.execution import BudgetRow, BudgetYear

COLUMNS: Final = ("year", "concept", "budgeted", "expected", "executed", "remaining", "share", "projected", "state")
STRAIGHT: Final = (
    "projected: a straight line by days, the invoiced amount / days of the invoiced months x days of the contract in"
    " the year; it knows no season"
)
_WORDS: Final = {
    BudgetState.WITHIN: "",
    BudgetState.PROJECTED_BEYOND: "will go beyond",
    BudgetState.BEYOND: "BEYOND",
}


def execution(
    invoices: Annotated[
        list[Path],
        typer.Option(
            "--invoices",
            metavar="FILE",
            readable=False,
            help="File with lines of `vetlla invoice make --json`; may be repeated.",
        ),
    ],
    until: Annotated[
        date | None,
        typer.Option(
            "--until",
            parser=as_month,
            metavar="YYYY-MM",
            help="Last month that counts. Default: the last invoiced one.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Answer as a monitoring plug-in, with its exit status.")
    ] = False,
    file: TenderFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare what was invoiced with the yearly budget of the tender, by concept: the rest, the share, the projection.

    Exit status with --check: 0 all concepts stay within their budget, 1 a concept or the year will go beyond it or a
    month has no invoice, 2 the year's net amount is beyond its budget or will exceed what a modification may add, 3
    unknown, because the invoices cannot be read. Without --check it is 0.

    Example: vetlla budget execution --invoices 2026.ndjson --until 2026-11
    """
    if check:
        found, said = read_or_unknown("budget", "the invoices cannot be read", lambda: _checked(invoices, until, file))
        print_check("BUDGET", found, said, as_json=as_json)
        return
    years = executed_years(load_tender(file), invoiced_lines(invoices), until)
    if as_json:
        for year in years:
            for row in year.rows:
                print_json(_fields(year, row))
        return
    print_rows(_rows(years), COLUMNS, as_json=False)
    for year in years:
        _tell(year)
    footnotes([STRAIGHT, NOT_A_CONTRACT])


def _checked(invoices: Sequence[Path], until: date | None, file: Path | None) -> tuple[list[Finding], str]:
    years = executed_years(load_tender(file), invoiced_lines(invoices), until)
    net = years[-1].row("net")
    said = f"{net.share} % of {net.budgeted} EUR net of {net.year} invoiced in {len(years[-1].invoiced)} months"
    return findings(years), said


def _fields(year: BudgetYear, row: BudgetRow) -> dict[str, Any]:
    is_net = row.concept == "net"
    return {
        "year": row.year,
        "concept": row.concept,
        "budgeted": str(row.budgeted),
        "expected": str(row.expected),
        "executed": str(row.executed),
        "remaining": str(row.remaining),
        "share": None if row.share is None else str(row.share),
        "projected": None if row.projected is None else str(row.projected),
        "state": row.state.value,
        "without_modification": str(year.without_modification) if is_net else None,
        "with_modification": str(year.with_modification) if is_net else None,
        "months": [f"{month:%Y-%m}" for month in year.invoiced],
        "missing": [f"{month:%Y-%m}" for month in year.missing],
    }


def _rows(years: Sequence[BudgetYear]) -> Iterator[dict[str, Any]]:
    for year in years:
        for row in year.rows:
            yield {
                "year": row.year,
                "concept": row.concept,
                "budgeted": money(row.budgeted),
                "expected": money(row.expected),
                "executed": money(row.executed),
                "remaining": money(row.remaining),
                "share": "" if row.share is None else f"{row.share} %",
                "projected": money(row.projected),
                "state": _WORDS[row.state],
            }


def _tell(year: BudgetYear) -> None:
    """Print the bounds of a year, and its months without an invoice."""
    talk().print(
        f"{year.year}: {len(year.invoiced)} months invoiced; net up to {money(year.without_modification)} EUR without a"
        f" modification (LCSP 309.1), up to {money(year.with_modification)} EUR with one (tender 19.1)",
        soft_wrap=True,
    )
    if year.missing:
        talk().print(f"without an invoice: {', '.join(f'{one:%Y-%m}' for one in year.missing)}", soft_wrap=True)
