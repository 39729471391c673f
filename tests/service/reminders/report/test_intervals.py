"""Intervals are those of the papers that compare them, and sizes those of R."""

from __future__ import annotations

from decimal import Decimal

import pytest

from vetlla.service.reminders.report.intervals import difference, needed, share


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, "0.2553", "0.3662"), (15, 148, "0.0624", "0.1605"), (0, 20, "0.0000", "0.1611"),
     (1, 29, "0.0061", "0.1718")],
)  # fmt: skip
def test_a_share_has_the_score_interval(part: int, whole: int, low: str, high: str) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3."""
    found = share(part, whole)
    assert (found.low, found.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), "0.0524", "0.3339"),
        ((9, 10), (3, 10), "0.1705", "0.8090"),
        ((6, 7), (2, 7), "0.0582", "0.8062"),
        ((5, 56), (0, 29), "-0.0381", "0.1926"),
        ((0, 10), (0, 20), "-0.1611", "0.2775"),
        ((10, 10), (0, 20), "0.6791", "1.0000"),
    ],
)
def test_a_difference_has_the_interval_of_two_scores(
    first: tuple[int, int], second: tuple[int, int], low: str, high: str
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10."""
    found = difference(share(*first), share(*second))
    assert (found.low, found.high) == (Decimal(low), Decimal(high))


def test_the_other_way_round_a_difference_has_the_other_sign() -> None:
    there, back = difference(share(9, 10), share(3, 10)), difference(share(3, 10), share(9, 10))
    assert None not in there
    assert [-one for one in there if one is not None] == [back.value, back.high, back.low]


def test_a_share_of_nothing_is_no_number() -> None:
    assert share(0, 0)[2:] == (None, None, None)
    assert difference(share(0, 0), share(1, 2)) == (None, None, None)


def test_needed_sizes_are_those_of_r() -> None:
    """``power.prop.test(p1 = .50, p2 = .75, power = .90)`` of R's documentation gives n = 76.7."""
    assert needed(0.75, 0.25, power=0.9) == (77, 77)


def test_unequal_groups_need_more_together() -> None:
    """Fleiss, Statistical Methods for Rates and Proportions: with nine times as large a second group."""
    equal, unequal = needed(0.2, 0.05), needed(0.2, 0.05, 9)
    assert equal is not None
    assert unequal is not None
    assert unequal[0] < equal[0]
    assert sum(unequal) > sum(equal)
    assert unequal[1] == pytest.approx(9 * unequal[0], abs=9)


def test_a_share_cannot_fall_below_nothing() -> None:
    assert needed(0.04, 0.05) is None
    assert needed(0.0, 0.01) is None
    assert needed(0.2, 0.0) is None
