"""Which duties follow from homes that left or stay, and on which days."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.homes import Home, Period
from vetlla.service.calendar import add_months
from vetlla.service.visits.planned import follow_up_visits, removals
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

TODAY = date(2026, 12, 1)
VALUES = read_parameters(parameters_file(), "--parameters").on(TODAY)
EVERY = {1: 12, 2: 6, 3: 6}


def home(*active: Period, level: int = 1, suspended: tuple[Period, ...] = ()) -> Home:
    """Return a home."""
    return Home(code="H1", district="01", base="NORD", level=level, alone=True, active=active, suspended=suspended)


def visits_of(one: Home, counted: dict[str, date] | None = None) -> list[date]:
    """Return the days up to which a follow-up visit is due within two years."""
    until = add_months(TODAY, 24)
    return [wanted.last for wanted in follow_up_visits([one], counted or {}, VALUES, TODAY, until)]


@given(st.dates(date(2010, 1, 1), TODAY), st.sampled_from([1, 2, 3]))
def test_a_home_whose_earlier_visits_are_not_on_record_is_due_within_one_period(since: date, level: int) -> None:
    (due,) = visits_of(home(Period(since), level=level))
    assert TODAY < due <= add_months(TODAY, EVERY[level])
    months = (due.year - since.year) * 12 + due.month - since.month
    assert months % EVERY[level] == 0


def test_the_period_counts_from_the_last_visit_even_if_it_is_over_then() -> None:
    assert visits_of(home(Period(date(2020, 1, 1))), {"H1": date(2025, 6, 1)}) == [date(2026, 6, 1)]


def test_a_visit_before_the_present_period_of_the_home_counts_for_nothing() -> None:
    again = home(Period(date(2020, 1, 1), date(2023, 1, 1)), Period(date(2026, 3, 1)))
    assert visits_of(again, {"H1": date(2022, 6, 1)}) == [date(2027, 3, 1)]


def test_homes_that_left_or_are_suspended_get_no_visit() -> None:
    assert not visits_of(home(Period(date(2020, 1, 1), date(2026, 11, 1))))
    assert not visits_of(home(Period(date(2020, 1, 1)), suspended=(Period(date(2026, 11, 1)),)))
    assert not visits_of(home(Period(date(2026, 6, 1), date(2026, 12, 31))))


def test_equipment_is_recovered_from_homes_that_left_for_good() -> None:
    left = home(Period(date(2020, 1, 1), date(2022, 1, 1)), Period(date(2023, 1, 1), date(2026, 11, 20)))
    (wanted,) = removals({"H1": left}, {"H1"}, TODAY)
    assert (wanted.subject, wanted.last, wanted.ref) == ("H1", date(2026, 11, 20), "left 2026-11-20")
    assert not list(removals({"H1": left}, set(), TODAY))
    assert not list(removals({"H1": home(Period(date(2027, 1, 1)))}, {"H1"}, TODAY)), "it is to join again"
    assert not list(removals({"H1": home(Period(date(2020, 1, 1), TODAY))}, {"H1"}, TODAY)), "it leaves today"
