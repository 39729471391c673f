"""The peak of a plan is compared with the bound over all windows and, for small fleets, with every possible plan."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.service.renewals.filling import fill
from vetlla.service.renewals.levels import levels, shortage
from vetlla.service.renewals.peak_lowering import lower_peak
from vetlla.service.renewals.slots import Slot

if TYPE_CHECKING:
    from collections.abc import Sequence


def bound(slots: Sequence[Slot], days: int) -> Fraction:
    """Return the largest quotient over all windows, or the longest visit if that is more, by direct computation."""
    quotients = [
        Fraction(sum(slot.minutes for slot in slots if first <= slot.first and slot.last <= last), last - first + 1)
        for first in range(days)
        for last in range(first, days)
    ]
    return max([*quotients, *(Fraction(slot.minutes) for slot in slots)])


def load(slots: Sequence[Slot], placed: Sequence[int]) -> Counter[int]:
    total: Counter[int] = Counter()
    for slot, day in zip(slots, placed, strict=True):
        total[day] += slot.minutes
    return total


def planned(slots: Sequence[Slot], days: int) -> list[int]:
    work: Counter[tuple[int, int]] = Counter()
    for slot in slots:
        work[slot.first, slot.last] += slot.minutes
    placed = fill(slots, levels(work, days))
    assert placed is not None
    lower_peak(slots, placed, 0)
    return placed


def exhaustive(slots: Sequence[Slot]) -> int:
    """Return the lowest peak of all possible plans."""
    choices = [range(slot.first, slot.last + 1) for slot in slots]
    return min(max(load(slots, placed).values()) for placed in product(*choices))


@st.composite
def parks(draw: st.DrawFn, *, days: int, most: int, minutes: st.SearchStrategy[int]) -> list[Slot]:
    slots = []
    for _ in range(draw(st.integers(1, most))):
        first = draw(st.integers(0, days - 1))
        slots.append(Slot(first=first, last=draw(st.integers(first, days - 1)), minutes=draw(minutes)))
    return slots


@settings(max_examples=150, deadline=None)
@given(parks(days=5, most=6, minutes=st.just(70)))
def test_visits_of_one_length_have_the_lowest_peak_there_is(slots: list[Slot]) -> None:
    """With visits of equal length the plan's peak is the lowest of all plans."""
    assert max(load(slots, planned(slots, 5)).values()) == exhaustive(slots)


@settings(max_examples=150, deadline=None)
@given(parks(days=4, most=6, minutes=st.sampled_from([45, 70, 80, 105])))
def test_visits_of_any_length_are_within_a_visit_of_the_lowest_peak(slots: list[Slot]) -> None:
    """The peak is never below the best plan's, and less than one visit above it."""
    peak = max(load(slots, planned(slots, 4)).values())
    best = exhaustive(slots)
    assert bound(slots, 4) <= best <= peak < best + max(slot.minutes for slot in slots)


@settings(max_examples=60, deadline=None)
@given(parks(days=12, most=60, minutes=st.sampled_from([45, 70, 75, 80, 105])))
def test_every_visit_is_inside_its_window_and_the_peak_within_a_visit_of_the_bound(slots: list[Slot]) -> None:
    """No visit is early or late, and the peak exceeds the bound by less than one visit."""
    placed = planned(slots, 12)
    assert all(slot.first <= day <= slot.last for slot, day in zip(slots, placed, strict=True))
    longest = max(slot.minutes for slot in slots)
    assert bound(slots, 12) <= max(load(slots, placed).values()) < bound(slots, 12) + longest


@settings(max_examples=60, deadline=None)
@given(parks(days=10, most=40, minutes=st.sampled_from([45, 70, 80])))
def test_levels_leave_room_for_all_that_must_fall_in_any_window(slots: list[Slot]) -> None:
    """In any window the levels add up to at least the work that must be done in it, and their maximum is the bound."""
    work: Counter[tuple[int, int]] = Counter()
    for slot in slots:
        work[slot.first, slot.last] += slot.minutes
    found = levels(work, 10)
    for first in range(10):
        for last in range(first, 10):
            inside = sum(minutes for (begin, end), minutes in work.items() if first <= begin and end <= last)
            assert sum(stretch.level for stretch in found[first : last + 1]) >= inside
    longest = Fraction(max(slot.minutes for slot in slots))
    assert max(*(stretch.level for stretch in found), longest) == bound(slots, 10)


@settings(max_examples=60, deadline=None)
@given(
    parks(days=8, most=20, minutes=st.sampled_from([45, 70, 80])), st.lists(st.integers(0, 300), min_size=8, max_size=8)
)
def test_a_shortage_is_the_window_that_lacks_most(slots: list[Slot], capacity: list[int]) -> None:
    """The shortage is the largest over all windows; without one, every window has enough capacity."""
    work: Counter[tuple[int, int]] = Counter()
    for slot in slots:
        work[slot.first, slot.last] += slot.minutes
    lacks = [
        sum(minutes for (begin, end), minutes in work.items() if first <= begin and end <= last)
        - sum(capacity[first : last + 1])
        for first in range(8)
        for last in range(first, 8)
    ]
    found = shortage(work, capacity)
    assert (found[1] if found else 0) == max(0, *lacks)


@settings(max_examples=60, deadline=None)
@given(parks(days=6, most=12, minutes=st.sampled_from([45, 70])), st.lists(st.integers(0, 400), min_size=6, max_size=6))
def test_a_capacity_is_never_exceeded(slots: list[Slot], capacity: list[int]) -> None:
    """With a capacity, no day has more work than that, and every visit is in its window."""
    work: Counter[tuple[int, int]] = Counter()
    for slot in slots:
        work[slot.first, slot.last] += slot.minutes
    placed = fill(slots, levels(work, 6), capacity)
    if placed is not None:
        assert all(minutes <= capacity[day] for day, minutes in load(slots, placed).items())
        assert all(slot.first <= day <= slot.last for slot, day in zip(slots, placed, strict=True))
