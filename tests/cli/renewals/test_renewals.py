"""``vetlla renewals`` lists, plans, agrees, shows, exports and forecasts; also after refusals and a kill."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from icalendar import Calendar

from vetlla.simulator.park import generate, write

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

VETLLA = str(Path(sys.executable).with_name("vetlla"))
PLAN = ("renewals", "plan", "--from", "2024-04-01", "--no-growth")
SHIPPED = Path(__file__).parents[3] / "config" / "parameters.toml"


@pytest.fixture
def stocked(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Make a registry of 400 homes in the tender's proportions."""
    folder = tmp_path / "park"
    write(generate(400, 7), folder)
    for what in ("homes", "people", "devices"):
        done = vetlla("inventory", "import", folder / f"{what}.csv", "--what", what, "--day", "2024-04-01")
        assert done.status == 0
    return vetlla


def shown(vetlla: Vetlla, *options: object) -> list[dict[str, Any]]:
    return vetlla("renewals", "show", "--json", *options).json


def test_everything_that_is_due_is_planned_before_it_ends(stocked: Vetlla) -> None:
    """Each device of `renewals due` up to the contract's end has its visit, on a day before its life ends."""
    assert stocked(*PLAN).status == 0
    day_of = {
        device: visit["day"] for visit in shown(stocked) for device in re.findall(r"renewal ([\w:]+)", visit["tasks"])
    }
    due = stocked("renewals", "due", "--day", "2024-04-01", "--to", "2027-03-31", "--json").json
    assert due
    assert [row for row in due if not day_of[row["device"]] < row["ends"]] == []


def test_an_agreed_visit_stays_when_everything_is_planned_again(stocked: Vetlla) -> None:
    """The visit keeps its number and day, also a day to which it was moved; a device replaced since needs no visit."""
    stocked(*PLAN)
    before = {visit["visit"]: visit for visit in shown(stocked)}
    agreed = [visit for visit in before.values() if visit["tasks"].startswith("renewal terminal")][:2]
    first, second = (visit["visit"] for visit in agreed)
    assert stocked("renewals", "agree", first, "--day", agreed[0]["latest"]).status == 0
    assert stocked("renewals", "agree", second).status == 0
    refused = stocked("renewals", "agree", second, "--day", "2030-01-01")
    assert refused.status == os.EX_USAGE
    assert "may be from" in refused.error
    stocked(*PLAN)
    after = {visit["visit"]: visit for visit in shown(stocked)}
    assert after[first]["day"] == agreed[0]["latest"]
    assert (after[second]["day"], after[second]["tasks"]) == (agreed[1]["day"], agreed[1]["tasks"])
    assert len(after) == len(before)
    assert set(before) & set(after) == {first, second}
    assert "Agreed with the people of the home" in stocked("renewals", "show", first).out


def test_a_renewed_device_gets_no_second_visit(stocked: Vetlla) -> None:
    """After the devices of an agreed visit were replaced, planning again drops the visit."""
    stocked(*PLAN)
    visit = next(visit for visit in shown(stocked) if re.fullmatch(r"renewal gas:\w+", visit["tasks"]))
    stocked("renewals", "agree", visit["visit"])
    old = visit["tasks"].removeprefix("renewal ")
    stocked("inventory", "add", "gas", "NEW", "--day", "2024-04-01")
    assert stocked("inventory", "replace", old, "gas:NEW", "--renewal", "--day", "2024-04-02").status == 0
    stocked(*PLAN)
    assert [one for one in shown(stocked) if old in one["tasks"]] == []


def test_every_day_can_be_explained(stocked: Vetlla) -> None:
    """Each visit names the life that ends, its possible days, and the period that sets the day's work."""
    stocked(*PLAN)
    for visit in shown(stocked, "--why")[:50]:
        assert re.search(r"its useful life ends on \d{4}-\d\d-\d\d, so the visit is before that: from", visit["why"])
        assert re.search(r"\d+ minutes of visits between", visit["why"])


