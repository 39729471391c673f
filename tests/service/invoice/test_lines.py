"""Amounts, VAT and reductions to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.money import cents
from vetlla.service.invoice.lines import (
    CountedLine,
    Deduction,
    ReductionVat,
    VatRates,
    counted_line,
    deduction_lines,
    month_invoice,
)

RATES = VatRates(Decimal(4), Decimal(21))


@given(st.integers(-(10**12), 10**12))
def test_half_a_cent_goes_away_from_zero(thousandths: int) -> None:
    """Counted in whole numbers: tenths of a cent."""
    whole, rest = divmod(abs(thousandths), 10)
    sign = -1 if thousandths < 0 else 1
    assert cents(Decimal(thousandths) / 1000) == Decimal(sign * (whole + (rest >= 5))) / 100


def test_a_line_is_rounded_once() -> None:
    line = counted_line("essential", Decimal(2573001), Decimal("0.2000"), RATES)
    assert (line.amount, int(line.vat), line.unit) == (Decimal("514600.20"), 4, "home_day")
    line = counted_line("rent.smoke", Decimal("2.83333333"), Decimal("0.58"), RATES)
    assert (line.amount, int(line.vat), line.unit) == (Decimal("1.64"), 21, "device_month")


@given(st.lists(st.tuples(st.sampled_from(["umo", "rent.gas"]), st.decimals(0, 10**6, places=2)), max_size=8))
def test_vat_is_of_the_sum_of_a_rate(lines: list[tuple[str, Decimal]]) -> None:
    made = month_invoice(
        date(2026, 11, 1),
        [CountedLine(line=counted_line(name, Decimal(1), price, RATES)) for name, price in lines],
    )
    for group in made.vat:
        base = sum((price for name, price in lines if (21 if "rent" in name else 4) == group.rate), Decimal(0))
        assert (group.base, group.tax) == (base, cents(base * group.rate / 100))
    assert made.net == sum((price for _, price in lines), Decimal(0))
    assert made.total == made.net + sum(group.tax for group in made.vat)
    assert [group.rate for group in made.vat] == sorted({group.rate for group in made.vat})


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ReductionVat.SERVICES, [("-10.00", 4)]),
        (ReductionVat.RENT, [("-10.00", 21)]),
        (ReductionVat.BOTH, [("-6.67", 4), ("-3.33", 21)]),
    ],
)
def test_a_reduction_has_the_vat_that_the_parameter_says(where: ReductionVat, expected: list[tuple[str, int]]) -> None:
    counted = [
        counted_line("umo", Decimal(2), Decimal(100), RATES),
        counted_line("rent.gas", Decimal(1), Decimal(100), RATES),
    ]
    found = deduction_lines(Deduction("ans_reduction", Decimal(10), "ANS 3"), counted, RATES, where)
    assert [(str(line.amount), int(line.vat)) for line in found] == expected
    assert {line.concept for line in found} == {"ans_reduction"}


def test_an_empty_reduction_is_one_line_without_a_sign() -> None:
    (line,) = deduction_lines(Deduction("ans_reduction", Decimal(0), ""), [], RATES, ReductionVat.BOTH)
    assert str(line.amount) == "0.00"
