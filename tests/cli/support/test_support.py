"""``vetlla support``: the commands of the desk, for people, for programs and for cron."""

from __future__ import annotations

import csv
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.support import LEVELS, local
from vetlla.cli.reminders.database import now
from vetlla.domain.clock import iso, to_us

if TYPE_CHECKING:
    from tests.cli.conftest import Done, Vetlla

ROOT = Path(__file__).parents[3]
TITLE = "no reminders since 9"
MONDAY = "2025-11-24"
"""A Monday that is past; each act is given its hour of that day."""


def opened(vetlla: Vetlla, severity: str = "critical", at: str = f"{MONDAY}T09:00", *more: str) -> Done:
    """Open a ticket."""
    done = vetlla("support", "open", severity, TITLE, "--at", at, *more)
    assert done.status == 0, done.error
    return done


def acted(vetlla: Vetlla, act: str, hour: str, *more: str) -> Done:
    """Do something with the first ticket."""
    done = vetlla("support", act, 1, *more, "--at", f"{MONDAY}T{hour}")
    assert done.status == 0, done.error
    return done


def working_hours_ago(hours: float) -> str:
    """Return the moment from which the desk has worked this long until now."""
    begin, end = now() - timedelta(days=60), now()
    for _ in range(60):
        middle = begin + (end - begin) / 2
        begin, end = (middle, end) if LEVELS.clock.between(middle, now()) > timedelta(hours=hours) else (begin, middle)
    return iso(to_us(end))


def test_a_ticket_is_opened_and_its_clocks_are_shown(vetlla: Vetlla) -> None:
    (made,) = opened(vetlla, "critical", f"{MONDAY}T13:00", "--way", "email", "--reference", "S-1", "--json").json
    assert list(made) == [
        "ticket", "severity", "state", "title", "way", "reference", "opened", "answered", "paused", "solved", "pauses",
        "reopenings", "answer", "solve",
    ]  # fmt: skip
    assert (made["ticket"], made["state"], made["way"], made["reference"]) == (1, "waiting", "email", "S-1")
    assert list(made["answer"]) == ["state", "due", "worked_s", "limit_s", "left_s"]
    assert made["answer"]["due"] == "2025-11-24T17:00:00.000000Z"
    assert made["solve"]["limit_s"] == 16 * 3600


def test_a_ticket_goes_its_way_and_shows_its_history(vetlla: Vetlla) -> None:
    opened(vetlla)
    assert "in time, after 1 h 00" in acted(vetlla, "answer", "10:00", "--text", "we look at it").out
    paused = acted(vetlla, "pause", "11:00", "--why", "the city decides")
    assert "vetlla support resume 1" in paused.out
    assert "stopped, 14 h 00 left" in vetlla("support", "list").out
    acted(vetlla, "resume", "12:00")
    acted(vetlla, "note", "12:30", "provider informed")
    acted(vetlla, "severity", "12:45", "high", "--why", "SMS work")
    assert "in time, after 3 h 30" in acted(vetlla, "solve", "13:30").out
    acted(vetlla, "reopen", "16:00", "--reason", "SMS fail again")
    (shown,) = vetlla("support", "show", 1, "--json").json
    assert [one["act"] for one in shown["events"]] == [
        "opened", "answered", "paused", "resumed", "note", "severity", "solved", "reopened",
    ]  # fmt: skip
    assert shown["events"][2] | {"by": "", "recorded": ""} == {
        "at": "2025-11-24T10:00:00.000000Z", "act": "paused", "by": "", "severity": None, "text": "the city decides",
        "recorded": "",
    }  # fmt: skip
    out = vetlla("support", "show", 1).out
    assert TITLE in out
    assert "2025-11-24 11:00:00 CET  paused" in out


def test_a_list_has_open_tickets_in_order_of_what_is_left(vetlla: Vetlla) -> None:
    opened(vetlla, "low")
    opened(vetlla, "critical")
    opened(vetlla, "high")
    acted(vetlla, "solve", "10:00")
    listed = vetlla("support", "list", "--json").json
    assert [one["severity"] for one in listed] == ["critical", "high"]
    assert [one["ticket"] for one in vetlla("support", "list", "--all", "--json").json] == [2, 3, 1]
    assert [one["ticket"] for one in vetlla("support", "list", "--state", "solved", "--json").json] == [1]
    assert [one["ticket"] for one in vetlla("support", "list", "--severity", "high", "--json").json] == [3]
    assert "OVERDUE by" in vetlla("support", "list").out
    assert vetlla("support", "list", "--severity", "urgent").status == os.EX_USAGE


@pytest.mark.parametrize(
    "words",
    [
        ("open", "urgent", TITLE),
        ("open", "low", " "),
        ("open", "low", TITLE, "--at", "2999-01-01"),
        ("open", "low", TITLE, "--at", "yesterday"),
        ("open", "low", TITLE, "--at", "0205-11-24"),
        ("answer", 9),
        ("answer", 1, "--at", f"{MONDAY}T08:59"),
        ("answer", 1, "--at", "2999-01-01"),
        ("resume", 1),
        ("reopen", 1, "--why", "x"),
        ("pause", 1, "--why", " "),
        ("severity", 1, "critical", "--why", "x"),
        ("redact", 1),
        ("report", "--csv", "--json"),
        ("report", "--month", "2025-12", "--to", "2025-11"),
        ("report", "--month", "9999-12"),
        ("report", "--month", "2001-01", "--to", "2025-11"),
    ],
)
def test_what_makes_no_sense_is_refused(vetlla: Vetlla, words: tuple[object, ...]) -> None:
    opened(vetlla)
    done = vetlla("support", *words)
    assert done.status == os.EX_USAGE
    assert "->" in done.error
    assert len(vetlla("support", "show", 1, "--json").json[0]["events"]) == 1


