"""``vetlla month``: closing, verifying, restating, and each way to tamper with a record or a closed month."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.cli.month.closed import close, record, tamper, verified
from tests.rigs.homes_on_record import register_homes
from tests.rigs.journals import journal as journal_of
from tests.rigs.journals import report, write_a_story
from tests.rigs.ledger import write_ledger
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Vetlla

LATER = """kind,subject,event,at,ref
fault,H3,solved,2025-10-08T10:00:00+02:00,F-3
fault,H1,detected,2025-10-12T09:00:00+02:00,F-9
"""
TABLES = ("closed_months", "closed_inputs", "closed_files")


# --- closing ----------------------------------------------------------------------------------------------------------


def test_a_closed_month_keeps_digests_rules_and_results(service: Vetlla) -> None:
    made = close(service, "--note", "first")
    assert {one["name"] for one in made["inputs"]} >= {"homes", "people", "movements", "duties.fault", "calls"}
    assert {(one["role"], one["name"]) for one in made["files"]} == {
        ("result", "faults.json"),
        ("result", "invoice.json"),
        ("result", "service-levels.json"),
        ("result", "service-levels.pdf"),
        ("rules", "duties.toml"),
        ("rules", "parameters.toml"),
    }
    assert (made["version"], made["note"], len(made["seal"])) == (1, "first", 64)
    (listed,) = service("month", "list", "--json").json
    assert listed["seal"] == made["seal"]
    assert verified(service) == (0, [])
    assert "gives the same bytes" in service("month", "verify", "2025-10").out


def test_results_are_those_of_the_report(service: Vetlla, tmp_path: Path) -> None:
    known = close(service)["known"]
    levels = service("sla", "report", "--month", "2025-10", "--known", known, "--json").json
    assert service("month", "export", "2025-10", tmp_path / "out").status == 0
    kept = json.loads((tmp_path / "out/result/service-levels.json").read_bytes())
    assert kept == levels
    assert (tmp_path / "out/rules/parameters.toml").read_bytes() == parameters_file().read_bytes()
    assert service("month", "export", "2025-10", tmp_path / "out").status == 64, "it overwrites nothing"


def test_a_month_that_is_not_over_is_refused(service: Vetlla) -> None:
    done = service("month", "close", "2098-01")
    assert done.status == 64
    assert "2098-02-01" in done.error


@pytest.mark.parametrize("month", ["1995-01", "2024-03", "2027-04"])
def test_a_month_outside_the_contract_is_refused(service: Vetlla, month: str) -> None:
    done = service("month", "close", month)
    assert done.status == 64
    assert "not over" in done.error or "no day of the contract, which runs from 2024-04-01" in done.error


def test_a_close_with_the_clock_set_back_is_refused(service: Vetlla, state_dir: Path) -> None:
    close(service)
    tamper(state_dir, "UPDATE closed_months SET known_us = known_us + 3600000000")
    for words in (("2025-11",), ("2025-11", "--dry-run"), ("2025-10", "--reason", "x")):
        done = service("month", "close", *words)
        assert done.status == 74
        assert "the clock has not reached that" in done.error


def test_a_dry_run_keeps_nothing(service: Vetlla) -> None:
    close(service, "--dry-run")
    assert service("month", "list", "--json").json == []
    assert service("month", "verify", "2025-10").status == 64


def test_a_document_is_kept_with_its_bytes(service: Vetlla, tmp_path: Path) -> None:
    (tmp_path / "invoice.xml").write_bytes(b"<a/>\r\n")
    made = close(service, "--document", tmp_path / "invoice.xml")
    (kept,) = [one for one in made["files"] if one["role"] == "document"]
    assert (kept["name"], kept["media"], kept["size"]) == ("invoice.xml", "application/xml", 6)
    service("month", "export", "2025-10", tmp_path / "out")
    assert (tmp_path / "out/document/invoice.xml").read_bytes() == b"<a/>\r\n"
    done = service("month", "close", "2025-10", "--reason", "x", "--document", tmp_path / "none.pdf")
    assert done.status == 64
    (tmp_path / "large.bin").write_bytes(b"")
    os.truncate(tmp_path / "large.bin", 73_400_320)
    done = service("month", "close", "2025-10", "--reason", "x", "--document", tmp_path / "large.bin")
    assert done.status == 64
    assert "more than 67108864 bytes" in done.error


# --- restating --------------------------------------------------------------------------------------------------------


def test_a_second_close_needs_a_reason_and_keeps_both(service: Vetlla, tmp_path: Path) -> None:
    first = close(service)
    record(service, tmp_path, LATER)
    assert service("month", "close", "2025-10").status == 64
    second = close(service, "--reason", "the log of the workshop came late")
    assert (second["version"], second["seal_before"]) == (2, first["seal"])
    for version in (1, 2):
        assert verified(service, "--version", version) == (0, [])
    rows = service("month", "show", "2025-10", "--difference", "--json").json
    fields = {(row["part"], row["field"]): (row["before"], row["after"]) for row in rows}
    before, after = fields["record", "duties.fault"]
    assert (before["rows"], after["rows"]) == (5, 7)
    assert fields["service-levels.json", "[ans=14].denominator"] == (3, 4)
    (line,) = [
        line
        for line in service("month", "show", "2025-10", "--difference").out.splitlines()
        if "[ans=14].denominator" in line
    ]
    assert line.split()[-2:] == ["3", "4"]


def test_a_reason_without_a_closed_month_is_refused(service: Vetlla) -> None:
    assert service("month", "close", "2025-10", "--reason", "x").status == 64
    close(service)
    assert service("month", "show", "2025-10", "--difference").status == 64
    assert service("month", "show", "2025-10", "--version", "2").status == 64


# --- what verification finds ------------------------------------------------------------------------------------------


def test_later_corrections_change_nothing(service: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    close(service)
    record(service, tmp_path, LATER)
    register_homes(state_dir.parent, "H1,03,SUD,1,no,2019-01-01/2025-10-01,\nH9,02,SUD,1,no,2025-01-01/,\n")
    assert service("sla", "report", "--month", "2025-10", "--ans", "14", "--json").json[0]["denominator"] == 4
    assert verified(service) == (0, [])


def test_a_changed_row_is_named_with_its_figures(service: Vetlla, state_dir: Path) -> None:
    close(service)
    tamper(state_dir, "UPDATE duty_events SET at_us = at_us - 20 * 86400000000 WHERE event = 'solved' AND ref = 'F-2'")
    status, found = verified(service)
    assert status == 1
    assert found[0] == ("input", "duties.fault")
    assert ("figure", "service-levels.json [ans=14].numerator") in found or len(found) > 1


def test_a_fact_with_a_forged_time_is_refused_and_if_forced_it_is_found(service: Vetlla, state_dir: Path) -> None:
    close(service)
    forged = (
        "INSERT INTO duty_events SELECT NULL, kind, subject, event, at_us, 'F-8', \"by\", note, begin_us, end_us,"
        " details, 0, 0, source, recorded_us FROM duty_events WHERE ref = 'F-1'"
    )
    connection = sqlite3.connect(state_dir / "registry.db")
    with pytest.raises(sqlite3.IntegrityError, match="closed meanwhile"):
        connection.execute(forged)
    connection.close()
    tamper(state_dir, forged)
    done = service("month", "verify", "2025-10", "--json")
    assert done.status == 1
    assert (done.json[0]["subject"], done.json[0]["text"]) == (
        "duties.fault",
        "2 rows more than when the month was closed, recorded as if before",
    )
    assert any(row["subject"] == "service-levels.json [ans=14].denominator" for row in done.json)


def test_a_changed_parameter_is_information_because_the_kept_copy_is_used(service: Vetlla, tmp_path: Path) -> None:
    close(service)
    other = tmp_path / "other.toml"
    other.write_bytes(parameters_file().read_bytes() + b"\n")
    assert verified(service, "--parameters", other) == (0, [("information", "parameters.toml")])


@pytest.mark.parametrize(
    ("sql", "subject"),
    [
        ("UPDATE closed_files SET content = (SELECT content FROM closed_files WHERE role = 'result')", "duties.toml"),
        ("UPDATE closed_files SET content = x'00' WHERE role = 'document'", "invoice.xml"),
        ("UPDATE closed_months SET note = 'another'", "seal"),
        ("UPDATE closed_inputs SET rows = rows + 1 WHERE name = 'homes'", "seal"),
        ("DELETE FROM closed_files WHERE role = 'document'", "seal"),
        ("UPDATE closed_files SET content = 'text' WHERE role = 'document'", "invoice.xml"),
        ("UPDATE closed_files SET size = 'x' WHERE role = 'document'", "invoice.xml"),
        ("UPDATE closed_files SET digest = x'00' WHERE role = 'document'", "seal"),
        ("UPDATE closed_inputs SET rows = 'x'", "seal"),
    ],
)
def test_a_byte_of_the_closed_month_itself_is_found(
    service: Vetlla, state_dir: Path, tmp_path: Path, sql: str, subject: str
) -> None:
    (tmp_path / "invoice.xml").write_bytes(b"<a/>")
    close(service, "--document", tmp_path / "invoice.xml")
    tamper(state_dir, sql)
    status, found = verified(service)
    assert status == 1
    assert ("kept", subject) in found


def test_a_seal_that_was_written_down_shows_that_a_close_was_exchanged(service: Vetlla, state_dir: Path) -> None:
    seal = close(service)["seal"]
    assert verified(service, "--expect", seal) == (0, [])
    for table in reversed(TABLES):
        tamper(state_dir, f"DELETE FROM {table}")
    close(service)
    assert verified(service, "--expect", seal) == (1, [("kept", "seal")])


def test_a_journal_of_an_older_backup_is_found(service: Vetlla, state_dir: Path) -> None:
    write_ledger(state_dir)
    older = shutil.copy(state_dir / "journal.db", state_dir.parent / "older.db")
    with journal_of(state_dir) as scribe:
        scribe.commit(report(1))
        scribe.flush()
    close(service, month="2026-10")
    assert verified(service, month="2026-10") == (0, [])
    shutil.copy(older, state_dir / "journal.db")
    assert verified(service, month="2026-10") == (1, [("input", "journal"), ("input", "signals")])
    (state_dir / "journal.db").unlink()
    status, found = verified(service, month="2026-10")
    assert (status, found[0]) == (1, ("input", "journal"))


def test_a_changed_day_of_the_ledger_is_named(service: Vetlla, state_dir: Path) -> None:
    write_ledger(state_dir)
    close(service, month="2026-10")
    connection = sqlite3.connect(state_dir / "journal.db")
    connection.execute(
        "UPDATE ledger SET columns = (SELECT columns FROM ledger WHERE day = '2026-10-08' AND stretch = 0)"
        " WHERE day = '2026-10-09' AND stretch = 0"
    )
    connection.commit()
    connection.close()
    status, found = verified(service, month="2026-10")
    assert (status, found[0]) == (1, ("input", "ledger.2026-10-09"))
    assert any("ans=13" in subject for _, subject in found)


def test_a_day_that_the_ledger_got_later_changes_nothing(service: Vetlla, state_dir: Path) -> None:
    """A receiver that was off adds the last day of its run when it starts again."""
    write_ledger(state_dir)
    connection = sqlite3.connect(state_dir / "journal.db")
    late = connection.execute("SELECT * FROM ledger WHERE day = '2026-10-31'").fetchall()
    connection.execute("DELETE FROM ledger WHERE day = '2026-10-31'")
    connection.commit()
    close(service, month="2026-10")
    connection.executemany("INSERT INTO ledger VALUES (?, ?, ?)", late)
    connection.commit()
    connection.close()
    assert verified(service, month="2026-10") == (0, [])


def test_nothing_of_a_closed_month_can_be_changed(service: Vetlla, state_dir: Path) -> None:
    close(service)
    connection = sqlite3.connect(state_dir / "registry.db")
    tries: list[Callable[[str], str]] = [
        lambda table: f"DELETE FROM {table}",
        lambda table: (
            f"UPDATE {table} SET rowid = rowid" if table != "closed_inputs" else f"UPDATE {table} SET rows = 1"
        ),
        lambda table: f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    ]
    for table in TABLES:
        for sql in tries:
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(sql(table))
    connection.close()


def test_a_story_of_alarms_is_verified(service: Vetlla, state_dir: Path) -> None:
    write_a_story(state_dir)
    made = close(service, month="2026-01")
    assert next(one["rows"] for one in made["inputs"] if one["name"] == "signals") == 60
    assert verified(service, month="2026-01") == (0, [])


def test_a_command_that_was_stamped_before_the_close_says_what_to_do(service: Vetlla, state_dir: Path) -> None:
    close(service)
    tamper(state_dir, "UPDATE closed_months SET known_us = known_us + 3600000000")
    done = service("duties", "open", "fault", "H1", "--at", "2025-10-20T10:00:00Z")
    assert done.status == 74
    assert "run the command again" in done.error
