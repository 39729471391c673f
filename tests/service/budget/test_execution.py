"""What was invoiced against the budget, against sums that are made row by row."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.errors import UsageError
from vetlla.domain.findings import Level, worst
from vetlla.service.budget.checking import findings
from vetlla.service.budget.execution import BudgetState, BudgetYear, InvoicedLine, contract_months, execution
from vetlla.service.budget.tender import cells
from vetlla.tasks.budget.tender import load_tender

TABLES = load_tender()
BUDGET = {(one.year, one.concept): one.amount for one in cells(TABLES)}
MONTHS = [month for some in contract_months(TABLES).values() for month in some]
CENT = Decimal("0.01")
VAT4, VAT21 = Decimal(4), Decimal(21)
LINES = st.lists(
    st.one_of(
        st.builds(
            InvoicedLine, st.sampled_from(["essential", "umo"]), st.decimals(0, 900_000, places=2), st.just(VAT4)
        ),
        st.builds(InvoicedLine, st.just("rent.smoke"), st.decimals(0, 900, places=2), st.just(VAT21)),
        st.builds(InvoicedLine, st.just("ans_reduction"), st.decimals(-900, 0, places=2), st.just(VAT4)),
    ),
    max_size=6,
)


OTHER_RATES = st.lists(
    st.builds(
        InvoicedLine,
        st.sampled_from(["umo", "rent.smoke", "gift"]),
        st.decimals(-900, 9000, places=2),
        st.sampled_from([VAT4, Decimal("4.00"), Decimal(5), Decimal(10), Decimal("10.5"), VAT21, Decimal(0)]),
    ),
    min_size=1,
    max_size=6,
)


def line(concept: str, amount: str, vat: Decimal = VAT4) -> InvoicedLine:
    """Return a line."""
    return InvoicedLine(concept, Decimal(amount), vat)


def test_the_months_of_the_contract() -> None:
    """From April 2024 to March 2027."""
    assert (MONTHS[0], MONTHS[-1], len(MONTHS)) == (date(2024, 4, 1), date(2027, 3, 1), 36)


@given(st.dictionaries(st.sampled_from(MONTHS), LINES, min_size=1, max_size=8))
def test_every_row_is_the_sum_of_its_lines(invoiced: dict[date, list[InvoicedLine]]) -> None:
    """Budget, invoices, rest, share and projection of each year that has an invoice."""
    found = execution(TABLES, invoiced)
    assert [one.year for one in found] == sorted({month.year for month in invoiced})
    for year in found:
        months = [month for month in invoiced if month.year == year.year]
        lines = [one for month in months for one in invoiced[month]]
        days = sum(monthrange(month.year, month.month)[1] for month in months)
        of_year = sum(monthrange(month.year, month.month)[1] for month in MONTHS if month.year == year.year)
        for row in year.rows:
            assert row.budgeted == BUDGET.get((year.year, row.concept), Decimal(0))
            assert row.remaining == row.budgeted - row.executed
            assert row.projected == (row.executed * of_year / days).quantize(CENT, ROUND_HALF_UP)
            if row.concept in {one.concept for one in lines}:
                assert row.executed == sum(one.amount for one in lines if one.concept == row.concept)
        tax = {
            rate: sum(
                (sum((one.amount for one in invoiced[month] if one.vat == rate), Decimal(0)) * rate / 100).quantize(
                    CENT, ROUND_HALF_UP
                )
                for month in months
            )
            for rate in (VAT4, VAT21)
        }
        net = sum((one.amount for one in lines), Decimal(0))
        assert year.row("net").executed == net
        assert (year.row("vat_4").executed, year.row("vat_21").executed) == (tax[VAT4], tax[VAT21])
        assert year.row("total").executed == net + sum(tax.values())


def test_what_is_beyond_and_what_will_be() -> None:
    """90 days of 2026 at 0.01 EUR more than a quarter go beyond; a concept without a budget is beyond at once."""
    quarter = {date(2026, month, 1): [line("umo", "194311.23")] for month in (1, 2, 3)}
    (year,) = execution(TABLES, quarter)
    assert year.row("umo").executed == Decimal("582933.69")
    assert year.row("umo").projected == Decimal("2364119.97")
    assert year.row("umo").state is BudgetState.WITHIN
    quarter[date(2026, 3, 1)] = [line("umo", "194311.24"), line("central_calls", "0.01")]
    (year,) = execution(TABLES, quarter)
    assert year.row("umo").projected == Decimal("2364120.01")
    assert year.row("umo").state is BudgetState.PROJECTED_BEYOND
    assert year.row("central_calls").state is BudgetState.BEYOND
    assert year.row("umo").expected == Decimal("591030.00")


def test_the_bounds_of_a_year_are_those_of_the_tender() -> None:
    """The tables of sections 6 and 19.1.1: 20 % and 10 % of each year's net amount."""
    months = {date(year, 12, 1): [line("umo", "1")] for year in (2024, 2025, 2026)}
    printed = {
        2024: ("1588217.69", "794108.84"),
        2025: ("2177003.00", "1088501.50"),
        2026: ("2324971.73", "1162485.87"),
    }
    for year in execution(TABLES, months):
        net = BUDGET[year.year, "net"]
        assert (year.with_modification - net, year.without_modification - net) == tuple(
            map(Decimal, printed[year.year])
        )


