"""``vetlla budget execution``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from vetlla.cli.budget.options import NOT_A_CONTRACT, TenderFile, money
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json, print_rows, talk
from vetlla.cli.kit.parameters import footnotes
from vetlla.cli.kit.progress import progress
from vetlla.cli.kit.registry import CLOCK, background_priority
from vetlla.domain.errors import UsageError
from vetlla.service.budget.checking import findings
from vetlla.service.budget.execution import BudgetState, contract_months
from vetlla.service.budget.execution import execution as executed_years
from vetlla.tasks.budget.invoiced import invoiced_lines
from vetlla.tasks.budget.recorded import RecordedInvoices, recorded_invoices
from vetlla.tasks.budget.tender import load_tender

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

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


@with_option_groups
def execution(
    invoices: Annotated[
        list[Path] | None,
        typer.Option(
            "--invoices",
            metavar="FILE",
            readable=False,
            help="File with lines of `vetlla invoice make --json`; may be repeated. Default: the months of the record.",
        ),
    ] = None,
    until: Annotated[
        date | None,
        typer.Option(
            "--until",
            parser=as_month,
            metavar="YYYY-MM",
            help="Last month that counts. Default: the last invoiced one.",
        ),
    ] = None,
    known: Known = "",
    check: Annotated[
        bool, typer.Option("--check", help="Answer as a monitoring plug-in, with its exit status.")
    ] = False,
    file: TenderFile = None,
    *,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compare what was invoiced with the yearly budget of the tender, by concept: the rest, the share, the projection.

    The invoices are those of closed months, and of each other month that is over the one that the record gives.

    Exit status with --check: 0 all concepts stay within their budget, 1 a concept or the year will go beyond it or a
    month has no invoice, 2 the year's net amount is beyond its budget or will exceed what a modification may add, 3
    unknown, because the invoices cannot be read. Without --check it is 0.

    Example: vetlla budget execution --until 2026-11
    """
    background_priority()

    def executed() -> _Executed:
        tables = load_tender(file)
        months = [month for some in contract_months(tables).values() for month in some]
        asked_for = [month for month in months if until is None or month <= until]
        found = _invoices(invoices, asked_for, known, options, state_dir)
        return _Executed(executed_years(tables, found.lines, until), found.closed)

    if check:
        found, said = read_or_unknown("budget", "the invoices cannot be read", lambda: _checked(executed().years))
        print_check("BUDGET", found, said, as_json=as_json)
        return
    done = executed()
    if as_json:
        for year in done.years:
            for row in year.rows:
                print_json(_fields(year, row, done.closed))
        return
    print_rows(_rows(done.years), COLUMNS, as_json=False)
    for year in done.years:
        _tell(year, done.closed)
    footnotes([STRAIGHT, NOT_A_CONTRACT])


class _Executed(NamedTuple):
    """What was invoiced, and the months whose invoice is that of a closed month."""

    years: Sequence[BudgetYear]
    closed: Collection[date]


def _invoices(
    files: Sequence[Path] | None, months: Sequence[date], known: str, options: RuleOptions, state_dir: Path
) -> RecordedInvoices:
    """Return the invoices of files, or else of the record. Raises UsageError, ConfigError and StoreError."""
    if files:
        if known:
            raise UsageError("files are no record that was known at a time", remedy="leave out --known or --invoices")
        return RecordedInvoices(invoiced_lines(files), frozenset())
    rules = options.rules()
    _, known_us = asked(known)
    with progress("counting the invoices") as tell:
        found = recorded_invoices(state_dir, CLOCK, rules, months, known_us=known_us, tell=tell)
    if not found.lines:
        raise UsageError(
            "the record has no month with an invoice", remedy="name files with --invoices, or import the homes"
        )
    return found


def _checked(years: Sequence[BudgetYear]) -> tuple[list[Finding], str]:
    net = years[-1].row("net")
    said = f"{net.share} % of {net.budgeted} EUR net of {net.year} invoiced in {len(years[-1].invoiced)} months"
    return findings(years), said


def _fields(year: BudgetYear, row: BudgetRow, closed: Collection[date]) -> dict[str, Any]:
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
        "closed": [f"{month:%Y-%m}" for month in year.invoiced if month in closed],
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


def _tell(year: BudgetYear, closed: Collection[date]) -> None:
    """Print the bounds of a year, how many of its invoices are those of closed months, and its months without one."""
    of_closed = sum(month in closed for month in year.invoiced)
    kept = f", {of_closed} of them as closed" if of_closed else ""
    talk().print(
        f"{year.year}: {len(year.invoiced)} months invoiced{kept}; net up to {money(year.without_modification)} EUR"
        f" without a modification (LCSP 309.1), up to {money(year.with_modification)} EUR with one (tender 19.1)",
        soft_wrap=True,
    )
    if year.missing:
        talk().print(f"without an invoice: {', '.join(f'{one:%Y-%m}' for one in year.missing)}", soft_wrap=True)
