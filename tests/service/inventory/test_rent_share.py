"""How many rents rented days are, against a count day by day."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.service.inventory.rent_share import ProRata, RentedDays, clipped, merged, rented_months

DAYS = st.dates(date(2024, 1, 1), date(2025, 3, 31))
STRETCHES = st.lists(st.builds(RentedDays, DAYS, DAYS), max_size=5)


def days_of(stretches: list[RentedDays]) -> set[date]:
    """Return each day of some stretches."""
    return {
        one.first + timedelta(days=place) for one in stretches for place in range(max((one.after - one.first).days, 0))
    }


def slow(days: set[date], pro_rata: ProRata) -> Fraction:
    """Return the rents of days, month by month."""
    found = Fraction(0)
    for (year, month), number in Counter((day.year, day.month) for day in days).items():
        length = monthrange(year, month)[1]
        if pro_rata is ProRata.DAYS:
            found += Fraction(number, length)
        elif pro_rata is ProRata.WHOLE_MONTH or number == length:
            found += 1
    return found


@given(STRETCHES, st.sampled_from(ProRata))
def test_rents_are_those_of_the_days_by_month(stretches: list[RentedDays], pro_rata: ProRata) -> None:
    """A day that is in two stretches counts once."""
    assert rented_months(merged(stretches), pro_rata) == slow(days_of(stretches), pro_rata)


@given(STRETCHES, DAYS, DAYS)
def test_merged_and_clipped_stretches_have_the_same_days(stretches: list[RentedDays], first: date, after: date) -> None:
    """Merged stretches are in order, and have a day between them that is in none."""
    whole = merged(stretches)
    assert days_of(list(whole)) == days_of(stretches)
    assert all(one.after < two.first for one, two in pairwise(whole))
    cut = clipped(stretches, first, after)
    assert days_of(cut) == {day for day in days_of(stretches) if first <= day < after}


@pytest.mark.parametrize(
    ("pro_rata", "months"), [(ProRata.DAYS, Fraction(19, 31) + 1), (ProRata.WHOLE_MONTH, 2), (ProRata.NONE, 1)]
)
def test_the_month_of_installation(pro_rata: ProRata, months: Fraction) -> None:
    """A device that came on 13 May has 19 of the 31 days of May, and all of June."""
    assert rented_months((RentedDays(date(2024, 5, 13), date(2024, 7, 1)),), pro_rata) == months
