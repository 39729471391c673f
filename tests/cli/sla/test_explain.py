"""``vetlla sla explain``: the figure in words, the cases behind it, and the command that shows each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sla.test_street_and_complaints import EVENTS
from tests.rigs.homes_on_record import register_homes
from tests.rigs.journals import write_a_story
from tests.rigs.ledger import write_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FAULTS = """fault,H1,detected,2025-10-06T09:00:00+02:00,F-1,
fault,H1,solved,2025-10-06T15:00:00+02:00,F-1,
fault,H2,detected,2025-10-07T09:00:00+02:00,F-2,
fault,H2,solved,2025-10-30T15:00:00+01:00,F-2,
fault,H1,detected,2025-10-31T09:00:00+01:00,F-4,
fault,H3,detected,2025-10-08T09:00:00+02:00,F-5,
fault,H3,cancelled,2025-10-08T10:00:00+02:00,F-5,
"""
CALLS = """external_id,direction,started,ready,answered,ended,agent,caller,called,outcome,home
C1,in,2025-10-05T10:00:00Z,2025-10-05T10:00:01Z,2025-10-05T10:00:33Z,2025-10-05T10:02:00Z,OP1,900000001,,answered,H1
C2,in,2025-10-05T11:00:00Z,2025-10-05T11:00:01Z,2025-10-05T11:00:19Z,2025-10-05T11:02:00Z,OP2,900000001,,answered,H1
C3,in,2025-10-05T12:00:00Z,2025-10-05T12:00:01Z,2025-10-05T12:00:03Z,2025-10-05T12:02:00Z,OP2,900000002,,answered,H2
C4,in,2025-10-05T13:00:00Z,2025-10-05T13:00:01Z,,2025-10-05T13:00:20Z,,900000001,,abandoned,H1
"""


@pytest.fixture
def service(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make a registry with homes, duties and calls of October 2025."""
    register_homes(state_dir.parent)
    people, events, calls = (tmp_path / f"{name}.csv" for name in ("people", "events", "calls"))
    people.write_text("code,home,user_type\nP1,H1,A\nP2,H2,A\n", encoding="utf-8")
    events.write_text(EVENTS + FAULTS, encoding="utf-8")
    calls.write_text(CALLS, encoding="utf-8")
    for words in (
        ("inventory", "import", people, "--what", "people"),
        ("duties", "import", events),
        ("calls", "import", calls, "--format", "rows"),
    ):
        done = vetlla(*words)
        assert done.status == 0, (done.error, done.talk)
    return vetlla


def explained(service: Vetlla, ans: int, *words: object) -> dict[str, Any]:
    """Return an explanation of October 2025."""
    (found,) = service("sla", "explain", ans, "--month", "2025-10", *words, "--json").json
    return found


def test_without_a_home_the_cases_that_are_not_kept_are_shown(service: Vetlla) -> None:
    found = explained(service, 14)
    assert found["counts"] == {"breached": 1, "kept": 1, "left_out": 1}
    (case,) = found["cases"]
    assert (case["what"], case["home"], case["verdict"]) == ("fault", "H2", "breached")
    assert "its clock ran out" in case["counts"]
    assert "sla.month is due (assumed" in case["counts"]
    assert "duty.fault.limit" in case["why"]
    assert "16.14" in case["why"]
    assert service(*case["show"].split()[1:]).status == 0


def test_of_a_home_every_case_is_shown(service: Vetlla) -> None:
    assert [(one["home"], one["verdict"]) for one in explained(service, 14, "--home", "H1")["cases"]] == [
        ("H1", "kept")
    ]
    assert [one["verdict"] for one in explained(service, 14, "--home", "H3")["cases"]] == ["left_out"]
    assert explained(service, 14, "--home", "H1", "--breaches")["cases"] == []


def test_the_figure_is_said_in_words_with_each_assumed_value(service: Vetlla) -> None:
    found = explained(service, 14)
    text = " ".join(found["words"])
    assert "solved: 1 of 2, which is 50.00 %; 100 % are required" in text
    assert "It is not kept." in text
    assert "Left out, because they are no case of this level: 1." in text
    for name in found["figure"]["assumed"]:
        assert f"Parameter {name} is " in text


def test_calls_say_their_stamps_and_operator_and_each_limit(service: Vetlla) -> None:
    found = explained(service, 6, "--home", "H1")
    assert [(one["number"], one["verdict"]) for one in found["cases"]] == [
        ("1", "breached"), ("2", "late"), ("4", "left_out"),
    ]  # fmt: skip
    late, slow, abandoned = (found["cases"][place] for place in (0, 1, 2))
    assert "answered at 2025-10-05T10:00:33.000000Z by OP1" in late["why"]
    assert "Its t3 is 32 s." in late["why"]
    assert all(f"Parameter calls.{name} is" in slow["why"] for name in ("t3_s", "t3_share", "t3_max_s"))
    assert "sla.t3.abandoned is no" in abandoned["why"]
    assert service(*late["show"].split()[1:]).status == 0
    assert "Left out by parameter sla.t3.abandoned: 1." in found["words"]


def test_ans_7_says_what_a_call_lacks(service: Vetlla) -> None:
    (row,) = service("sla", "report", "--month", "2025-10", "--ans", 7, "--json").json
    assert [(one["number"], one["reason"]) for one in row["breached"]] == [
        ("1", "not_recorded"), ("2", "not_recorded"), ("3", "not_recorded"),
    ]  # fmt: skip
    (case,) = explained(service, 7, "--home", "H2")["cases"]
    assert "its recording or the hash of it is missing" in case["why"]


def test_signals_say_their_stamps(service: Vetlla, state_dir: Path) -> None:
    write_a_story(state_dir)
    (found,) = service("sla", "explain", 5, "--month", "2026-01", "--home", "H-0001", "--json").json
    case = found["cases"][0]
    assert (case["what"], case["number"]) == ("signal", "1")
    assert "established at" in case["why"]
    assert "by " in case["why"]
    assert "16.5" in case["why"]
    assert service(*case["show"].split()[1:]).status == 0


def test_a_device_day_says_its_longest_silence(service: Vetlla, state_dir: Path) -> None:
    write_ledger(state_dir)
    (found,) = service("sla", "explain", 13, "--month", "2026-10", "--breaches", "--json").json
    (case,) = found["cases"]
    assert (case["subject"], case["verdict"]) == ("=4C01", "breached")
    assert "the longest silence was 9000 s" in case["why"]


def test_emergencies_and_complaints_say_what_decides(service: Vetlla) -> None:
    late = next(one for one in explained(service, 11)["cases"] if one["verdict"] == "late")
    assert "It is beyond the 30 minutes of the share." in late["why"]
    assert late["show"].startswith("vetlla dispatch show D")
    claim = next(one for one in explained(service, 20)["cases"] if one["verdict"] == "breached")
    assert "beyond the allowed number" in claim["why"]
    assert claim["show"] == f"vetlla complaints show {claim['number']}"


def test_people_read_it_and_a_level_without_cases_has_its_figure(service: Vetlla) -> None:
    done = service("sla", "explain", 14, "--month", "2025-10")
    assert done.status == 0
    assert "-> vetlla duties show" in done.out
    assert "It is not measured" in service("sla", "explain", 18, "--month", "2025-10").out
    assert "No case of home H2 is shown." in service("sla", "explain", 17, "--month", "2025-10", "--home", "H2").out
    assert service("sla", "explain", 14, "--month", "2025-10", "--home", "H9").error.startswith("no home 'H9'")
