"""The running month: what is open until its end, what a level can bear, and the findings of the plug-in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.homes_on_record import book, recorded, register_homes, told
from vetlla.domain.clock import HOUR_US, ManualClock, iso
from vetlla.domain.service_levels import LevelVerdict
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.duties.book import open_duty, record
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.sla.month import month_record
from vetlla.tasks.sla.watching import LevelWatch, findings, watch

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.duties.terms import DutyRules

RULES = load_rules()
ALL = 'name = "sla.share"\nvalue = 100\n'


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a registry with homes and duties of October 2025."""
    made = register_homes(tmp_path)
    with book(made) as connection:
        for kind, home, event, at in (
            ("fault", "H1", "detected", "2025-10-06T07:00"),
            ("fault", "H2", "detected", "2025-10-20T07:00"),
            ("umo_1", "H2", "communicated", "2025-10-20T07:40"),
            ("claim", "H1", "received", "2025-10-28T08:00"),
        ):
            one = open_duty(connection, RULES, told(kind, home, event, at), recorded("2025-10-28T09:00"))
            if home == "H1" and kind == "fault":
                solved = told(kind, home, "solved", "2025-10-06T13:00")
                record(connection, RULES, one.duty.id, solved, recorded("2025-10-28T09:00"))
    return made


def levels(state: Path, moment: str, within_us: int = 8 * HOUR_US, rules: DutyRules = RULES) -> dict[int, LevelWatch]:
    """Return the levels by number, at a moment in UTC."""
    clock = ManualClock(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    first = RULES.calendar.date_of(clock.now().utc_us).replace(day=1)
    with month_record(state, clock, rules, first) as found:
        return {one.figure.ans: one for one in watch(found, within_us)}


def test_open_duties_of_the_month_are_counted_and_those_that_run_out_soon_named(state: Path) -> None:
    found = levels(state, "2025-10-20T07:50")
    assert sorted(found) == list(range(1, 24))
    street, faults = found[11], found[14]
    assert (street.open, street.running_out, iso(street.next_due_us)) == (1, 1, "2025-10-20T08:15:00.000000Z")
    assert [(one.kind, one.subject) for one in street.soon] == [("umo_1", "H2")]
    assert (faults.open, faults.running_out, faults.figure.verdict) == (1, 0, LevelVerdict.KEPT)
    assert levels(state, "2025-10-20T07:50", 96 * HOUR_US)[14].running_out == 1
    assert found[2].bearable is None


def test_of_two_parts_each_bears_more_by_its_own_open_duties_alone(state: Path, tmp_path: Path) -> None:
    """Of eight visits to schedule one is late, and eight are open; faults have two cases, of which one is open."""
    with book(state) as connection:
        for number in range(16):
            at = "2025-10-06T07:00" if number < 8 else "2025-10-20T07:00"
            opening = told("fault_visit", "H1", "detected", at)._replace(ref=f"V{number}")
            one = open_duty(connection, RULES, opening, recorded("2025-10-28T09:00"))
            if number < 7:
                done = told("fault_visit", "H1", "scheduled", "2025-10-06T08:00")
                record(connection, RULES, one.duty.id, done, recorded("2025-10-28T09:00"))
    text = parameters_file().read_text(encoding="utf-8")
    assert ALL in text
    file = tmp_path / "parameters.toml"
    file.write_text(text.replace(ALL, ALL.replace("100", "50")), encoding="utf-8")
    found = levels(state, "2025-10-20T07:50", rules=load_rules(parameters=file))[14]
    assert [(part.numerator, part.denominator) for part in found.figure.parts] == [(1, 1), (7, 8)]
    assert found.figure.undecided_by_part == (1, 8)
    assert found.bearable == 1


def test_a_clock_that_ran_out_is_a_breach_and_no_longer_open(state: Path) -> None:
    found = levels(state, "2025-10-20T08:15:01")[11]
    assert (found.open, found.is_broken, found.bearable) == (0, True, -1)


def test_the_month_is_that_of_the_service(state: Path) -> None:
    assert {one.figure.month for one in levels(state, "2025-10-31T23:30").values()} == {date(2025, 11, 1)}


@pytest.mark.parametrize(
    ("moment", "said", "texts", "remedy"),
    [
        (
            "2025-10-20T07:30",
            "0 levels are broken, 1 clocks",
            ["ANS 11: 1 clocks run out within 8 h 0 min"],
            "vetlla sla watch --within 28800s",
        ),
        (
            "2025-10-20T08:15:01",
            "1 levels are broken, 0 clocks",
            ["ANS 11 is not kept in 2025-10: 1 breaches"],
            "vetlla sla explain 11 --month 2025-10 --breaches",
        ),
    ],
)
def test_findings_name_the_level_and_what_shows_it(
    state: Path, moment: str, said: str, texts: list[str], remedy: str
) -> None:
    found, text = findings(levels(state, moment).values(), 8 * HOUR_US)
    assert text.startswith(said)
    assert [one.text for one in found] == texts
    assert found[0].remedy == remedy
