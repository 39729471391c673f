"""Local times of a PBX: an hour that comes twice or never is not guessed."""

# ruff: noqa: DTZ001 - times without a zone are what is read

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import iso, to_us
from vetlla.domain.errors import ConfigError
from vetlla.service.local_time import LocalTime, read_time, zone_of

MADRID = ZoneInfo("Europe/Madrid")
LOCAL = LocalTime(MADRID)


@given(
    st.integers(
        to_us(datetime(2026, 1, 1, tzinfo=MADRID)) // 10**6, to_us(datetime(2028, 1, 1, tzinfo=MADRID)) // 10**6
    )
)
def test_a_moment_is_among_those_that_its_local_time_means(second: int) -> None:
    """Every moment comes back from its local time; a repeated hour has two."""
    naive = datetime.fromtimestamp(second, MADRID).replace(tzinfo=None, fold=0)
    found = LOCAL.moments(naive)
    assert second * 10**6 in found
    twice = naive.month == 10 and naive.hour == 2 and naive.weekday() == 6 and naive.day > 24
    assert len(found) == (2 if twice else 1)


def test_an_hour_that_comes_twice_says_both_ways_to_write_it() -> None:
    """The fault has the two times with their offsets, and each of them is taken."""
    with pytest.raises(ValueError, match="comes twice") as error:
        LOCAL.moment(datetime(2026, 10, 25, 2, 30))
    first, second = str(error.value).rpartition("write ")[2].split(" or ")
    assert (first, second) == ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")
    assert [iso(LOCAL.moment(read_time(one))) for one in (first, second)] == [
        "2026-10-25T00:30:00.000000Z",
        "2026-10-25T01:30:00.000000Z",
    ]


def test_an_hour_that_never_comes_is_refused() -> None:
    """The clocks skip it, so it was typed wrongly or belongs to another zone."""
    with pytest.raises(ValueError, match=r"does not exist.*T01:30:00\+01:00 or 2026-03-29T03:30:00\+02:00"):
        LOCAL.moment(datetime(2026, 3, 29, 2, 30))


@pytest.mark.parametrize(
    "text", ["2026-12-01 10:15:30", "2026-12-01T10:15:30", "01/12/2026 10:15:30", "1/12/2026  10:15:30"]
)
def test_a_time_is_read_in_the_forms_of_offices(text: str) -> None:
    """ISO with a blank or T, and day first."""
    assert read_time(text) == datetime(2026, 12, 1, 10, 15, 30)


def test_a_time_with_its_offset_needs_no_zone() -> None:
    """Z and +01:00 are moments by themselves."""
    assert LOCAL.moment(read_time("2026-12-01T10:15:30Z")) == LOCAL.moment(read_time("2026-12-01T11:15:30+01:00"))


@pytest.mark.parametrize("text", ["2026-12-01", "yesterday", "10:15", "2026-13-01 10:00:00", "1899-12-30 00:00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A date alone is no time of a call, and 1899 is the zero of spreadsheets."""
    with pytest.raises(ValueError):
        read_time(text)


@pytest.mark.parametrize("name", ["Europe", "Mars/Phobos", "", "../etc/passwd"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    """The error names a zone as it should be written."""
    with pytest.raises(ConfigError, match="no time zone"):
        zone_of(name)
