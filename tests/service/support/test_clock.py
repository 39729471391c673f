"""The working clock runs only while the desk works, and agrees with a public library for opening hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours

from tests.rigs.support import HOURS, LEVELS, ZONE, levels, local
from vetlla.service.support.clock import WorkingClock

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = timedelta(hours=1)
CLOCK = LEVELS.clock


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        ("2026-11-23 09:00", "2026-11-23 18:00", 8),
        ("2026-11-23 13:00", "2026-11-23 16:00", 2),  # lunch
        ("2026-11-23 18:00", "2026-11-24 09:00", 0),  # a night
        ("2026-11-20 18:00", "2026-11-23 09:00", 0),  # a weekend
        ("2026-11-23 03:00", "2026-11-23 10:00", 1),
        ("2026-11-20 17:00", "2026-11-23 10:00", 2),
        ("2026-10-12 09:00", "2026-10-12 18:00", 0),  # a national holiday, a Monday
        ("2026-12-07 17:00", "2026-12-09 10:00", 2),  # the holiday of 8 December lies between
        ("2026-09-11 09:00", "2026-09-11 18:00", 8),  # a holiday of Catalonia, and not a national one
        ("2026-10-23 17:00", "2026-10-26 10:00", 2),  # the clocks are set back on Sunday
        ("2027-03-25 17:00", "2027-03-29 10:00", 2),  # Good Friday, and the clocks are put forward on Sunday
        ("2026-11-24 10:00", "2026-11-23 10:00", 0),
    ],
)
def test_only_hours_of_the_desk_count(first: str, last: str, hours: int) -> None:
    assert CLOCK.between(local(first), local(last)) == hours * HOUR


@pytest.mark.parametrize(
    ("start", "hours", "then"),
    [
        ("2026-11-23 03:00", 4, "2026-11-23 13:00"),
        ("2026-11-23 13:00", 2, "2026-11-23 16:00"),
        ("2026-11-20 17:00", 2, "2026-11-23 10:00"),
        ("2026-11-20 10:00", 7, "2026-11-20 18:00"),
        ("2026-12-07 17:00", 2, "2026-12-09 10:00"),
        ("2026-10-23 17:00", 2, "2026-10-26 10:00"),
        ("2026-11-21 12:00", 0, "2026-11-23 09:00"),
    ],
)
def test_a_time_runs_out_in_hours_of_the_desk(start: str, hours: int, then: str) -> None:
    assert CLOCK.after(local(start), hours * HOUR) == local(then)


def test_a_shift_of_the_night_in_which_the_clocks_change_has_its_real_length() -> None:
    clock = levels(hours=("24/7", "opening hours")).clock
    assert clock.between(local("2026-03-29 00:00"), local("2026-03-30 00:00")) == 23 * HOUR
    assert clock.between(local("2026-10-25 00:00"), local("2026-10-26 00:00")) == 25 * HOUR
    night = levels(hours=("Su 01:00-02:30,02:30-03:00,03:00-04:00", "opening hours")).clock
    assert night.between(local("2026-03-29 00:00"), local("2026-03-30 00:00")) == 2 * HOUR
    assert night.between(local("2026-10-25 00:00"), local("2026-10-26 00:00")) == 4 * HOUR


def test_a_desk_that_never_works_has_no_due_time() -> None:
    with pytest.raises(ValueError, match="is closed"):
        WorkingClock(UTC, lambda _day: ()).after(local("2026-11-23 09:00"), HOUR)


# --- properties -------------------------------------------------------------------------------------------------------

moments = st.datetimes(datetime(2025, 12, 1), datetime(2027, 4, 30), timezones=st.just(UTC))  # noqa: DTZ001
WEEKS = (
    HOURS,
    "Mo-Fr 08:00-16:00",
    "Mo-Th 09:00-18:30; Fr 08:00-15:00",
    "Mo-Su 00:00-24:00",
    "Sa,Su 00:30-02:30,02:45-05:00",
    "We 23:00-24:00; Th 00:00-01:00",
)
clocks = st.sampled_from([levels(hours=(text, "opening hours")).clock for text in WEEKS])


@settings(deadline=None)
@given(clock=clocks, three=st.tuples(moments, moments, moments).map(sorted))
def test_adjacent_times_add_up(clock: WorkingClock, three: list[datetime]) -> None:
    first, middle, last = three
    between = clock.between
    assert between(first, middle) + between(middle, last) == between(first, last)


@settings(deadline=None)
@given(clock=clocks, three=st.tuples(moments, moments, moments).map(sorted))
def test_more_time_is_never_less_working_time(clock: WorkingClock, three: list[datetime]) -> None:
    first, middle, last = three
    between = clock.between
    assert timedelta() <= between(first, middle) <= between(first, last) <= last - first
    assert between(middle, last) <= between(first, last)


@settings(deadline=None)
@given(clock=clocks, start=moments, minutes=st.integers(0, 6_000))
def test_after_is_the_first_moment_with_that_much_working_time(
    clock: WorkingClock, start: datetime, minutes: int
) -> None:
    needed = timedelta(minutes=minutes)
    due = clock.after(start, needed)
    assert clock.between(start, due) == needed
    if minutes:
        assert clock.between(start, due - timedelta(microseconds=1)) < needed


@settings(deadline=None)
@given(clock=clocks, start=moments, minutes=st.integers(1, 4_000), more=st.integers(0, 4_000))
def test_a_longer_limit_is_never_due_earlier(clock: WorkingClock, start: datetime, minutes: int, more: int) -> None:
    after = clock.after
    due = after(start, timedelta(minutes=minutes))
    assert due <= after(start, timedelta(minutes=minutes + more))
    assert after(due, timedelta(minutes=more)) >= due


# --- the public library -----------------------------------------------------------------------------------------------


# No hours of a Sunday here: ``holidays`` leaves out holidays of Spain that fall on one (docs/support.md).
def _of_library(text: str, first: datetime, last: datetime) -> timedelta:
    """Return the working time that the library for OpenStreetMap's opening hours finds."""
    found: Callable[..., Any] = OpeningHours(f"{text}; PH off", timezone=ZONE, country="ES").intervals
    worked = timedelta()
    for begin, end, state, _ in found(start=first.astimezone(ZONE), end=last.astimezone(ZONE)):
        if str(state) == "open":
            worked += end.astimezone(UTC) - begin.astimezone(UTC)
    return worked


@settings(deadline=None)
@given(
    text=st.sampled_from((HOURS, "Mo-Fr 08:00-16:00", "Mo-Th 09:00-18:30; Fr 08:00-15:00", "Sa 10:00-14:00")),
    two=st.tuples(moments, moments).map(sorted),
)
def test_a_public_library_finds_the_same_working_time(text: str, two: list[datetime]) -> None:
    first, last = (one.replace(second=0, microsecond=0) for one in two)
    clock = levels(hours=(text, "opening hours")).clock
    assert clock.between(first, last) == _of_library(text, first, last)
