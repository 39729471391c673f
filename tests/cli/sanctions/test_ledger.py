"""``vetlla sanctions``: the ledger as people and programs read it, records that are taken back, corrective actions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FIELDS = {
    "fault", "class", "clause", "words", "about", "day", "months", "cases", "faults", "ceiling", "amount", "assumed",
    "actions", "closed",
}  # fmt: skip
MONTHS = ("2025-01", "2025-03", "2025-11")
UNTIL = ("--month", "2025-12")


@pytest.fixture
def months(tmp_path: Path, state_dir: Path) -> Path:
    """Make a file of levels: ANS 5 was not kept in three months of 2025, and in no other month measured."""
    assert state_dir.is_dir()
    file = tmp_path / "months.ndjson"
    rows = [{"month": month, "ans": 5, "verdict": "not_kept", "breaches": 3} for month in MONTHS]
    rows.append({"month": "2025-12", "ans": 5, "verdict": "kept", "breaches": 0})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def ledger(vetlla: Vetlla, months: Path, *words: object) -> list[dict[str, Any]]:
    """Return the rows of the ledger."""
    return vetlla("sanctions", "ledger", "--levels", months, *UNTIL, *words, "--json").json


def test_the_ledger_has_the_fixed_fields_and_what_led_to_a_fault(vetlla: Vetlla, months: Path) -> None:
    done = vetlla("sanctions", "ledger", "--levels", months, *UNTIL, "--json")
    assert done.status == 1
    (row,) = done.json
    assert set(row) == FIELDS
    assert (row["fault"], row["class"], row["clause"], row["about"]) == ("S29", "grave", "17", "ANS 5")
    assert (row["day"], row["months"], row["ceiling"]) == ("2025-11-30", list(MONTHS), "2007954.28")
    assert "sanctions.year" in row["assumed"]


def test_without_a_fault_the_status_is_0(vetlla: Vetlla, months: Path) -> None:
    for words in (("--year", "2024"), ("--month", "2025-10")):
        done = vetlla("sanctions", "ledger", "--levels", months, *words)
        assert (done.status, "no fault" in done.out) == (0, True), done
    assert vetlla("sanctions", "ledger", "--levels", months, "--year", "2025").status == 1


def test_the_picture_shows_twelve_months_and_never_takes_unmeasured_for_kept(vetlla: Vetlla, months: Path) -> None:
    lines = vetlla("sanctions", "ledger", "--levels", months, *UNTIL).out.splitlines()
    assert lines[0] == "2025-01 to 2025-12"
    (row,) = (line for line in lines if line.startswith("ANS 5 "))
    assert row.split()[2:] == ["X", "?", "X", "?", "?", "?", "?", "?", "?", "?", "X", "."]


def test_explain_and_the_file_have_what_led_to_it(vetlla: Vetlla, months: Path, tmp_path: Path) -> None:
    told = vetlla("sanctions", "explain", "s29", "--levels", months, *UNTIL)
    assert told.status == 1
    assert "months: 2025-01, 2025-03, 2025-11" in told.out
    assert "up to 2007954.28 EUR" in told.out
    none = vetlla("sanctions", "explain", "R5", "--levels", months, *UNTIL)
    assert (none.status, "not in the ledger" in none.out) == (0, True)
    out = tmp_path / "faults.csv"
    assert vetlla("sanctions", "ledger", "--levels", months, *UNTIL, "--out", out).status == 1
    assert "2025-01 2025-03 2025-11" in out.read_text(encoding="utf-8-sig")


def test_the_forecast_names_what_one_more_breach_would_reach(vetlla: Vetlla, months: Path) -> None:
    rows = vetlla("sanctions", "forecast", "--levels", months, "--month", "2025-10", "--json").json
    assert [row["about"] for row in rows] == [*(f"ANS {ans}" for ans in range(1, 24)), "obligation"]
    by_name = {row["about"]: row for row in rows}
    assert [one["fault"] for one in by_name["ANS 5"]["would_add"]] == ["S29"]
    assert (by_name["ANS 5"]["missed"], by_name["ANS 5"]["verdict"]) == (2, "not_measured")
    assert by_name["ANS 6"]["would_add"] == []
    assert "S29 grave" in vetlla("sanctions", "forecast", "--levels", months, "--month", "2025-10").out


def test_a_fault_is_recorded_and_taken_back(vetlla: Vetlla, months: Path) -> None:
    words = ("record", "s07", "--at", "2025-12-03T00:30", "--reason", "no uniform", "--about", "H1")
    (dry,) = vetlla("sanctions", *words, "--dry-run", "--json").json
    assert (dry["fault"], dry["class"], dry["at"]) == ("S07", "minor", "2025-12-02T23:30:00.000000Z")
    assert "S07" not in {row["fault"] for row in ledger(vetlla, months)}
    assert vetlla("sanctions", *words).status == 0
    (row,) = (row for row in ledger(vetlla, months) if row["fault"] == "S07")
    assert (row["day"], row["about"], row["cases"][0]["note"]) == ("2025-12-03", "H1", "no uniform")
    number = row["cases"][0]["number"]
    assert vetlla("sanctions", "withdraw", number, "--reason", "it was another day").status == 0
    assert "S07" not in {row["fault"] for row in ledger(vetlla, months)}
    first, second = vetlla("sanctions", "recorded", "--json").json
    assert (first["number"], first["withdrawn"], second["withdraws"]) == (int(number), True, int(number))
    assert "no recorded fault that stands" in vetlla("sanctions", "withdraw", number, "--reason", "again").error


def test_20_2_d_a_deduction_with_its_amount(vetlla: Vetlla, months: Path) -> None:
    words = ("--at", "2025-12-03", "--reason", "control 4")
    assert vetlla("sanctions", "record", "20.2.d", *words, "--amount", "350.5").status == 0
    (row,) = (row for row in ledger(vetlla, months) if row["class"] == "deduction")
    assert (row["ceiling"], row["clause"]) == ("350.50", "20.2.d")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("record", "S28", "--reason", "x"), "follows from other months"),
        (("record", "S99", "--reason", "x"), "there is no fault"),
        (("record", "S07", "--reason", " "), "needs a reason"),
        (("record", "S07", "--reason", "x", "--amount", "5"), "has a ceiling and no amount"),
        (("record", "S07", "--reason", "x", "--at", "2099-01-01"), "lies in the future"),
        (("ledger", "--month", "2099-01"), "has not begun"),
        (("explain", "S99"), "there is no fault"),
        (("action", "add", "ANS24", "line", "--who", "Q1"), "there is no fault"),
        (("action", "add", "ANS5", " ", "--who", "Q1"), "says what is to be done"),
        (("action", "done", "1"), "no corrective action 1"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(
    vetlla: Vetlla, state_dir: Path, words: tuple[str, ...], error: str
) -> None:
    assert state_dir.is_dir()
    done = vetlla("sanctions", *words)
    assert done.status == 64
    assert error in done.error


def test_corrective_actions_stand_beside_the_faults_that_they_name(vetlla: Vetlla, months: Path) -> None:
    plan = ("sanctions", "action", "add")
    assert vetlla(*plan, "ans 5", "second line", "--who", "Q1", "--due", "2025-12-31").status == 0
    assert vetlla(*plan, "S17", "training", "--who", "Q2").status == 0
    (row,) = ledger(vetlla, months)
    assert [(one["action"], one["state"]) for one in row["actions"]] == [(1, "overdue")]
    check = vetlla("sanctions", "check")
    assert (check.status, "due on 2025-12-31" in check.out) == (1, True)
    assert vetlla("sanctions", "action", "done", "1", "--ref", "E-5").status == 0
    assert "done already" in vetlla("sanctions", "action", "withdraw", "1", "--reason", "x").error
    assert vetlla("sanctions", "check").status == 0
    assert vetlla("sanctions", "action", "withdraw", "2", "--reason", "twice").status == 0
    rows = vetlla("sanctions", "action", "list", "--json").json
    assert [(one["about"], one["state"], one["ref"]) for one in rows] == [
        ("ANS 5", "done", "E-5"),
        ("S17", "withdrawn", ""),
    ]
    assert vetlla("sanctions", "action", "list", "--open").out == ""


def test_all_faults_of_the_contract_are_listed(vetlla: Vetlla) -> None:
    rows = vetlla("sanctions", "faults", "--json").json
    assert len(rows) == 49 + 2 + 2 + 1
    assert "very grave" in vetlla("sanctions", "faults").out