def test_a_pause_and_a_reopening_need_a_reason(vetlla: Vetlla) -> None:
    opened(vetlla)
    for words in (("pause", 1), ("reopen", 1), ("severity", 1, "low")):
        assert vetlla("support", *words).status == 2


def test_texts_that_have_personal_data_are_removed(vetlla: Vetlla) -> None:
    opened(vetlla)
    assert vetlla("support", "redact", 1, "--yes", "--json").json == [{"ticket": 1, "removed": 1}]
    assert TITLE not in vetlla("support", "show", 1).out


def test_the_help_says_that_texts_have_no_personal_data(vetlla: Vetlla) -> None:
    assert "no personal data" in " ".join(vetlla("support", "open", "--help").out.split())


# --- check ------------------------------------------------------------------------------------------------------------


def test_the_check_tells_monitoring_how_the_clocks_are(vetlla: Vetlla) -> None:
    opened(vetlla, "low", working_hours_ago(0.1))
    done = vetlla("support", "check")
    assert (done.status, done.out) == (0, "SUPPORT OK: 1 open tickets\n")
    opened(vetlla, "critical", working_hours_ago(3.5))
    done = vetlla("support", "check")
    assert (done.status, done.out.splitlines()[0]) == (1, "SUPPORT WARNING: 2 open tickets, 1 WARNING")
    opened(vetlla, "critical", working_hours_ago(4.5))
    done = vetlla("support", "check")
    assert (done.status, done.out.splitlines()[0]) == (2, "SUPPORT CRITICAL: 3 open tickets, 1 CRITICAL, 1 WARNING")
    assert "CRITICAL ticket 3 (critical): the time to answer has run out -> vetlla support show 3" in done.out
    assert TITLE not in done.out
    first = vetlla("support", "check", "--json").json[0]
    assert (first["level"], first["check"], first["figures"]["ticket"]) == ("critical", "answer", 3)


def test_a_check_that_cannot_look_is_unknown(vetlla: Vetlla, tmp_path: Path) -> None:
    done = vetlla("support", "check")
    assert (done.status, done.out.splitlines()[0]) == (3, "SUPPORT UNKNOWN: the tickets cannot be read, 1 UNKNOWN")
    opened(vetlla)
    wrong = tmp_path / "support.toml"
    wrong.write_text("[[parameter]]\n", encoding="utf-8")
    assert vetlla("support", "check", "--levels", wrong, "--json").json[0]["level"] == "unknown"
    assert vetlla("support", "list", "--levels", wrong).status == os.EX_CONFIG


# --- report -----------------------------------------------------------------------------------------------------------


def test_the_report_of_a_month_has_shares_with_their_denominator(vetlla: Vetlla) -> None:
    opened(vetlla)
    opened(vetlla)
    acted(vetlla, "answer", "10:00")
    acted(vetlla, "solve", "12:00")
    rows = vetlla("support", "report", "--month", "2025-11", "--json").json
    assert [one["severity"] for one in rows] == ["critical", "high", "medium", "low", "all"]
    first = rows[0]
    assert (first["period"], first["tickets"], first["open"]) == ("2025-11", 2, 1)
    assert (first["answer_in_time"], first["answer_late"], first["answer_percent"]) == (1, 1, 50.0)
    assert (first["solve_in_time"], first["solve_late"], first["solve_percent"]) == (1, 1, 50.0)
    assert first["solve_max_s"] > first["solve_median_s"] > 3 * 3600
    assert rows[1]["answer_percent"] is None
    assert "1 of 2 (50.0 %)" in vetlla("support", "report", "--month", "2025-11").out


def test_a_report_of_several_months_has_a_sum(vetlla: Vetlla) -> None:
    opened(vetlla, "low", "2025-10-31T23:59")
    opened(vetlla, "low", "2025-11-01T00:00")
    rows = vetlla("support", "report", "--month", "2025-10", "--to", "2025-11", "--json").json
    sums = {one["period"]: one["tickets"] for one in rows if one["severity"] == "all"}
    assert sums == {"2025-10": 1, "2025-11": 1, "2025-10/2025-11": 2}
    table = list(csv.DictReader(io.StringIO(vetlla("support", "report", "--month", "2025-10", "--csv").out)))
    assert [(one["severity"], one["tickets"]) for one in table][3:] == [("low", "1"), ("all", "1")]
    assert list(table[0]) == list(rows[0])


# --- levels -----------------------------------------------------------------------------------------------------------


def test_the_levels_in_force_are_shown_with_their_basis(vetlla: Vetlla) -> None:
    shown = {one["name"]: one for one in vetlla("support", "levels", "--json").json}
    critical = shown["severity.critical.answer"]
    assert (critical["value"], critical["unit"], critical["basis"]) == ("4", "working hours", "contract")
    assert shown["hours"]["basis"] == "assumed"


def test_the_contractor_names_own_levels(vetlla: Vetlla, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.toml"
    shipped = (ROOT / "config" / "reminders" / "support.toml").read_text(encoding="utf-8")
    own.write_text(shipped.replace("09:00-14:00,15:00-18:00", "08:00-16:00"), encoding="utf-8")
    opened(vetlla, "critical", f"{MONDAY}T13:00")
    due = vetlla("support", "show", 1, "--levels", own, "--json").json[0]["answer"]["due"]
    assert due == iso(to_us(local("2025-11-25 09:00")))
    monkeypatch.setenv("VETLLA_SUPPORT_LEVELS", str(own))
    assert vetlla("support", "show", 1, "--json").json[0]["answer"]["due"] == due
