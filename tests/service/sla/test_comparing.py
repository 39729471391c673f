"""Counts against thresholds: whole numbers decide, equality keeps, and a figure never looks kept when it is not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.service_levels import LISTED_AT_MOST, BreachReason, LevelBreach, LevelVerdict, PartName
from vetlla.service.sla.comparing import at_most_one_per, combined, figure, share

COUNTS = st.integers(0, 10**7)
PERCENT = st.decimals("0", "100", places=1)


@given(COUNTS, COUNTS, PERCENT)
def test_a_share_is_kept_if_it_reaches_the_threshold_exactly(part: int, rest: int, percent: Decimal) -> None:
    whole = part + rest
    found = share(PartName.ALL, part, whole, percent)
    tenths = int(percent * 10)
    expected = LevelVerdict.KEPT if part * 1000 >= tenths * whole else LevelVerdict.NOT_KEPT
    assert found.verdict is (expected if whole else LevelVerdict.EMPTY)
    if found.value is not None and found.verdict is LevelVerdict.NOT_KEPT:
        assert found.value < percent
    if found.value is not None:
        assert abs(found.value - Decimal(100 * part) / whole) < Decimal("0.01")


@given(st.integers(0, 200), st.integers(0, 10**6))
def test_one_pertinent_complaint_is_allowed_for_each_2000_users(count: int, users: int) -> None:
    found = at_most_one_per(PartName.PERTINENT, count, users, 2000)
    allowed = users // 2000
    expected = LevelVerdict.KEPT if count <= allowed else LevelVerdict.NOT_KEPT
    assert found.verdict is (expected if users else LevelVerdict.EMPTY)
    if found.value is not None and found.verdict is LevelVerdict.NOT_KEPT:
        assert found.value > 1


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), "not_measured"),
        (("empty",), "empty"),
        (("kept", "empty"), "kept"),
        (("kept", "not_measured"), "not_measured"),
        (("not_measured", "not_kept"), "not_kept"),
        (("kept", "not_kept", "empty"), "not_kept"),
    ],
)
def test_one_part_that_is_not_kept_decides_and_nothing_unmeasured_counts_as_kept(
    verdicts: tuple[str, ...], expected: str
) -> None:
    assert combined([LevelVerdict(one) for one in verdicts]) == expected


def test_a_figure_lists_a_bounded_number_of_breaches_and_counts_all() -> None:
    many = [LevelBreach("call", str(n), "", "", BreachReason.TOO_LONG, begun_us=n) for n in range(LISTED_AT_MOST + 5)]
    found = figure(6, date(2026, 10, 1), [share(PartName.ALL, 0, len(many), 90)], reversed(many))
    assert (len(found.breaches), found.breach_count) == (LISTED_AT_MOST, LISTED_AT_MOST + 5)
    assert found.breaches[0].number == "0"
