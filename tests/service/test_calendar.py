"""Working days of Barcelona are found, and months are counted as in contracts."""

from __future__ import annotations

from datetime import date

import pytest

from vetlla.service.calendar import (
    add_months,
    first_on_or_after,
    last_before,
    last_on_or_before,
    public_holidays,
    working_days,
)
from vetlla.simulator.park import reading


def test_weekends_and_the_holidays_of_spain_catalonia_and_the_city_are_no_working_days() -> None:
    """Easter Monday, Sant Joan and la Diada are Catalan holidays; Whit Monday and la Mercè are those of the city."""
    local = reading().dates("holidays.local")
    days = set(working_days(date(2024, 1, 1), date(2024, 12, 31), local))
    closed = [(1, 1), (1, 6), (3, 29), (4, 1), (5, 1), (5, 20), (6, 24), (8, 15), (9, 11), (9, 24), (11, 1), (12, 26)]
    assert not days & {date(2024, month, day) for month, day in closed}
    assert {date(2024, 4, 2), date(2024, 7, 25), date(2024, 9, 23)} <= days
    assert date(2024, 9, 24) in working_days(date(2024, 9, 24), date(2024, 9, 24))
    assert working_days(date(2024, 4, 6), date(2024, 4, 7)) == []
    assert working_days(date(2024, 4, 7), date(2024, 4, 6)) == []


def test_a_region_has_the_national_holidays_and_its_own() -> None:
    national, catalan = public_holidays("ES", 2026), public_holidays("ES-CT", 2026)
    assert national < catalan
    assert {date(2026, 1, 6), date(2026, 4, 3), date(2026, 10, 12), date(2026, 12, 8)} <= national
    assert {date(2026, 4, 6), date(2026, 6, 24), date(2026, 9, 11), date(2026, 12, 26)} <= catalan - national


@pytest.mark.parametrize("region", ["", "XX", "ES-XX", "es", "ES-CT-L"])
def test_a_region_that_is_not_known_is_refused(region: str) -> None:
    with pytest.raises(ValueError, match="write it as ES or ES-CT"):
        public_holidays(region, 2026)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2024, 8, 31), 6, date(2025, 2, 28)),
        (date(2024, 2, 29), -120, date(2014, 2, 28)),
        (date(2024, 12, 15), 1, date(2025, 1, 15)),
        (date(2024, 1, 31), -1, date(2023, 12, 31)),
    ],
)
def test_a_month_that_lacks_the_day_ends_with_its_last(day: date, months: int, then: date) -> None:
    """Lives and intervals are counted in months, forwards and backwards."""
    assert add_months(day, months) == then


def test_a_day_is_found_among_working_days() -> None:
    """The first on or after a day, the last before it and the last up to it are found, also beyond both ends."""
    days = working_days(date(2024, 4, 2), date(2024, 4, 12))
    assert days[first_on_or_after(days, date(2024, 4, 6))] == date(2024, 4, 8)
    assert days[last_before(days, date(2024, 4, 8))] == date(2024, 4, 5)
    assert days[last_on_or_before(days, date(2024, 4, 8))] == date(2024, 4, 8)
    assert (first_on_or_after(days, date(2024, 5, 1)), last_before(days, date(2024, 4, 2))) == (len(days), -1)
