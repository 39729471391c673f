"""Days as bits say the same as asking for each day."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.homes import Period, is_covered
from vetlla.service.homes.attended import DaySpan

NOVEMBER = DaySpan(date(2026, 11, 1), date(2026, 11, 30))
DAYS = [NOVEMBER.first + timedelta(days=number) for number in range(30)]
around = st.dates(date(2026, 10, 20), date(2026, 12, 10))


@st.composite
def periods(draw: st.DrawFn) -> tuple[Period, ...]:
    """Periods in any order; they may overlap and touch the edges of the month."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        since, until = draw(around), draw(st.none() | around)
        found.append(Period(since, until if until is None or until >= since else since))
    return tuple(found)


def bits(days: list[bool]) -> int:
    """Return days as bits."""
    return sum(1 << place for place, is_in in enumerate(days) if is_in)


@given(periods(), periods())
def test_attended_days_are_those_that_are_active_and_not_suspended(
    active: tuple[Period, ...], suspended: tuple[Period, ...]
) -> None:
    slow = bits([is_covered(active, day) and not is_covered(suspended, day) for day in DAYS])
    assert NOVEMBER.attended(active, suspended) == slow


@given(st.integers(0, (1 << 30) - 1))
def test_stretches_have_exactly_the_days(days: int) -> None:
    found = list(NOVEMBER.stretches(days))
    assert NOVEMBER.covered(found) == days
    assert all(one.until is not None and not is_covered(found, one.until + timedelta(days=1)) for one in found)
