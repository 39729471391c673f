"""The digests of a close cover every table that its parts read, and such a table refuses what comes too late."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from tests.rigs.small_year import MONTH
from vetlla.domain.clock import ManualClock
from vetlla.store.registry import known, transaction
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.months.parts import PARTS, first_month
from vetlla.tasks.months.record import inputs
from vetlla.tasks.months.sources import MonthSources
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

NOT_COVERED: Final = {
    "calls": "the number that binds the records of a call, which the digests of records and ties have",
    "call_sources": "the name of the system that a call comes from, which no figure shows",
    "closed_inputs": "read with the list of closed months; the seals, which are covered, cover it",
    "duty_index": "empty for a question about a past time",
    "json_each": "a function of SQLite, and no table",
}
"""Tables that parts read and no digest covers, and why."""
BOUND: Final = {
    "home_facts": "recordings",
    "person_facts": "recordings",
    "devices": "movements",
    "closed_inputs": "closed_months",
    "closed_files": "closed_months",
    "calls": "call_records",
    "call_sources": "call_records",
    "probe_machines": "probes",
    "probe_components": "probes",
    "probe_reasons": "probes",
}
"""Tables whose rows are seen only through those of another one, which has the time."""
CLOCK: Final = ManualClock(datetime(2090, 1, 1, tzinfo=UTC))


class Watched:
    """The tables that connections which look back have read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tables: set[str] = set()

        def look_back(connection: sqlite3.Connection, at_us: int) -> None:
            known.look_back(connection, at_us)
            connection.set_authorizer(self._see)

        monkeypatch.setattr(transaction, "look_back", look_back)

    def _see(self, action: int, table: str | None, _: str | None, database: str | None, __: str | None) -> int:
        if action == sqlite3.SQLITE_READ and database == "main" and table and not table.startswith("sqlite_"):
            self.tables.add(table)
        return sqlite3.SQLITE_OK

    def taken(self) -> set[str]:
        """Return the tables that were read since the last call."""
        found, self.tables = self.tables, set()
        return found


def test_a_digest_covers_every_table_that_a_part_reads(
    vetlla: Vetlla, year: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vetlla("month", "close", "2025-10").status == 0, "so that the ledger has a closed month to read"
    watched = Watched(monkeypatch)
    with month_record(year, CLOCK, load_rules(), MONTH, CLOCK.now().utc_us) as record:
        sources = MonthSources(year, CLOCK, record)
        read: dict[str, set[str]] = {}
        for name, part in PARTS.items():
            part.make(sources)
            read[name] = watched.taken()
        first = first_month(record, PARTS)
        watched.taken()
        inputs(record, first)
        covered = watched.taken()
    assert read["service-levels.json"] >= {"duty_events", "call_records", "probes", "person_facts"}
    assert "movements" in read["invoice.json"], "a statement that another part has used before is not seen again"
    assert read["faults.json"] >= {"recorded_faults", "action_events", "closed_files"}
    assert set().union(*read.values()) - covered <= set(NOT_COVERED)


@pytest.mark.parametrize("table", sorted(known.SEEN))
def test_a_table_that_keeps_a_past_refuses_what_is_recorded_before_a_close(year: Path, table: str) -> None:
    connection = sqlite3.connect(year / "registry.db")
    triggers = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    connection.close()
    assert f"{BOUND.get(table, table)}_after_close" in triggers or table == "duty_index"


UNUSED: Final = {
    "devices": "model = 'x', imei = 'x', made_year = 1999, made_week = 1, first_installed = '1999-01-01',"
    " cost_from = '2025-11-20', guarantee_until = '1999-01-01'",
    "home_facts": "note = 'x', alone = 1 - alone, language = 'x', phones = '[\"+34900000001\"]'",
    "person_facts": "note = 'x'",
    "movements": "note = 'x'",
    "call_records": "caller = 'x', called = 'x'",
}
"""Table -> columns that no digest covers, with other values (docs/closing.md)."""


def test_what_no_digest_covers_changes_no_part(vetlla: Vetlla, year: Path) -> None:
    assert vetlla("month", "close", "2025-11").status == 0
    connection = sqlite3.connect(year / "registry.db")
    for table, values in UNUSED.items():
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table,)
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"UPDATE {table} SET {values}")
    connection.commit()
    connection.close()
    assert vetlla("month", "verify", "2025-11", "--json").json == []


TAMPERING: Final = {
    "probes": "UPDATE probes SET result = 'ok' WHERE result <> 'ok'",
    "probes ": "UPDATE probe_imports SET at_us = at_us - 1",
    "incidents": "UPDATE probe_incidents SET planned = 1",
    "faults": "UPDATE recorded_faults SET fault = 'S08' WHERE fault = 'S07'",
    "actions": "UPDATE action_events SET who = 'Q2'",
    "calls": "UPDATE call_records SET recording = '' WHERE recording <> ''",
    "calls ": "UPDATE call_records SET digest = x'00' WHERE digest <> x''",
    "closed": "UPDATE closed_months SET seal = 'x' WHERE month = '2025-10'",
}
"""Digest (the space only tells two of one apart) -> a change by hand that it shows."""


def test_a_change_by_hand_of_what_the_parts_read_is_named(vetlla: Vetlla, year: Path) -> None:
    for month in ("2025-10", "2025-11"):
        assert vetlla("month", "close", month).status == 0
    file = year / "registry.db"
    intact = file.read_bytes()
    for name, sql in TAMPERING.items():
        connection = sqlite3.connect(file)
        for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(sql)
        connection.commit()
        connection.close()
        done = vetlla("month", "verify", "2025-11", "--json")
        assert done.status == 1
        assert name.strip() in {one["subject"] for one in done.json if one["kind"] == "input"}
        file.write_bytes(intact)
