"""Calls are spread over cells as evenly as their own limits allow."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from vetlla.service.agenda.evenness import WITHIN, Dealt, bits, deal, shares

WEIGHTS = st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any)


def exact_shares(number: int, weights: list[int], held: list[int]) -> list[Fraction]:
    """Fill the cells to one level, found by halving: slow, and sure."""
    low, high = Fraction(0), Fraction(number + sum(held) + 1)
    for _ in range(200):
        level = (low + high) / 2
        filled = sum(max(Fraction(0), level * weight - had) for weight, had in zip(weights, held, strict=True))
        low, high = (level, high) if filled < number else (low, level)
    return [max(Fraction(0), low * weight - had) for weight, had in zip(weights, held, strict=True)]


@given(st.data(), st.integers(0, 300), WEIGHTS)
def test_a_share_is_within_one_call_of_the_exact_share(data: st.DataObject, number: int, weights: list[int]) -> None:
    held = data.draw(st.lists(st.integers(0, 40), min_size=len(weights), max_size=len(weights)))
    found = shares(number, weights, held)
    assert sum(found) == number
    for share, exact, weight in zip(found, exact_shares(number, weights, held), weights, strict=True):
        assert abs(share - exact) < WITHIN + Fraction(1, 1 << 100)
        assert share == 0 or weight


@given(st.integers(0, 200), WEIGHTS, st.data())
def test_calls_that_may_lie_anywhere_are_even_and_in_order(
    number: int, weights: list[int], data: st.DataObject
) -> None:
    everywhere = (1 << len(weights)) - 1
    positions = data.draw(st.lists(st.floats(0, 0.999), min_size=number, max_size=number))
    calls = [Dealt(str(place), position, everywhere) for place, position in enumerate(positions)]
    placed = deal(calls, weights, [0] * len(weights))
    for cell, weight in enumerate(weights):
        assert abs(placed.count(cell) - Fraction(number * weight, sum(weights))) < WITHIN
    ordered = [cell for _, cell in sorted(zip(((call.position, call.key) for call in calls), placed, strict=True))]
    assert ordered == sorted(ordered)


@given(st.data(), st.integers(1, 4))
def test_no_arrangement_of_calls_with_limits_is_more_even(data: st.DataObject, cells: int) -> None:
    """Compared with every arrangement there is: how far cells are above their shares in all."""
    masks = data.draw(st.lists(st.integers(1, (1 << cells) - 1), min_size=1, max_size=6))
    weights = [1] * cells
    calls = [Dealt(str(place), data.draw(st.floats(0, 0.999)), mask) for place, mask in enumerate(masks)]
    placed = deal(calls, weights, [0] * cells)
    assert all(mask >> cell & 1 for mask, cell in zip(masks, placed, strict=True))

    def unevenness(arrangement: tuple[int, ...]) -> int:
        return sum(max(0, arrangement.count(cell) - -(-len(masks) // cells)) for cell in range(cells))

    assert unevenness(tuple(placed)) == min(map(unevenness, product(*map(bits, masks))))


@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 15)), min_size=1, max_size=30))
def test_a_fixed_call_lies_where_its_position_puts_it(given_calls: list[tuple[float, int]]) -> None:
    calls = [Dealt(str(place), position, mask, fixed=True) for place, (position, mask) in enumerate(given_calls)]
    assume(calls)
    for call, cell in zip(calls, deal(calls, [1] * 4, [0] * 4), strict=True):
        assert cell == bits(call.cells)[int(call.position * len(bits(call.cells)))]
