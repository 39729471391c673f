"""``vetlla sla report``: the fixed fields of JSON, the months of a duty, what is not measured, and exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.homes_on_record import register_homes
from tests.rigs.ledger import write_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FIXED = {
    "ans", "clause", "month", "numerator", "denominator", "threshold", "value", "verdict", "breaches", "assumed",
}  # fmt: skip
EVENTS = """kind,subject,event,at,ref
fault,H1,detected,2025-10-06T09:00:00+02:00,F-1
fault,H1,solved,2025-10-06T15:00:00+02:00,F-1
fault,H2,detected,2025-10-07T09:00:00+02:00,F-2
fault,H2,solved,2025-10-30T15:00:00+01:00,F-2
fault,H3,detected,2025-10-08T09:00:00+02:00,F-3
fault,H1,detected,2025-10-31T09:00:00+01:00,F-4
fault,H1,solved,2025-10-31T10:00:00+01:00,F-4
"""


@pytest.fixture
def service(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make a registry with homes and four faults."""
    register_homes(state_dir.parent)
    events = tmp_path / "faults.csv"
    events.write_text(EVENTS, encoding="utf-8")
    done = vetlla("duties", "import", events)
    assert done.status == 0, done.error
    return vetlla


def report(service: Vetlla, *words: object) -> list[dict[str, Any]]:
    """Return the rows of a report."""
    return service("sla", "report", *words, "--json").json


def test_each_of_the_23_levels_has_one_row_with_the_fixed_fields(service: Vetlla) -> None:
    rows = report(service, "--month", "2025-10")
    assert [row["ans"] for row in rows] == list(range(1, 24))
    assert all(row.keys() >= FIXED for row in rows)
    assert {row["month"] for row in rows} == {"2025-10"}
    assert [row["clause"] for row in rows] == [f"16.{number}" for number in range(1, 24)]


def test_faults_in_term_late_and_never_solved(service: Vetlla) -> None:
    (row,) = report(service, "--month", "2025-10", "--ans", "14")
    assert (row["numerator"], row["denominator"], row["threshold"], row["value"]) == (1, 3, "100", "33.33")
    assert (row["verdict"], row["breaches"], row["undecided"]) == ("not_kept", 2, 0)
    assert [(one["home"], one["reason"]) for one in row["breached"]] == [("H2", "late"), ("H3", "not_done")]
    assert "duty.fault.limit" in row["assumed"]
    assert [part["name"] for part in row["parts"]] == ["solved", "scheduled"]
    assert row["parts"][1]["verdict"] == "empty"


def test_a_duty_counts_in_the_month_in_which_its_clock_runs_out(service: Vetlla) -> None:
    (row,) = report(service, "--month", "2025-11", "--ans", "14")
    assert (row["numerator"], row["denominator"], row["verdict"]) == (1, 1, "kept")


def test_what_nothing_measures_is_said_and_never_counts_as_kept(service: Vetlla) -> None:
    (row,) = report(service, "--month", "2025-10", "--ans", "8")
    assert (row["verdict"], row["numerator"], row["value"], row["parts"]) == ("not_measured", None, None, [])
    assert service("sla", "report", "--month", "2025-10", "--ans", "8").status == 3


def test_a_month_without_a_case_is_empty(service: Vetlla) -> None:
    done = service("sla", "report", "--month", "2025-12", "--ans", "14", "--json")
    assert (done.json[0]["verdict"], done.json[0]["denominator"], done.status) == ("empty", 0, 0)


def test_a_range_of_months_and_its_bound(service: Vetlla) -> None:
    rows = report(service, "--month", "2025-10..2025-12", "--ans", "14")
    assert [row["month"] for row in rows] == ["2025-10", "2025-11", "2025-12"]
    done = service("sla", "report", "--month", "2025-12..2025-10")
    assert done.status == 64
    assert "2026-01..2026-12" in done.error


