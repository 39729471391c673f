"""An agenda from the command line: planned, worked by operators, reported. No test depends on today's date.

The follow-ups of a month that is over are not handed out; its revaluations are, so operators work on those here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = 150
THIS_MONTH = date.today().replace(day=1)  # noqa: DTZ011 - the commands use the machine's date, too
LAST_MONTH = (THIS_MONTH - timedelta(days=1)).replace(day=1)
NEXT_MONTH = (THIS_MONTH + timedelta(days=31)).replace(day=1)
MONTH = f"{LAST_MONTH:%Y-%m}"
BEFORE = f"{LAST_MONTH - timedelta(days=3)}T08:00"


@pytest.fixture
def planned(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Register homes and people; plan the last month as of three days before it."""
    homes = "".join(f"H{n:04},01,NORD,{n % 3 + 1},yes,ca,2018-01-01/\n" for n in range(HOMES))
    people = "".join(f"P{n:04},H{n:04},A\n" for n in range(HOMES))
    (tmp_path / "homes.csv").write_text(f"code,district,base,level,alone,language,active\n{homes}", encoding="utf-8")
    (tmp_path / "people.csv").write_text(f"code,home,user_type\n{people}", encoding="utf-8")
    for what in ("homes", "people"):
        assert vetlla("inventory", "import", tmp_path / f"{what}.csv", "--what", what).status == 0
    assert vetlla("agenda", "plan", "--month", MONTH, "--at", BEFORE).status == 0
    return vetlla


def next_of(vetlla: Vetlla, operator: str) -> dict[str, Any]:
    (one,) = vetlla("agenda", "next", "--operator", operator, "--json").json
    return one


def test_a_month_is_planned_once_and_shown(planned: Vetlla) -> None:
    done = planned("agenda", "plan", "--month", f"{NEXT_MONTH:%Y-%m}", "--json")
    assert done.status == 0
    assert done.json[0]["new"] > HOMES
    assert sum(done.json[0]["load"].values()) == done.json[0]["new"]
    again = planned("agenda", "plan", "--month", f"{NEXT_MONTH:%Y-%m}", "--json").json[0]
    assert (again["new"], again["moved"], again["called_off"]) == (0, 0, {})
    day, number = next(iter(done.json[0]["load"].items()))
    listed = planned("agenda", "list", "--day", day, "--json").json
    assert len(listed) == number
    assert [call["planned"] for call in listed] == sorted(call["planned"] for call in listed)
    assert listed[0].keys() >= {"id", "kind", "home", "person", "planned", "state"}
    assert "calls planned" in planned("agenda", "plan", "--month", f"{NEXT_MONTH:%Y-%m}", "--dry-run").out


def test_a_month_that_is_over_is_refused(planned: Vetlla) -> None:
    refused = planned("agenda", "plan", "--month", MONTH)
    assert refused.status == os.EX_USAGE
    assert "is over" in refused.error
    assert planned("agenda", "plan", "--month", "2026-13").status != 0


def test_an_operator_works_through_calls(planned: Vetlla) -> None:
    one = next_of(planned, "op1")
    assert one["kind"] == "revaluation"
    assert one["holder"] == "op1"
    assert next_of(planned, "op1")["id"] == one["id"]
    assert planned("agenda", "done", one["id"], "--by", "op1", "--json").json[0]["ended"]
    second = next_of(planned, "op1")
    assert second["id"] != one["id"]
    missed = planned("agenda", "no-answer", second["id"], "--json")
    assert missed.status == 0
    assert "it counts once" in planned("agenda", "no-answer", second["id"]).error
    for _ in range(2):
        assert planned("duties", "event", second["id"], "no_answer").status == 0
    given_up = planned("agenda", "unanswered", second["id"], "--json")
    assert given_up.json[0]["verdict"] == "breached"
    assert "unanswered already" in planned("agenda", "done", second["id"]).error
    third = next_of(planned, "op1")["id"]
    moved = planned("agenda", "postpone", third, "--to", f"{NEXT_MONTH}")
    assert (moved.status, f"call {third} is late: its time has ended" in moved.talk) == (0, True), "it is still made"
    assert "one call" in planned("agenda", "called", third).error
    assert "--incoming" in planned("agenda", "done", "H0001").error
    assert planned("agenda", "next", "--operator", "op2").out.startswith("revaluation ")


def test_an_incoming_call_counts_as_the_call_of_its_home(planned: Vetlla) -> None:
    lines = planned("duties", "list", "--kind", "follow_up", "--open", "--json").json
    revalued = {one["subject"][1:] for one in planned("duties", "list", "--kind", "revaluation", "--json").json}
    alone = [one["subject"] for one in lines if one["subject"][1:] not in revalued]
    home = next(one for one in alone if alone.count(one) == 1)
    at = f"{LAST_MONTH + timedelta(days=20)}T10:00"
    done = planned("agenda", "done", home, "--incoming", "--at", at, "--ref", "PBX-1", "--json")
    assert done.json[0]["verdict"] == "kept"
    again = planned("agenda", "done", home, "--incoming", "--at", at, "--ref", "PBX-1")
    assert again.error.startswith("call PBX-1 is recorded already")
    assert again.status == os.EX_USAGE


def test_the_report_adds_up(planned: Vetlla, tmp_path: Path) -> None:
    one = next_of(planned, "op1")
    planned("agenda", "done", one["id"], "--at", f"{LAST_MONTH + timedelta(days=25)}T10:00")
    done = planned("agenda", "report", "--month", MONTH, "--json", "--svg", tmp_path / "load.svg")
    (found,) = done.json
    outcomes = ("answered", "unanswered", "replaced", "cancelled", "open")
    assert all(line["planned"] == sum(line[name] for name in outcomes) for line in found["lines"])
    assert found["effective"] == 1
    assert sum(line["answered"] for line in found["lines"]) == 1
    assert sum(day["planned"] for day in found["load"]) == sum(
        line["answered"] + line["unanswered"] + line["open"] for line in found["lines"]
    )
    assert (tmp_path / "load.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "effective agendas: 1" in planned("agenda", "report", "--month", MONTH).out
    assert planned("agenda", "report", "--month", MONTH, "--svg", tmp_path / "load.png").status == os.EX_USAGE


@pytest.mark.usefixtures("planned")
def test_operators_who_ask_at_the_same_time_get_different_calls(state_dir: Path) -> None:
    """Real processes, which start together."""
    command = [sys.executable, "-m", "vetlla", "agenda", "next", "--json", "--state-dir", str(state_dir)]
    running = [
        subprocess.Popen([*command, "--operator", f"op{number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in range(4)
    ]
    found = []
    for process in running:
        out, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
        found.append(json.loads(out)["id"])
    assert len(set(found)) == 4
