"""Device-days are added up to the proof for ANS 13; none is lost, and nothing is rounded up."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.service.supervision.report import (
    NO_REASON,
    NO_RECEIVER,
    DayBounds,
    DayVerdict,
    Sums,
    Verdict,
    judged,
    total,
)
from vetlla.service.supervision.rules import Pause

DAY_S = 86_400
WHOLE = DayBounds(DAY_S, 5.0)


class Day(NamedTuple):
    interval_s: int = 900
    allowed_misses: int = 3
    supervised_s: int = DAY_S
    received: int = 96
    longest_s: int = 901
    reasons: int = 0


@pytest.mark.parametrize(
    ("day", "whole", "expected"),
    [
        (Day(), WHOLE, DayVerdict(Verdict.CHECKED, 96_000, 0, "")),
        (Day(longest_s=2704), WHOLE, DayVerdict(Verdict.CHECKED, 96_000, 0, "")),
        (Day(longest_s=2705), WHOLE, DayVerdict(Verdict.BREACH, 96_000, 0, "")),
        (
            Day(supervised_s=DAY_S - 3600, reasons=Pause.AWAY),
            WHOLE,
            DayVerdict(Verdict.CHECKED, 92_000, 3600, "away"),
        ),
        (Day(supervised_s=DAY_S - 3600), WHOLE, DayVerdict(Verdict.CHECKED, 92_000, 3600, NO_REASON)),
        (Day(reasons=Pause.AWAY), WHOLE, DayVerdict(Verdict.CHECKED, 96_000, 0, "")),
        (
            Day(supervised_s=0, reasons=Pause.SUSPENDED | Pause.AWAY, longest_s=9_999_999),
            WHOLE,
            DayVerdict(Verdict.NOT_SUPERVISED, 0, DAY_S, "away+suspended"),
        ),
        (
            Day(interval_s=0, supervised_s=0, reasons=Pause.NO_INTERVAL),
            WHOLE,
            DayVerdict(Verdict.NOT_SUPERVISED, 0, DAY_S, "no_interval"),
        ),
        (Day(supervised_s=0), DayBounds(0, 5.0), DayVerdict(Verdict.NOT_SUPERVISED, 0, 0, NO_RECEIVER)),
        (Day(supervised_s=DAY_S - 60), DayBounds(DAY_S - 60, 5.0), DayVerdict(Verdict.CHECKED, 95_933, 0, "")),
        (Day(interval_s=7 * DAY_S), WHOLE, DayVerdict(Verdict.CHECKED, 142, 0, "")),
    ],
)
def test_a_day_has_a_verdict(day: Day, whole: DayBounds, expected: DayVerdict) -> None:
    """A day is checked, a breach, or not supervised for a reason; time without a receiver counts against no device."""
    assert judged(day, whole) == expected


@pytest.mark.parametrize(
    ("checked", "supervised", "share"),
    [(0, 0, None), (0, 7, "0.000"), (7, 7, "100.000"), (2, 3, "66.666"), (4_999_999, 5_000_000, "99.999")],
)
def test_a_share_is_never_rounded_up(checked: int, supervised: int, share: str | None) -> None:
    """With one breach in five million days the share is below 100 %."""
    sums = Sums(supervised=supervised, checked=checked)
    assert sums.share == share
    assert sums.kept == (None if not supervised else checked == supervised)


DAYS = st.builds(
    Day,
    interval_s=st.sampled_from([0, 60, 900, 86_400]),
    allowed_misses=st.integers(1, 9),
    supervised_s=st.integers(0, DAY_S),
    received=st.integers(0, 1440),
    longest_s=st.integers(0, DAY_S),
    reasons=st.integers(0, 127),
)


@given(st.lists(st.lists(DAYS, max_size=20), max_size=5))
def test_the_denominator_can_be_counted_again(days: list[list[Day]]) -> None:
    """Days add up to the month; every device-day is counted once, under one reason or one verdict."""
    parts, everything = [], Sums()
    for devices in days:
        part = Sums()
        for one in devices:
            part.add(one, judged(one, WHOLE))
            everything.add(one, judged(one, WHOLE))
        parts.append(part)
    month = total(parts)
    assert month == everything
    assert month.device_days == sum(map(len, days))
    assert month.device_days == month.supervised + month.not_supervised.total()
    assert month.supervised == month.checked + month.breaches == month.periods.total()
    assert month.unsupervised_s == sum(DAY_S - one.supervised_s for devices in days for one in devices)
    assert month.partial_s.total() <= month.unsupervised_s