def test_too_little_capacity_keeps_the_old_plan_and_names_the_least_that_is_enough(
    stocked: Vetlla, tmp_path: Path
) -> None:
    """It gives base, dates, missing minutes, devices and the least capacity, with which the plan then succeeds."""
    stocked(*PLAN)
    before = shown(stocked)
    text = SHIPPED.read_text(encoding="utf-8")
    low = tmp_path / "low.toml"
    low.write_text(text.replace("value = 2000\n", "value = 1\n"), encoding="utf-8")
    done = stocked(*PLAN, "--parameters", low, "--json")
    assert done.status == 1
    assert shown(stocked) == before
    for short in done.json:
        assert short["minutes_short"] == short["minutes_needed"] - short["working_days"] > 0
        assert short["devices"]
        assert short["homes"]
    enough = max(short["least_capacity"] for short in done.json)
    low.write_text(text.replace("value = 2000\n", f"value = {enough}\n"), encoding="utf-8")
    assert stocked(*PLAN, "--parameters", low).status == 0
    low.write_text(text.replace("value = 2000\n", "value = 1\n"), encoding="utf-8")
    said = stocked(*PLAN, "--parameters", low).out
    assert "minutes short" in said
    assert "least capacity that does" in said


def test_the_plan_is_exported_as_calendar_and_workbook(stocked: Vetlla, tmp_path: Path) -> None:
    """A calendar has an all-day event for each visit, confirmed if agreed; XLSX has the rows with their reasons."""
    stocked(*PLAN)
    visits = shown(stocked, "--base", "NORD")
    stocked("renewals", "agree", visits[0]["visit"])
    calendar, book = tmp_path / "nord.ics", tmp_path / "nord.xlsx"
    assert stocked("renewals", "export", calendar, "--base", "NORD").status == 0
    assert stocked("renewals", "export", book, "--base", "NORD").status == 0
    piped = stocked("renewals", "export", "-", "--format", "ics", "--base", "NORD").out
    assert [event["uid"] for event in Calendar.from_ical(piped).walk("VEVENT")] == [
        f"visit-{visit['visit']}@vetlla" for visit in visits
    ]
    events = Calendar.from_ical(calendar.read_bytes()).walk("VEVENT")
    assert [str(event.decoded("dtstart")) for event in events] == [visit["day"] for visit in visits]
    assert [str(event["uid"]) for event in events] == [f"visit-{visit['visit']}@vetlla" for visit in visits]
    assert [str(event["status"]) for event in events][:2] == ["CONFIRMED", "TENTATIVE"]
    rows = [*openpyxl.load_workbook(book)["visits"].iter_rows(min_row=2, values_only=True)]
    assert [row[0] for row in rows] == [visit["visit"] for visit in visits]
    assert all("useful life" in str(row[-1]) for row in rows)


def test_the_forecast_comes_as_table_json_and_picture(stocked: Vetlla, tmp_path: Path) -> None:
    """The figures are the same in each; a pipe does not get the note about assumed values."""
    svg = tmp_path / "years.svg"
    done = stocked("renewals", "forecast", "--chart", svg)
    years = stocked("renewals", "forecast", "--json").json
    assert [year["year"] for year in years] == [2024, 2025, 2026, 2027]
    assert [year["growth"] for year in years] == [975, 1300, 1300, 325]
    texts = {element.text for element in ET.fromstring(svg.read_text(encoding="utf-8")).iter()}
    for year in years:
        assert f"{year['terminals']:,}" in texts
        assert f"{year['terminals']:,}" in done.out
    assert 'viewBox="0 0 900 520"' in svg.read_text(encoding="utf-8")  # the width that four years need
    assert "assumed" not in done.talk + done.out


def test_only_svg_is_drawn(stocked: Vetlla, tmp_path: Path) -> None:
    """Another ending is refused before a file is written, and the message names the one that works."""
    refused = stocked("renewals", "forecast", "--chart", tmp_path / "years.png")
    assert refused.status == os.EX_USAGE
    assert ".svg" in refused.error
    assert not list(tmp_path.glob("years*"))


