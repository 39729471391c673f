"""Penalties of section 18: months of delay, one percent for each, and the ceiling."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.sanctions.making import case, facts_of, terms_with
from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import FaultClass
from vetlla.service.calendar import add_months
from vetlla.service.sanctions.catalogue import CONCILIATION, EQUALITY, recordable
from vetlla.service.sanctions.ledger import ledger

ONE_PERCENT = Decimal("334659.05")
"""Of 33,465,904.60 EUR, to the cent."""
TERMS = terms_with()


def amount(term: str, *, delivered: date | None = None, until: str = "2026-12-31") -> Decimal | None:
    """Return what a penalty has come to on a day; ``term`` is the last day on which the plan was in term."""
    late = case(EQUALITY, term, what="equality_plan")._replace(until=delivered)
    facts = facts_of({}, cases=[late])._replace(until=date.fromisoformat(until))
    found = [one for one in ledger(facts, TERMS) if one.fault == EQUALITY]
    assert [one.ceiling for one in found] == [Decimal("3346590.46")]
    return found[0].amount


def test_18_one_percent_grows_each_month_up_to_ten() -> None:
    assert amount("2026-04-30", until="2026-05-01") == ONE_PERCENT
    assert amount("2026-04-30", until="2026-05-30") == ONE_PERCENT
    assert amount("2026-04-30", until="2026-05-31") == Decimal("669318.09"), "2 % are rounded once"
    assert amount("2026-01-31", until="2026-11-01") == amount("2026-01-31") == Decimal("3346590.46")
    assert amount("2025-01-31") == Decimal("3346590.46")


def test_18_a_plan_that_came_late_costs_the_months_until_then() -> None:
    assert amount("2026-04-30", delivered=date(2026, 4, 30)) == ONE_PERCENT
    assert amount("2026-04-30", delivered=date(2026, 7, 31)) == Decimal("1338636.18")
    assert amount("2026-04-30", delivered=date(2026, 7, 31), until="2026-05-02") == ONE_PERCENT


@given(st.dates(date(2024, 4, 1), date(2027, 3, 31)), st.integers(1, 500))
def test_months_of_delay_equal_a_count_day_by_day(term: date, days: int) -> None:
    late = case(CONCILIATION, str(term), what="conciliation_document")
    until = term + timedelta(days=days)
    (found,) = (one for one in ledger(facts_of({}, cases=[late])._replace(until=until), TERMS) if one.cases == (late,))
    begins = {add_months(term, place) + timedelta(days=1) for place in range(10)}
    count = sum(term + timedelta(days=place) in begins for place in range(1, days + 1))
    assert len(found.months) == count
    assert found.months == tuple(add_months(term.replace(day=1), place) for place in range(count))


def test_18_is_no_fault_of_section_17_and_does_not_accumulate() -> None:
    late = [case(EQUALITY, f"2025-0{month}-10", str(month), what="equality_plan") for month in (1, 2)]
    found = ledger(facts_of({}, cases=late), TERMS)
    assert {one.fault_class for one in found} == {FaultClass.PENALTY}
    assert {one.assumed for one in found} == {("sanctions.price",)}


@pytest.mark.parametrize(("fault", "kind"), [(EQUALITY, "equality_plan"), (CONCILIATION, "conciliation_document")])
def test_18_is_recorded_as_a_duty_and_not_by_hand(fault: str, kind: str) -> None:
    with pytest.raises(UsageError, match=kind):
        recordable(fault)
