"""The parts of a closed month: they are what the commands print, and the ledger of faults takes closed months."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

MONTH = "2025-11"
EARLIER = "2025-10"


def closed(vetlla: Vetlla, month: str, *words: object) -> str:
    """Close a month; return the time as of which it is known."""
    done = vetlla("month", "close", month, *words, "--json")
    assert done.status == 0, done.error
    return str(done.json[0]["known"])


def ledger(vetlla: Vetlla, *words: object) -> list[dict[str, Any]]:
    """Return the rows of the ledger."""
    return vetlla("sanctions", "ledger", *words, "--json").json


def without_closed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the ledger without the field that names closed months."""
    return [{name: value for name, value in row.items() if name != "closed"} for row in rows]


@pytest.mark.usefixtures("year")
def test_parts_are_what_the_commands_print(vetlla: Vetlla, tmp_path: Path) -> None:
    known = closed(vetlla, MONTH)
    assert vetlla("month", "export", MONTH, tmp_path / "out").status == 0
    kept = tmp_path / "out" / "result"
    asked = ("--month", MONTH, "--known", known)
    assert json.loads((kept / "service-levels.json").read_bytes()) == vetlla("sla", "report", *asked, "--json").json
    assert json.loads((kept / "invoice.json").read_bytes()) == vetlla("invoice", "make", *asked, "--json").json
    faults = json.loads((kept / "faults.json").read_bytes())
    assert len(faults) > 5
    assert without_closed(faults) == without_closed(ledger(vetlla, *asked))
    assert {one["fault"] for one in faults} >= {"S07", "20.2.d", "S29"}
    vetlla("sla", "report", *asked, "--out", tmp_path / "ans.pdf")
    assert (tmp_path / "ans.pdf").read_bytes() == (kept / "service-levels.pdf").read_bytes()
    verified = vetlla("month", "verify", MONTH, "--json")
    assert (verified.status, verified.json) == (0, [])


# --- the ledger -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("year")
def test_closed_months_give_the_ledger_that_the_record_gives(vetlla: Vetlla) -> None:
    before = ledger(vetlla)
    for month in ("2025-09", EARLIER, MONTH):
        closed(vetlla, month)
    after = ledger(vetlla)
    assert without_closed(after) == without_closed(before)
    assert not any(row["closed"] for row in before)
    named = {month for row in after for month in row["closed"]}
    assert named <= {"2025-09", EARLIER, MONTH}
    assert {month for row in after for month in row["months"]} & {"2025-09", EARLIER, MONTH} == named != set()
    assert ledger(vetlla, "--from-record") == before
    (row, *_) = [row for row in after if row["closed"]]
    told = vetlla("sanctions", "explain", row["fault"]).out
    assert f"of closed months: {next(iter(row['closed']))} version 1" in told


@pytest.mark.usefixtures("year")
def test_a_correction_counts_when_its_month_is_restated(vetlla: Vetlla, tmp_path: Path) -> None:
    """In October no incident was told late (ANS 22), until one of it comes to the record in December."""
    first = closed(vetlla, EARLIER)
    before = ledger(vetlla, "--month", EARLIER)
    rows = "kind,subject,event,at,ref\nincident,service,happened,2025-10-06T09:00:00+02:00,X-1\n"
    (tmp_path / "late.csv").write_text(rows, encoding="utf-8")
    assert vetlla("duties", "import", tmp_path / "late.csv").status == 0
    assert [mark_of_22(vetlla), mark_of_22(vetlla, "--from-record")] == [".", "X"]
    assert [row for row in ledger(vetlla, "--month", EARLIER) if row["months"]] == [
        row for row in before if row["months"]
    ]
    closed(vetlla, EARLIER, "--reason", "the incident was told late")
    assert [mark_of_22(vetlla), mark_of_22(vetlla, "--known", first)] == ["X", "."]
    for version, words in ((2, ()), (1, ("--known", first))):
        found = ledger(vetlla, "--month", EARLIER, *words)
        assert {row["closed"][EARLIER] for row in found if row["closed"]} == {version}
        assert vetlla("month", "verify", EARLIER, "--version", version).status == 0


def mark_of_22(vetlla: Vetlla, *words: object) -> str:
    """Return the mark of ANS 22 in October in the picture above the ledger."""
    (line,) = [
        line
        for line in vetlla("sanctions", "ledger", "--month", EARLIER, *words).out.splitlines()
        if line.startswith("ANS 22 ")
    ]
    return line.split()[-1]


@pytest.mark.usefixtures("year")
def test_a_closed_month_that_was_changed_is_in_no_ledger(vetlla: Vetlla, state_dir: Path) -> None:
    closed(vetlla, MONTH)
    connection = sqlite3.connect(state_dir / "registry.db")
    connection.execute("DROP TRIGGER closed_files_stay")
    connection.execute("UPDATE closed_files SET content = x'00' WHERE name = 'service-levels.json'")
    connection.commit()
    connection.close()
    done = vetlla("sanctions", "ledger")
    assert done.status == 74
    assert f"month verify {MONTH}" in done.error
    assert vetlla("sanctions", "ledger", "--from-record").status == 1
    assert vetlla("sanctions", "ledger", "--from-record", "--levels", "x.ndjson").status == 64


# --- a part that cannot be made ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("year")
def test_a_part_that_cannot_be_made_stops_the_close_unless_it_is_left_out(vetlla: Vetlla, tmp_path: Path) -> None:
    lacking = tmp_path / "parameters.toml"
    text = parameters_file().read_text(encoding="utf-8")
    lacking.write_text(text.replace('"price.essential"', '"price.other"'), encoding="utf-8")
    words = ("--parameters", lacking)
    done = vetlla("month", "close", MONTH, *words)
    assert done.status == 78
    assert "invoice.json cannot be made" in done.error
    assert "--without invoice.json" in done.error
    assert vetlla("month", "list", "--json").json == []
    for wrong in ("service-levels.json", "invoice.pdf"):
        assert vetlla("month", "close", MONTH, *words, "--without", wrong).status == 64
    closed(vetlla, MONTH, *words, "--without", "invoice.json")
    verified = vetlla("month", "verify", MONTH, *words, "--json")
    found = [(one["kind"], one["subject"], one["text"]) for one in verified.json]
    assert (verified.status, found) == (0, [("information", "invoice.json", "the month was closed without it")])