def test_a_month_to_come_is_refused(service: Vetlla) -> None:
    done = service("sla", "report", "--month", "2098-01")
    assert done.status == 64
    assert "has not begun" in done.error


def test_as_known_at_a_time_nothing_recorded_later_counts(service: Vetlla) -> None:
    (row,) = report(service, "--month", "2025-10", "--ans", "14", "--known", "2025-11-02T00:00:00Z")
    assert row["verdict"] == "not_measured"


def test_people_see_figures_breaches_and_the_exit_status(service: Vetlla) -> None:
    done = service("sla", "report", "--month", "2025-10", "--ans", "14")
    assert done.status == 1
    assert "NOT KEPT" in done.out
    assert "33.33 %" in done.out
    assert "not_done" in done.out


def test_ans_13_comes_from_the_ledger_and_a_day_without_one_breaks_it(service: Vetlla, state_dir: Path) -> None:
    write_ledger(state_dir)
    (row,) = report(service, "--month", "2026-10", "--ans", "13")
    assert (row["numerator"], row["denominator"], row["verdict"], row["breaches"]) == (59, 60, "not_kept", 1)
    assert [(part["name"], part["numerator"], part["denominator"]) for part in row["parts"]] == [
        ("checked", 59, 60),
        ("days_recorded", 30, 31),
    ]
    (breach,) = row["breached"]
    assert (breach["reason"], breach["subject"], breach["measured_s"]) == ("not_checked", "=4C01", 9000)
    assert [group for group in row["groups"] if group["by"] == "kind"] == [
        {"by": "kind", "name": "terminal", "numerator": 29, "denominator": 30},
        {"by": "kind", "name": "ucr", "numerator": 30, "denominator": 30},
    ]


@pytest.mark.parametrize(
    ("ending", "begin"), [("pdf", b"%PDF-"), ("html", b"<!DOCTYPE html>"), ("csv", b'"month","ans"'), ("xlsx", b"PK")]
)
def test_a_report_is_written_as_a_page_or_as_rows(service: Vetlla, tmp_path: Path, ending: str, begin: bytes) -> None:
    out = tmp_path / f"ans.{ending}"
    done = service("sla", "report", "--month", "2025-09..2025-10", "--ans", "14", "--out", out)
    assert (done.status, done.error, done.out) == (1, "", "")
    assert out.read_bytes().lstrip(b"\xef\xbb\xbf").startswith(begin)


def test_a_file_of_an_unknown_kind_is_refused_before_anything_is_read(service: Vetlla, tmp_path: Path) -> None:
    done = service("sla", "report", "--out", tmp_path / "ans.doc")
    assert done.status == 64
    assert ".pdf" in done.error


def test_the_last_whole_month_is_that_of_the_service(service: Vetlla, state_dir: Path) -> None:
    """At 23:30 UTC on 30 November it is December in Barcelona, so that November is over."""
    command = [
        "faketime",
        "2026-11-30 23:30:00",
        sys.executable,
        "-m",
        "vetlla",
        "sla",
        "report",
        "--ans",
        "14",
        "--json",
    ]
    environment = os.environ | {"TZ": "UTC"}
    done = subprocess.run(
        [*command, "--state-dir", str(state_dir)], capture_output=True, check=False, text=True, env=environment
    )
    assert '"month": "2026-11"' in done.stdout, done.stderr


def test_all_files_of_one_report_are_those_of_a_report_each(service: Vetlla, tmp_path: Path) -> None:
    names = ("levels.csv", "levels.json")
    together, apart = tmp_path / "together", tmp_path / "apart"
    together.mkdir()
    apart.mkdir()
    outs = [part for name in names for part in ("--out", together / name)]
    done = service("sla", "report", "--month", "2025-10", *outs)
    assert (done.status, done.out) == (1, "")
    for name in names:
        service("sla", "report", "--month", "2025-10", "--out", apart / name)
        assert (together / name).read_bytes() == (apart / name).read_bytes()