def test_killed_in_the_middle_of_a_plan_the_old_plan_stays(stocked: Vetlla, state_dir: Path) -> None:
    """A real process is killed while it holds the lock and plans; the plan before it stays whole."""
    stocked(*PLAN)
    before = shown(stocked)
    lock = state_dir / "registry.lock"
    planner = subprocess.Popen([VETLLA, "renewals", "plan", "--from", "2024-04-01", "--state-dir", state_dir])
    try:
        # Its process number in the lock file shows that it is planning. Planning 4,000 visits takes far longer than the
        # kill that follows.
        while lock.read_text(encoding="ascii").strip() != str(planner.pid):
            assert planner.poll() is None, "the plan ended by itself"
        planner.send_signal(signal.SIGKILL)
        assert planner.wait(20) == -signal.SIGKILL
    finally:
        planner.kill()
        planner.wait(20)
    assert shown(stocked) == before
    with closing(sqlite3.connect(state_dir / "registry.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stocked(*PLAN).status == 0


def test_without_a_plan_the_error_says_how_to_make_one(vetlla: Vetlla) -> None:
    """Without a plan the command gives an error with its remedy, not an empty answer."""
    vetlla("inventory", "add", "smoke", "A")
    done = vetlla("renewals", "show")
    assert done.status == os.EX_USAGE
    assert done.error.endswith("-> vetlla renewals plan")


def test_a_home_that_is_still_to_join_agrees_to_nothing(stocked: Vetlla) -> None:
    """Growth is only expected: no person can have agreed to such a visit, and planning again drops it."""
    stocked("renewals", "plan", "--from", "2024-04-01")
    joining = next(visit for visit in shown(stocked) if not visit["home"])
    refused = stocked("renewals", "agree", joining["visit"])
    assert refused.status == os.EX_USAGE
    assert "still to join" in refused.error


@pytest.mark.parametrize(
    "command",
    [
        ("renewals", "show", "--base", "NROD"),
        ("renewals", "due", "--base", "NROD"),
        ("renewals", "export", "x.csv", "--base", "NROD"),
        ("maintenance", "due", "--base", "NROD"),
        ("renewals", "show", "--home", "H9"),
    ],
)
def test_an_unknown_base_or_home_is_reported(stocked: Vetlla, command: tuple[str, ...]) -> None:
    """A wrong name gives an error and not an empty answer; for a base the remedy lists the known ones."""
    stocked(*PLAN)
    done = stocked(*command)
    assert done.status == os.EX_USAGE
    assert "CENTRE, LITORAL, NORD, PONENT" in done.error or "no home 'H9'" in done.error


def test_a_calendar_without_a_visit_is_not_written(stocked: Vetlla, tmp_path: Path) -> None:
    """RFC 5545, 3.6: a calendar has at least one component."""
    stocked(*PLAN)
    file = tmp_path / "empty.ics"
    done = stocked("renewals", "export", file, "--from", "2020-01-01", "--to", "2020-01-31")
    assert done.status == os.EX_USAGE
    assert not file.exists()


def test_years_whose_local_holidays_are_not_known_are_reported(stocked: Vetlla) -> None:
    """The city sets two days each year. A plan warns of a year whose days the parameters do not have."""
    done = stocked("renewals", "plan", "--from", "2029-06-01", "--to", "2031-06-30", "--dry-run", "--no-growth")
    assert "no local holidays of 2030, 2031" in done.talk
    assert "no local holidays" not in stocked(*PLAN, "--dry-run").talk


@pytest.mark.parametrize("command", [("plan", "--from", "2024-04-01"), ("forecast",)])
def test_a_span_with_a_wrong_year_is_refused(stocked: Vetlla, command: tuple[str, ...]) -> None:
    """A wrong year is an error at once, not after an hour of planning."""
    done = stocked("renewals", *command, "--to", "2087-03-31")
    assert done.status == os.EX_USAGE
    assert "more than 20 years" in done.error
