"""The times of files: a day alone, the day first, an offset, an hour that comes twice or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.duties import MADRID
from vetlla.domain.clock import to_datetime, to_us
from vetlla.service.local_time import LocalTime

naive = datetime.fromisoformat


def at(text: str, zone: ZoneInfo = MADRID) -> str:
    return to_datetime(LocalTime(zone).begin_of(text)).isoformat()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-30T09:15+01:00", "2026-11-30T08:15:00+00:00"),
        ("2026-11-30T09:15Z", "2026-11-30T09:15:00+00:00"),
        ("2026-11-30 09:15", "2026-11-30T08:15:00+00:00"),
        ("2026-07-30 09:15:30.5", "2026-07-30T07:15:30.500000+00:00"),
        ("2026-11-30", "2026-11-29T23:00:00+00:00"),
        ("20261130T091500", "2026-11-30T08:15:00+00:00"),
        ("30/11/2026 09:15", "2026-11-30T08:15:00+00:00"),
        ("3/2/2026 9:05", "2026-02-03T08:05:00+00:00"),
        ("30-11-2026 9:15:20", "2026-11-30T08:15:20+00:00"),
        ("30/11/2026", "2026-11-29T23:00:00+00:00"),
        ("2026-10-25 02:30+02:00", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25 02:30+01:00", "2026-10-25T01:30:00+00:00"),
        ("2026-10-25 01:59:59", "2026-10-24T23:59:59+00:00"),
        ("2026-10-25 03:00", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_times_are_read(text: str, utc: str) -> None:
    assert at(text) == utc


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-10-25 02:30", "comes twice, because the clocks were set back: write 2026-10-25T02:30"),
        ("2026-10-25 02:00", "comes twice"),
        ("2026-03-29 02:30", "does not exist, because the clocks were set forward"),
        ("25/10/2026 2:30", "comes twice"),
        ("yesterday", "is no time: write 2026-12-01"),
        ("31/02/2026", "is no time"),
        ("13/13/2026", "is no time"),
        ("30/11/26 09:15", "is no time"),
        ("2026-11-30 25:00", "is no time"),
        ("30/11/2026 99:99", "is no time"),
        ("", "is no time"),
        ("0001-01-01", "is not in the years 1990 to 2099"),
        ("9999-12-31", "is not in the years 1990 to 2099"),
    ],
)
def test_other_times_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LocalTime(MADRID).begin_of(text)
    with pytest.raises(ValueError, match=message):
        LocalTime(MADRID).end_of(text)


def test_half_an_hour_may_come_twice() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    with pytest.raises(ValueError, match="comes twice"):
        LocalTime(lord_howe).begin_of("2026-04-05 01:45")
    with pytest.raises(ValueError, match="does not exist"):
        LocalTime(lord_howe).begin_of("2026-10-04 02:15")
    assert at("2026-10-04 02:30", lord_howe) == "2026-10-03T15:30:00+00:00"


@pytest.mark.parametrize("text", ["2026-11-30", "20261130", "30/11/2026", "2026-W49-1"])
def test_a_day_alone_means_its_begin_or_its_end(text: str) -> None:
    begin = to_us(datetime(2026, 11, 30, tzinfo=MADRID))
    assert LocalTime(MADRID).begin_of(text) == begin
    assert LocalTime(MADRID).end_of(text) == begin + 86_400_000_000 - 1


def test_the_end_of_a_long_day() -> None:
    times = LocalTime(MADRID)
    begin, end = times.begin_of("2026-10-25"), times.end_of("2026-10-25")
    assert end - begin + 1 == 25 * 3_600_000_000


@pytest.mark.parametrize("text", ["2026-11-30 00:00", "30/11/2026 0:00", "20261130T0000", "2026-11-30T00"])
def test_a_time_is_no_day_even_at_midnight(text: str) -> None:
    assert LocalTime(MADRID).end_of(text) == to_us(datetime(2026, 11, 30, tzinfo=MADRID))


@given(st.datetimes(naive("1991-01-01"), naive("2098-01-01")), st.integers(-12 * 60, 14 * 60))
def test_a_time_with_its_offset_is_exact(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert LocalTime(MADRID).begin_of(aware.isoformat()) == to_us(aware)


@given(st.datetimes(naive("2020-01-01"), naive("2030-01-01")), st.sampled_from(["Europe/Madrid", "America/Havana"]))
def test_local_time_is_read_exactly_or_refused(moment: datetime, name: str) -> None:
    """It is refused if several moments or none show this time on the wall."""
    zone = ZoneInfo(name)
    instants = {
        utc
        for hours in range(-14, 15)
        if (utc := moment.replace(tzinfo=UTC) + timedelta(hours=hours)).astimezone(zone).replace(tzinfo=None) == moment
    }
    try:
        assert {to_datetime(LocalTime(zone).begin_of(moment.isoformat()))} == instants
    except ValueError as error:
        assert len(instants) == (2 if "twice" in str(error) else 0)  # noqa: PT017 - either way is right
