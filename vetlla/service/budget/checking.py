"""What a monitoring plug-in says about the budget: concepts that run beyond it, and months without an invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.findings import Finding, Level
from vetlla.service.budget.execution import BY_MODIFICATION, WITHOUT_MODIFICATION, BudgetState
from vetlla.service.budget.tender import SUMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.service.budget.execution import BudgetRow, BudgetYear


def findings(years: Iterable[BudgetYear]) -> list[Finding]:
    """Return what is beyond the budget, by year; the net amount of a year first."""
    return [one for year in years for one in _of_year(year)]


def _of_year(year: BudgetYear) -> Iterator[Finding]:
    net = _net(year)
    if net is not None:
        yield net
    for row in year.rows:
        if row.concept not in SUMS and row.state is not BudgetState.WITHIN:
            yield _finding(row, Level.WARNING, _text(row), "vetlla budget execution shows all concepts")
    for month in year.missing:
        text = f"{month:%Y-%m} has no invoice"
        remedy = "import what is missing in the record, or name its file with --invoices"
        yield Finding(check="missing_month", level=Level.WARNING, text=text, remedy=remedy)


def _net(year: BudgetYear) -> Finding | None:
    """Return what is to say about the net amount of a year."""
    row = year.row("net")
    if row.state is BudgetState.WITHIN:
        return None
    most = max(row.executed, row.projected or row.executed)
    if most > year.with_modification:
        remedy = (
            f"a modification adds at most {BY_MODIFICATION} % of the year, up to {year.with_modification} EUR (19.1)"
        )
        return _finding(row, Level.CRITICAL, _text(row), remedy)
    level = Level.CRITICAL if row.state is BudgetState.BEYOND else Level.WARNING
    if most > year.without_modification:
        remedy = f"ask for a modification: it is above {year.without_modification} EUR (19.1.1)"
        return _finding(row, level, _text(row), remedy)
    remedy = (
        f"up to {WITHOUT_MODIFICATION} %, {year.without_modification} EUR, needs no modification (LCSP, article 309.1)"
    )
    return _finding(row, level, _text(row), remedy)


def _text(row: BudgetRow) -> str:
    if row.state is BudgetState.BEYOND:
        return f"{row.concept} {row.year}: {row.executed} EUR invoiced, {row.budgeted} EUR budgeted"
    return f"{row.concept} {row.year}: {row.projected} EUR by the end of the year, {row.budgeted} EUR budgeted"


def _finding(row: BudgetRow, level: Level, text: str, remedy: str) -> Finding:
    figures = {"budgeted": float(row.budgeted), "executed": float(row.executed)}
    if row.projected is not None:
        figures["projected"] = float(row.projected)
    return Finding(check=f"{row.concept}.{row.year}", level=level, text=text, remedy=remedy, figures=figures)
