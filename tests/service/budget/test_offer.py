"""What offered prices change in the tables of the tender."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.errors import UsageError
from vetlla.service.budget.offer import ceilings, offer_cells, offered_tables
from vetlla.tasks.budget.tender import load_tender

TABLES = load_tender()
CEILINGS = ceilings(TABLES)


@st.composite
def offers(draw: st.DrawFn) -> dict[str, Decimal]:
    """Return prices that an offer may have."""
    chosen = draw(st.sets(st.sampled_from(sorted(CEILINGS)), max_size=5))
    return {one: draw(st.decimals(0, CEILINGS[one], places=4 if one == "essential" else 2)) for one in sorted(chosen)}


@given(offers())
def test_a_lower_price_lowers_its_concept_and_its_sums_only(offered: dict[str, Decimal]) -> None:
    """The amounts are units x price, counted again from the printed units; sums are those of their parts."""
    before = {(one.year, one.concept): one for one in offer_cells(TABLES, {})}
    found = {(one.year, one.concept): one for one in offer_cells(TABLES, offered)}
    assert all(one.difference == 0 for one in before.values())
    for (year, concept), one in found.items():
        assert one.ceiling == before[year, concept].ceiling
        assert one.offered <= one.ceiling
        if concept in CEILINGS and year is not None:
            share = offered.get(concept, CEILINGS[concept]) / CEILINGS[concept]
            assert abs(one.offered - one.ceiling * share) <= Decimal("0.01")
    for year in (*TABLES.years, None):
        parts = [one.offered for (when, concept), one in found.items() if when == year and concept in CEILINGS]
        assert found[year, "net"].offered == sum(parts)
        vat = found[year, "vat_4"].offered + found[year, "vat_21"].offered
        assert found[year, "total"].offered == found[year, "net"].offered + vat
    rents = {name: offered.get(f"rent.{name}", line.price) for name, line in TABLES.rent.items()}
    price = sum((60 * rents[name] * sum(line.installed) for name, line in TABLES.rent.items()), Decimal(0))
    assert found[None, "purchase_option"].offered == price - found[None, "rent"].offered


def test_one_cent_less_for_a_home_and_day() -> None:
    """Essential telecare at 0.19 EUR: 77,287.3875 homes x 276 days in 2024, and 5 % less in all."""
    found = {(one.year, one.concept): one for one in offer_cells(TABLES, {"essential": Decimal("0.19")})}
    assert found[2024, "essential"].offered == Decimal("4052950.60")
    assert found[None, "total"].offered == Decimal("34118375.77")
    assert found[None, "purchase_option"].difference == 0


@pytest.mark.parametrize(
    ("concept", "price", "message"),
    [
        ("essential", "0.2001", "essential: 0.2001 is above the ceiling 0.20"),
        ("essential", "0.19999", "essential: 0.19999 has more than 4 decimals"),
        ("rent.smoke", "0.505", "rent.smoke: 0.505 has more than 2 decimals"),
        ("rent.smoke", "1E+400", "is above the ceiling 0.58"),
        ("umo", "-0.01", "umo: -0.01 is no price"),
        ("umo", "NaN", "umo: NaN is no price"),
        ("services", "1", "the tender has no concept services"),
    ],
)
def test_a_price_that_no_offer_may_have_is_refused(concept: str, price: str, message: str) -> None:
    """The error names the concept and the rule."""
    with pytest.raises(UsageError, match=re.escape(message)):
        offered_tables(TABLES, {concept: Decimal(price)})


def test_zeros_at_the_end_are_no_decimals() -> None:
    """0.5000 is 0.50."""
    assert offered_tables(TABLES, {"rent.smoke": Decimal("0.5000")}).rent["smoke"].price == Decimal("0.5")
