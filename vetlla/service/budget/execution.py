"""What was invoiced against the yearly budget of the tender (Barcelona 20220428, sections 5, 6 and 19.1).

The budget of a year is what the tender's tables say. By the end of a month the tender expects the same part of it for
each month of the contract in that year (19.1.1). The projection to the end of the year is a straight line by days: what
was invoiced, divided by the days of the invoiced months, times the days of the contract in that year.

More than the budget is possible in two ways. Units may exceed it by 10 % without a modification (LCSP, article 309.1,
in the estimated value of section 6), and a modification may add up to 20 % of the year's net amount (19.1.1).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.money import cents, tax_of
from vetlla.service.budget.tender import RENT, SUMS, cells
from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.service.budget.tender import TenderTables

WITHOUT_MODIFICATION: Final = 10
"""Percent of the year's net amount that units may exceed it by (LCSP, article 309.1; tender, section 6)."""
BY_MODIFICATION: Final = 20
"""Percent of the year's net amount that a modification may add (tender, 19.1)."""
OTHER_VAT: Final = "other_vat"
"""Row of the lines whose VAT is that of no budget item; their VAT has a row such as ``vat_10``."""
_VAT: Final = "vat_"
_ZERO: Final = Decimal(0)
_MONTHS_OF_A_YEAR: Final = 12


class InvoicedLine(NamedTuple):
    """A line of an invoice, as far as the budget needs it."""

    concept: str
    amount: Decimal
    """EUR without VAT; a reduction is below zero."""
    vat: Decimal
    """Rate in percent."""


class BudgetState(StrEnum):
    """How a row stands."""

    WITHIN = "within"
    PROJECTED_BEYOND = "projected_beyond"
    """The projection is above the budget."""
    BEYOND = "beyond"
    """What was invoiced is above the budget of the year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """A concept in a year; amounts are EUR."""

    year: int
    concept: str
    """As in the tables of the tender, with their sums; also a concept that only invoices have."""
    budgeted: Decimal
    expected: Decimal
    """The budget of the invoiced months."""
    executed: Decimal
    projected: Decimal | None
    """None without an invoice of that year."""

    @property
    def remaining(self) -> Decimal:
        """Budget less invoices; below zero if they are beyond it."""
        return self.budgeted - self.executed

    @property
    def share(self) -> Decimal | None:
        """Percent of the budget that was invoiced, to two decimals; None without a budget."""
        return cents(self.executed * 100 / self.budgeted) if self.budgeted else None

    @property
    def state(self) -> BudgetState:
        """How the row stands."""
        if self.executed > self.budgeted:
            return BudgetState.BEYOND
        is_over = self.projected is not None and self.projected > self.budgeted
        return BudgetState.PROJECTED_BEYOND if is_over else BudgetState.WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetYear:
    """A year of the contract."""

    year: int
    invoiced: Sequence[date]
    """Months with an invoice, by their first days."""
    missing: Sequence[date]
    """Months up to the asked one that have none."""
    rows: Sequence[BudgetRow]
    """The tables' concepts in their order, further concepts of invoices by name, and the sums."""
    without_modification: Decimal
    """Net amount up to which no modification is needed."""
    with_modification: Decimal
    """Net amount up to which a modification may go."""

    def row(self, concept: str) -> BudgetRow:
        """Return the row of a concept, or of a sum."""
        return next(one for one in self.rows if one.concept == concept)


def contract_months(tables: TenderTables) -> dict[int, list[date]]:
    """Return the months of each period: the last ones of the first year, and the first ones of any other."""
    first = tables.years[0]
    begins = dict.fromkeys(tables.years, 1) | {first: _MONTHS_OF_A_YEAR + 1 - tables.months[0]}
    return {
        year: [date(year, begins[year] + place, 1) for place in range(number)]
        for year, number in zip(tables.years, tables.months, strict=True)
    }


