"""One technician can make several visits exactly if some order of them works."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vetlla.service.visits.fitting import MOST, VisitSlot, clashing, fit

if TYPE_CHECKING:
    from collections.abc import Sequence


@st.composite
def stops(draw: st.DrawFn) -> VisitSlot:
    """Return a visit of a short and crowded day, so that the order matters."""
    begin = draw(st.integers(0, 8))
    return VisitSlot(begin, begin + draw(st.integers(0, 12)), draw(st.integers(0, 5)))


def works(order: Sequence[VisitSlot]) -> bool:
    """Return True if visits made in this order all begin inside their intervals."""
    free = min((stop.begin for stop in order), default=0)
    for stop in order:
        arrives = max(free, stop.begin)
        if arrives > stop.end:
            return False
        free = arrives + stop.length
    return True


@settings(max_examples=300)
@example([VisitSlot(4, 11, 5), VisitSlot(5, 12, 3), VisitSlot(1, 1, 2), VisitSlot(6, 11, 3)])
@given(st.lists(stops(), max_size=6))
def test_the_visits_fit_exactly_if_one_of_all_orders_works(found: list[VisitSlot]) -> None:
    assert fit(found) == any(works(order) for order in permutations(found))


@given(stops(), st.lists(stops(), max_size=5))
def test_a_visit_that_does_not_fit_is_blamed_on_others_and_one_that_fits_on_none(
    new: VisitSlot, others: list[VisitSlot]
) -> None:
    blamed = clashing(new, others)
    if fit(others):
        assert bool(blamed) != fit([*others, new])


@pytest.mark.parametrize(
    ("new", "clashes"),
    [
        (VisitSlot(0, 90, 40), []),  # first one, then the other, both inside the same interval
        (VisitSlot(0, 90, 100), []),  # the short one first
        (VisitSlot(0, 30, 100), [0]),
        (VisitSlot(200, 290, 40), []),
    ],
)
def test_two_visits_in_one_interval(new: VisitSlot, clashes: list[int]) -> None:
    assert clashing(new, [VisitSlot(0, 90, 40)]) == clashes


def test_more_visits_at_once_than_orders_are_tried_do_not_fit() -> None:
    assert fit([VisitSlot(0, 500, 40)] * MOST)
    assert not fit([VisitSlot(0, 500, 0)] * (MOST + 1))
    assert fit([VisitSlot(hour * 100, hour * 100 + 90, 10) for hour in range(3 * MOST)])