def level_of(net: str) -> tuple[Level, str]:
    """Return the gravest finding of a year of which everything was invoiced in its last month."""
    year = _whole_year(net)
    found = findings([year])
    (about,) = (one for one in found if one.check == "net.2026")
    return worst(found), about.remedy


def _whole_year(net: str) -> BudgetYear:
    months = {month: [line("umo", "0")] for month in MONTHS if month.year == 2026}
    months[date(2026, 12, 1)] = [
        line("essential", "5807994.98"),
        line("rent.terminal_digital", str(Decimal(net) - Decimal("5807994.98"))),
    ]
    (year,) = execution(TABLES, months)
    return year


@pytest.mark.parametrize(
    ("net", "level", "remedy"),
    [
        ("11624858.66", Level.CRITICAL, "needs no modification"),
        ("12787344.52", Level.CRITICAL, "needs no modification"),
        ("12787344.53", Level.CRITICAL, "ask for a modification"),
        ("13949830.38", Level.CRITICAL, "ask for a modification"),
        ("13949830.39", Level.CRITICAL, "a modification adds at most 20 %"),
    ],
)
def test_bounds_of_the_net_amount(net: str, level: Level, remedy: str) -> None:
    """To the cent: the budget, 10 % without a modification, 20 % with one."""
    found, told = level_of(net)
    assert (found, remedy in told) == (level, True)


def test_a_year_within_its_budget_says_nothing() -> None:
    """A concept beyond is a warning even if the net amount is within; missing months are warnings."""
    within = {month: [line("umo", "100000")] for month in MONTHS if month.year == 2026}
    assert findings(execution(TABLES, within)) == []
    beyond = within | {date(2026, 1, 1): [line("rent.door", "258.97", VAT21)]}
    assert [(one.check, one.level) for one in findings(execution(TABLES, beyond))] == [
        ("rent.door.2026", Level.WARNING)
    ]
    del within[date(2026, 3, 1)]
    assert [one.text for one in findings(execution(TABLES, within))] == ["2026-03 has no invoice"]


def test_until_leaves_later_months_out() -> None:
    """A month in the middle of the year is the last one; its year has a row even without an invoice."""
    invoiced = {date(2026, month, 1): [line("umo", "1.00")] for month in (1, 2, 3)}
    (year,) = execution(TABLES, invoiced, date(2026, 2, 1))
    assert (year.row("umo").executed, list(year.missing)) == (Decimal("2.00"), [])
    years = execution(TABLES, invoiced, date(2027, 1, 1))
    assert [(one.year, one.row("net").projected is None) for one in years] == [(2026, False), (2027, True)]


@pytest.mark.parametrize(
    ("invoiced", "until", "message"),
    [
        ({}, None, "there is no invoice"),
        ({date(2024, 3, 1): []}, None, "2024-03 is no month of the contract"),
        ({date(2026, 1, 1): []}, date(2027, 4, 1), "2027-04 is no month of the contract"),
    ],
)
def test_months_outside_the_contract_are_refused(
    invoiced: dict[date, list[InvoicedLine]], until: date | None, message: str
) -> None:
    """The error names the month."""
    with pytest.raises(UsageError, match=re.escape(message)):
        execution(TABLES, invoiced, until)


@given(OTHER_RATES, st.booleans())
def test_16_no_amount_is_lost_whatever_its_vat(lines: list[InvoicedLine], is_one_rate: bool) -> None:  # noqa: FBT001
    """Also if both items of the budget have one rate, in which each amount counts once."""
    tables = TABLES
    if is_one_rate:
        tables = TABLES.model_copy(update={"vat": TABLES.vat.model_copy(update={"services": VAT21, "rent": VAT21})})
    (year,) = execution(tables, {date(2026, 5, 1): lines})
    net = sum((one.amount for one in lines), Decimal(0))
    executed = {row.concept: row.executed for row in year.rows}
    assert len(executed) == len(year.rows)
    assert executed["net"] == net == sum(executed.get(name, 0) for name in ("services", "rent", "other_vat"))
    assert executed["total"] == net + sum(amount for name, amount in executed.items() if name.startswith("vat_"))


def test_16_another_vat_has_rows_of_its_own_and_is_a_warning() -> None:
    months = {month: [line("umo", "1")] for month in MONTHS if month.year == 2026}
    months[date(2026, 12, 1)] += [line("umo", "100.00", Decimal(10)), line("gift", "-5.00", Decimal("5.00"))]
    (year,) = execution(TABLES, months)
    found = {row.concept: row.executed for row in year.rows if row.concept in {"other_vat", "vat_10", "vat_5", "net"}}
    assert found == {"other_vat": 95, "vat_10": 10, "vat_5": Decimal("-0.25"), "net": 107}
    assert [row.concept for row in year.rows][-6:] == ["services", "rent", "net", "vat_4", "vat_21", "total"]
    assert {"other_vat.2026", "vat_10.2026"} <= {one.check for one in findings([year])}


@pytest.mark.parametrize("concept", ["net", "vat_4", "vat_7", "other_vat", "total"])
def test_16_a_line_that_is_a_sum_is_refused(concept: str) -> None:
    """It would count a second time."""
    with pytest.raises(UsageError, match=f"{concept} is a sum of the table"):
        execution(TABLES, {date(2026, 5, 1): [line(concept, "1.00")]})
