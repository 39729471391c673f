"""Times and durations on the command line: local with a zone for people, UTC for machines, and one form everywhere."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from vetlla.cli.kit import moments
from vetlla.cli.simulate.events import Mishaps
from vetlla.domain.clock import to_us
from vetlla.domain.errors import UsageError
from vetlla.simulator.scenario import Outage, Silence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Vetlla

NOW_US = to_us(datetime(2026, 11, 21, 22, 33, 1, 123_456, UTC))


@pytest.fixture
def utc() -> Iterator[None]:
    """Act as a run with --utc."""
    token = moments._zone.set(UTC)
    yield
    moments._zone.reset(token)


def test_a_moment_is_shown_with_its_zone() -> None:
    """The zone differs in winter and in summer."""
    assert moments.shown(NOW_US) == "2026-11-21 23:33:01.123 CET"
    assert moments.to_the_second(to_us(datetime(2026, 7, 1, tzinfo=UTC))) == "2026-07-01 02:00:00 CEST"
    assert moments.shown_iso("2026-11-21T22:33:01.999999Z") == "2026-11-21 23:33:01 CET"
    assert (moments.shown(None), moments.shown_iso(None)) == ("", "")


@pytest.mark.usefixtures("utc")
def test_a_moment_is_shown_in_utc_on_request() -> None:
    """With --utc the zone is UTC."""
    assert moments.shown(NOW_US) == "2026-11-21 22:33:01.123 UTC"
    assert moments.time_of_day(NOW_US) == "22:33:01 UTC"


@pytest.mark.parametrize(
    ("text", "utc_time"),
    [
        ("2026-11-21", "2026-11-20 23:00"),
        ("2026-11-21T23:30", "2026-11-21 22:30"),
        ("2026-11-21 23:33:01 CET", "2026-11-21 22:33:01"),
        ("2026-11-21 22:33:01.123 UTC", "2026-11-21 22:33:01.123"),
        ("2026-11-21T23:30+01:00", "2026-11-21 22:30"),
        ("2026-11-21T22:30Z", "2026-11-21 22:30"),
        ("2026-10-25 02:30:00 CEST", "2026-10-25 00:30"),
        ("2026-10-25 02:30:00 CET", "2026-10-25 01:30"),
        ("1h30m", "2026-11-21 21:03:01.123456"),
        ("7d", "2026-11-14 22:33:01.123456"),
    ],
)
def test_a_moment_is_read_as_it_is_shown(text: str, utc_time: str) -> None:
    """A moment is local time, UTC, or has an offset, also in the hour that comes twice; or it says how long ago."""
    assert moments.moment(text, NOW_US) == to_us(datetime.fromisoformat(utc_time).replace(tzinfo=UTC))


@pytest.mark.usefixtures("utc")
def test_with_utc_moments_are_read_as_utc() -> None:
    """A user can type again in UTC what was shown in UTC."""
    assert moments.moment("2026-11-21T22:33", NOW_US) == to_us(datetime(2026, 11, 21, 22, 33, tzinfo=UTC))


def test_a_moment_is_read_as_the_help_writes_it() -> None:
    """The help says "2h ago", so "2h" and "2h ago" are the same."""
    assert moments.moment("2h ago", NOW_US) == moments.moment("2h", NOW_US) == NOW_US - 7_200_000_000


@pytest.mark.parametrize("text", ["2026-10-25 02:30", "2026-10-25T02:00:00", "2026-03-29T02:30"])
def test_a_local_time_that_comes_twice_or_never_is_refused(text: str) -> None:
    """A guess would move a clock by an hour, and an emergency has 35 minutes."""
    with pytest.raises(UsageError, match="comes twice or never"):
        moments.moment(text, NOW_US)


@pytest.mark.parametrize(
    "text", ["", "ago", " ago", "yesterday", "2026-13-01", "2026-11-21 23:33:01 PST", "90 x", "-1h"]
)
def test_a_text_that_is_not_a_moment_is_refused(text: str) -> None:
    """The remedy shows the forms."""
    with pytest.raises(UsageError, match="is not a time") as caught:
        moments.moment(text, NOW_US)
    assert "2026-11-21T22:30" in caught.value.remedy


def test_every_command_that_shows_times_takes_utc(vetlla: Vetlla) -> None:
    """The option is the same everywhere; a machine gets UTC with and without it."""
    for command in (
        "status", "board", "queue list", "queue watch", "queue show", "queue test", "supervision list",
        "supervision show", "supervision pause", "supervision incidents", "signals list", "signals show",
        "signals tail", "signals export", "rejects list", "audit list", "decode", "accounts show", "keys list",
        "position show",
    ):  # fmt: skip
        assert "--utc" in vetlla(*command.split(), "--help").out, command


def test_local_time_is_the_default_and_ends_with_the_run(vetlla: Vetlla) -> None:
    """--utc of one run does not reach the next; JSON has the same time in both."""
    vetlla("accounts", "set", "1234", "--home", "H-0017")
    rows = [vetlla("accounts", "show", "1234", *options).out for options in ([], ["--utc"], [])]
    found = [re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (\w+)", row) for row in rows]
    assert found == [[time.tzname[time.localtime().tm_isdst]], ["UTC"], [time.tzname[time.localtime().tm_isdst]]]
    plain, utc = (vetlla("accounts", "show", "1234", "--json", *options).json for options in ([], ["--utc"]))
    assert plain == utc
    assert plain[0]["changes"][0]["at"].endswith("Z")


DURATIONS = [
    ("queue", "test", "1234", "--for"),
    ("supervision", "pause", "1234", "--reason", "x", "--for"),
    ("status", "--wait"),
    ("demo", "--for"),
    ("simulate", "dial", "--homes", "1", "--duration"),
    ("simulate", "dial", "--homes", "1", "--timeout"),
    ("simulate", "dial", "--homes", "1", "--outage", "0:1", "--return-within"),
    ("maintenance", "due", "--within"),
    ("accounts", "set", "1234", "--interval"),
    ("accounts", "set", "1234", "--ucr-interval"),
]


@pytest.mark.parametrize("command", DURATIONS, ids=" ".join)
def test_every_duration_is_refused_for_the_same_reason(vetlla: Vetlla, command: tuple[str, ...]) -> None:
    """Every option that takes a duration has the same parser."""
    done = vetlla(*command, "soon")
    assert done.status in {2, os.EX_USAGE}
    told = " ".join((done.talk + done.error).replace("│", " ").split())
    assert "should be a duration such as 90s, 15m, 2h, 7d or 1h30m" in told


def test_the_same_duration_is_taken_everywhere(vetlla: Vetlla) -> None:
    """1h30m may be an interval, a window, or a time to wait."""
    assert vetlla("accounts", "set", "1234", "--interval", "1h30m", "--clock-window", "-5m..1m").status == 0
    assert vetlla("maintenance", "due", "--within", "8w").status == 0
    assert vetlla("status", "--wait", "0.1s").status == os.EX_UNAVAILABLE
    (row,) = vetlla("accounts", "list", "--json").json
    assert (row["interval_s"], row["clock_window"]) == (5400, "-300..60")
    assert Mishaps(outage="30s:1m", return_within=5.0).wanted_outage() == Outage(
        after_s=30, length_s=60, return_within_s=5
    )
    assert Mishaps(silent="0.2:1h").wanted_silence() == Silence(share=0.2, after_s=3600)
