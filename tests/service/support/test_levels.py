"""Hours and times of the desk are dated data, and a value that cannot be meant is refused by its name."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.rigs.support import LEVELS, entry, levels, local
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.support.levels import Goal
from vetlla.tasks.support.levels import load_levels

if TYPE_CHECKING:
    from vetlla.service.parameters import Value

HOUR = timedelta(hours=1)
OPENED = local("2026-11-23 09:00")


def test_the_shipped_levels_are_those_of_the_tender() -> None:
    """8x5 without national holidays; critical: 4 hours to answer, 2 days to solve."""
    shipped = load_levels()
    assert shipped.severities == ("critical", "high", "medium", "low")
    assert shipped.limit("critical", Goal.ANSWER, OPENED).needed == 4 * HOUR
    assert shipped.limit("critical", Goal.SOLVE, OPENED).needed == 16 * HOUR
    week = shipped.clock.between(local("2026-11-23 00:00"), local("2026-11-30 00:00"))
    assert week == 5 * 8 * HOUR
    assert shipped.clock.between(local("2026-12-08 00:00"), local("2026-12-09 00:00")) == timedelta()


def test_severities_are_in_the_order_of_their_times() -> None:
    assert levels(severity__low__solve=(1, "working hours")).severities == ("low", "critical")
    with pytest.raises(UsageError, match="no severity 'urgent'") as raised:
        LEVELS.known("urgent")
    assert raised.value.remedy == "one of critical, low, the strictest first"


def test_a_ticket_keeps_the_time_of_the_day_on_which_it_was_opened() -> None:
    stricter = entry("severity.critical.answer", 2, "working hours", date(2026, 11, 24))
    dated = levels(stricter)
    found = [
        dated.limit("critical", Goal.ANSWER, local(day)).needed for day in ("2026-11-23 23:59", "2026-11-24 00:00")
    ]
    assert found == [4 * HOUR, 2 * HOUR]


def test_hours_and_holidays_hold_from_their_day() -> None:
    summer = entry("hours", "Mo-Fr 08:00-15:00", "opening hours", date(2026, 11, 25))
    local_too = entry("holidays.local", (date(2026, 11, 26),), "dates", date(2026, 11, 1))
    regional = entry("holidays.public", "ES-CT", "ISO 3166", date(2026, 12, 1))
    clock = levels(summer, local_too, regional).clock
    worked = [
        clock.between(local(f"{day} 00:00"), local(f"{day} 23:59")) // HOUR
        for day in ("2026-09-11", "2026-11-24", "2026-11-25", "2026-11-26", "2026-12-26", "2027-06-24")
    ]
    assert worked == [8, 8, 7, 0, 0, 0]


def test_a_time_can_run_day_and_night() -> None:
    found = levels(severity__critical__answer=(4, "hours"), severity__critical__solve=(2, "days"))
    friday = local("2026-11-20 17:00")
    due = [one.clock.after(friday, one.needed) for one in (found.limit("critical", goal, friday) for goal in Goal)]
    assert due == [local("2026-11-20 21:00"), local("2026-11-22 17:00")]


def test_a_working_day_is_as_long_as_the_parameter_says() -> None:
    dated = levels(entry("day", 7, "working hours", date(2026, 11, 24)))
    found = [dated.limit("critical", Goal.SOLVE, local(day)).needed for day in ("2026-11-23 09:00", "2026-11-24 09:00")]
    assert found == [16 * HOUR, 14 * HOUR]


def test_a_desk_has_no_tickets_before_its_first_hours() -> None:
    LEVELS.refuse_early(local("2024-01-01 00:00"))
    with pytest.raises(UsageError, match="no hours before 2024-01-01"):
        LEVELS.refuse_early(local("2023-12-31 23:59"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zone", ("Europe/Lleida", "time zone")),
        ("zone", ("Europe", "time zone")),
        ("zone", ("", "time zone")),
        ("zone", (1, "time zone")),
        ("hours", ("Mo-Fr 9-18", "opening hours")),
        ("hours", (8, "opening hours")),
        ("hours", None),
        ("day", (0, "working hours")),
        ("day", (1, "working days")),
        ("day", ("8 h", "working hours")),
        ("holidays.public", ("XX", "ISO 3166")),
        ("holidays.public", ("ES-XX", "ISO 3166")),
        ("holidays.local", (8, "dates")),
        ("severity.critical.answer", None),
        ("severity.critical.solve", (0, "working days")),
        ("severity.critical.solve", (2, "weeks")),
        ("severity.critical.solve", (10_001, "working hours")),
        ("severity.critical.solve", (Decimal("nan"), "working hours")),
        ("severity.critical.solve", (Decimal("inf"), "days")),
        ("severity.critical.solves", (2, "working days")),
        ("warning.answer", None),
        ("warnings", (1, "working hours")),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name: str, value: tuple[Value, str] | None) -> None:
    with pytest.raises(ConfigError):
        levels(**{name.replace(".", "__"): value})