def execution(
    tables: TenderTables, invoiced: Mapping[date, Sequence[InvoicedLine]], until: date | None = None
) -> list[BudgetYear]:
    """Return the years up to a month (default: the last invoiced one) that have an invoice, and the year of that month.

    ``invoiced``: the lines of each month, by its first day. Later months than ``until`` are left out. Raises UsageError
    for a month that is no month of the contract, and without any month.
    """
    months = contract_months(tables)
    every = [month for some in months.values() for month in some]
    last = until or max(invoiced, default=None)
    if last is None:
        raise UsageError("there is no invoice", remedy="give files of `vetlla invoice make --json` with --invoices")
    for month in sorted({*invoiced, last}):
        if month not in every:
            raise UsageError(
                f"{month:%Y-%m} is no month of the contract", remedy=f"from {every[0]:%Y-%m} to {every[-1]:%Y-%m}"
            )
    budget: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for cell in cells(tables):
        if cell.year is not None:
            budget[cell.year][cell.concept] = cell.amount
    until_last = {month: lines for month, lines in invoiced.items() if month <= last}
    return [
        _year(tables, budget[year], some, until_last, last)
        for year, some in months.items()
        if last in some or any(month in until_last for month in some)
    ]


def _year(
    tables: TenderTables,
    budget: Mapping[str, Decimal],
    months: Sequence[date],
    invoiced: Mapping[date, Sequence[InvoicedLine]],
    last: date,
) -> BudgetYear:
    year, asked = months[0].year, [month for month in months if month <= last]
    present = [month for month in asked if month in invoiced]
    executed = _executed(tables, [invoiced[month] for month in present])
    days, of_year = _days(present), _days(months)
    sums = [one for one in SUMS if one in budget]
    further = sorted(set(executed) - set(budget) - set(sums))
    order = [*(one for one in budget if one not in sums), *further, *sums]
    net = budget["net"]
    return BudgetYear(
        year=year,
        invoiced=present,
        missing=[month for month in asked if month not in invoiced],
        rows=[
            BudgetRow(
                year=year,
                concept=concept,
                budgeted=budget.get(concept, _ZERO),
                expected=cents(budget.get(concept, _ZERO) * len(present) / len(months)),
                executed=executed.get(concept, _ZERO),
                projected=cents(executed.get(concept, _ZERO) * of_year / days) if days else None,
            )
            for concept in order
        ],
        without_modification=cents(net * (100 + WITHOUT_MODIFICATION) / 100),
        with_modification=cents(net * (100 + BY_MODIFICATION) / 100),
    )


def _executed(tables: TenderTables, invoices: Sequence[Sequence[InvoicedLine]]) -> dict[str, Decimal]:
    """Return what was invoiced by concept, with the sums. VAT is rounded once for each invoice and rate."""
    found: defaultdict[str, Decimal] = defaultdict(lambda: _ZERO)
    net = taxes = _ZERO
    for lines in invoices:
        bases: defaultdict[tuple[str, str, Decimal], Decimal] = defaultdict(lambda: _ZERO)
        for line in lines:
            _refuse_sum(line.concept)
            found[line.concept] += line.amount
            bases[*_item(line, tables), line.vat] += line.amount
        for (item, vat, rate), base in bases.items():
            tax = tax_of(base, rate)
            found[item] += base
            found[vat] += tax
            net += base
            taxes += tax
    return {**found, "net": net, "total": net + taxes}


def _refuse_sum(concept: str) -> None:
    """Raise UsageError if a line has the name of a sum, in which it would count twice."""
    if concept in {*SUMS, OTHER_VAT} or concept.startswith(_VAT):
        raise UsageError(
            f"{concept} is a sum of the table and no concept of an invoice", remedy="leave the sums out of the file"
        )


def _item(line: InvoicedLine, tables: TenderTables) -> tuple[str, str]:
    """Return the rows of the sum and of the VAT to which a line belongs, by its VAT.

    Two items of the same rate are told apart by the concept. A third rate has rows of its own.
    """
    services, rent = ("services", f"{_VAT}4"), ("rent", f"{_VAT}21")
    if tables.vat.services == tables.vat.rent == line.vat:
        return rent if line.concept.startswith(RENT) else services
    if line.vat == tables.vat.services:
        return services
    return rent if line.vat == tables.vat.rent else (OTHER_VAT, f"{_VAT}{line.vat.normalize():f}")


def _days(months: Sequence[date]) -> int:
    return sum((add_months(month, 1) - month).days for month in months)
