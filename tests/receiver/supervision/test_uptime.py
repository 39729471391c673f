"""How long a receiver ran, by the days of the ledger and the end of the previous run."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vetlla.domain.clock import SECOND_US, to_us
from vetlla.receiver.supervision.uptime import Uptime

MADRID = ZoneInfo("Europe/Madrid")
DOWN_S = {"2026-03-27": 3_600, "2026-03-30": 600}
"""An hour on Friday and ten minutes on Monday. The weekend has no entry, and its Sunday has 23 hours."""


def utc(day: int, hour: int, minute: int = 0) -> int:
    return to_us(datetime(2026, 3, day, hour, minute, tzinfo=MADRID).astimezone(UTC))


@pytest.mark.parametrize(
    ("since_us", "hours"),
    [
        (utc(30, 11), 1 - 1 / 6),
        (utc(30, 11, 55), 0),
        (utc(29, 10), 12 - 1 / 6 - 9),
        (utc(27, 12), 12 + 12 - 1 - 1 / 6),
        (utc(26, 12), 0),
        (utc(30, 13), 0),
    ],
    ids=["today", "less than the downtime", "a day without", "over the weekend", "before the ledger", "later"],
)
def test_only_time_with_a_receiver_counts(since_us: int, hours: float) -> None:
    """Days without a receiver and the downtime of the other days are subtracted; the result is never negative."""
    uptime = Uptime(utc(30, 12), DOWN_S, MADRID)

    assert uptime.since(since_us) == max(0, round(hours * 3_600) * SECOND_US)
    assert uptime.since(uptime.back(uptime.since(since_us))) == uptime.since(since_us)


def test_the_first_day_has_no_row_yet() -> None:
    """The first day has no downtime."""
    uptime = Uptime(utc(30, 12), {}, MADRID)

    assert uptime.since(utc(30, 11)) == 3_600 * SECOND_US
    assert uptime.since(utc(29, 11)) == 0


def test_the_first_run_has_no_time_before_it() -> None:
    """Without a previous run no time counts."""
    assert Uptime(None, {}, MADRID).since(utc(30, 11)) == 0
