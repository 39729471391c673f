"""A home is called at even distances over the year, and its people are revalued in turn."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vetlla.service.agenda.rhythm import is_revalued, place_of, turns

PLACES = st.integers(0, (1 << 32) - 1).map(lambda number: number / (1 << 32))
A_YEAR = st.integers(0, 48)
EVERY = st.sampled_from([1, 2, 3, 4, 6, 12])
MONTHS = range(12)


@given(PLACES, A_YEAR)
def test_a_year_has_its_number_of_calls_at_even_distances(place: float, a_year: int) -> None:
    found = [(turn.number, month + turn.position) for month in MONTHS for turn in turns(place, a_year, month)]
    assert [number for number, _ in found] == list(range(a_year))
    assert all(0 <= turn.position < 1 for month in MONTHS for turn in turns(place, a_year, month))
    moments = [moment for _, moment in found]
    assert all(abs(later - earlier - 12 / a_year) < 1e-6 for earlier, later in pairwise(moments))


def test_each_month_has_an_even_load() -> None:
    """Codes count up in real inventories, and must not fall into step with the months."""
    for a_year in (8, 12, 24):
        load = Counter(
            month
            for number in range(8_000)
            for month in MONTHS
            for _ in turns(place_of(f"H{number:06}"), a_year, month)
        )
        expected = 8_000 * a_year / 12
        assert all(abs(number - expected) < expected * 0.03 for number in load.values()), load


@given(PLACES, PLACES, A_YEAR, EVERY)
def test_revaluations_are_exactly_their_period_apart(own: float, place: float, a_year: int, every: int) -> None:
    months = [month for month in MONTHS if is_revalued(own, place, a_year, every, month)]
    assert len(months) == 12 // every
    assert all(later - earlier == every for earlier, later in pairwise(months))


@given(PLACES, PLACES, st.sampled_from([8, 12, 24]), st.sampled_from([6, 12]), st.sampled_from(MONTHS))
def test_a_revaluation_stands_at_a_follow_up_of_its_month(
    own: float, place: float, a_year: int, every: int, month: int
) -> None:
    turn = is_revalued(own, place, a_year, every, month)
    assert turn is None or turn in turns(place, a_year, month)


@given(PLACES, PLACES)
def test_an_emergency_adds_a_revaluation_and_moves_none(own: float, place: float) -> None:
    yearly = {month for month in MONTHS if is_revalued(own, place, 8, 12, month)}
    half_yearly = {month for month in MONTHS if is_revalued(own, place, 8, 6, month)}
    assert yearly < half_yearly


@given(PLACES, PLACES, st.sampled_from([(8, 12), (12, 24), (8, 24)]))
def test_another_support_level_moves_a_revaluation_by_at_most_two_months(
    own: float, place: float, levels: tuple[int, int]
) -> None:
    """Else a person whose level changes could wait for longer than the period."""
    one, other = (next(month for month in MONTHS if is_revalued(own, place, a_year, 12, month)) for a_year in levels)
    assert min((one - other) % 12, (other - one) % 12) <= 2
