"""The registry as it was known at a past time: nothing that was recorded later is in an answer."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock
from vetlla.store.registry.known import looks_back
from vetlla.store.registry.transaction import snapshot, transaction

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()
ROWS = {
    "recordings": "(1, {at}, 'x', 'y')",
    "home_facts": "('H1', 1, '0001-01-01', 0, '', '01', 'NORD', 1, 0, '', '[]', '', '')",
    "person_facts": "('P1', 1, '0001-01-01', 0, '', 'H1', 'A', '', '', '')",
    "duty_events": "(1, 'fault', 'H1', 'detected', 5, '', '', '', NULL, NULL, '', 0, 0, '', {at})",
    "duty_index": "(1, 'rules')",
    "unit_events": "(1, 'U1', 'added', '', '', 5, '', '', '', {at})",
    "recorded_faults": "(1, 'S07', 5, '', 'why', '', NULL, '', 0, '', {at})",
    "action_events": "(1, 0, 'planned', 'S29', 'what', '', NULL, 5, '', '', '', {at})",
    "devices": "(1, 'ucr', 'U1', '', '', '', NULL, NULL, NULL, NULL, NULL)",
    "movements": "(1, 1, '2026-01-01', 'entry', 'warehouse', '', 'municipal', NULL, '', {at})",
    "upkeep": "(1, 'battery', '2026-01-01', {at})",
    "call_sources": "(1, '')",
    "call_imports": "(1, {at}, '', '', '')",
    "calls": "(1, 1, 'c')",
    "call_records": "(1, 1, 1, NULL, 5, NULL, NULL, NULL, '', '', '', '', NULL, '', x'', NULL, '', NULL)",
    "call_ties": "(1, 1, {at}, '', '', '', '', '', NULL, '', '')",
    "probe_machines": "(1, 'm1')",
    "probe_components": "(1, 'system', 'dc09')",
    "probe_reasons": "(1, '')",
    "probe_imports": "(1, {at}, '', '')",
    "probes": "(1, 5, 1, 5, 'ok', 1, 'ack', '', 1)",
    "probe_incidents": "(1, 'dc09', 5, 6, 0, '', '', {at})",
    "closed_months": "(1, '2026-01', 1, {at}, '', '', '', '', '')",
    "closed_inputs": "(1, 'homes', 0, '')",
    "closed_files": "(1, 1, 'result', 'r', '', 0, '', x'')",
}
"""A row of each table that has a past, recorded at a time."""
NOT_DATED = {"call_sources", "duty_index", "probe_machines", "probe_components", "probe_reasons"}


@pytest.fixture
def stocked(tmp_path: Path) -> Path:
    with transaction(tmp_path, CLOCK) as connection:
        for table, row in ROWS.items():
            connection.execute(f"INSERT INTO {table} VALUES {row.format(at=100)}")
    return tmp_path


def counts(state_dir: Path, known_us: int | None) -> dict[str, int]:
    with snapshot(state_dir, CLOCK, known_us) as connection:
        assert looks_back(connection) is (known_us is not None)
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ROWS}


def test_what_was_recorded_later_is_out_of_sight(stocked: Path) -> None:
    dated = set(ROWS) - NOT_DATED
    assert set(counts(stocked, None).values()) == {1}
    for at_us, number in ((99, 0), (100, 1)):
        found = counts(stocked, at_us)
        assert {table: found[table] for table in dated} == dict.fromkeys(dated, number)
        assert found["duty_index"] == 0, "the index is of now"


@pytest.mark.parametrize("table", ["accounts", "account_changes", "plans", "visits", "visit_tasks", "open_duties"])
def test_a_table_without_a_past_is_not_mixed_into_an_answer(stocked: Path, table: str) -> None:
    """A statement that reads it fails, so that no command gets half of an answer from now."""
    with (
        snapshot(stocked, CLOCK, 100) as connection,
        pytest.raises(sqlite3.DatabaseError, match="prohibited"),
    ):
        connection.execute(f"SELECT * FROM {table}")


def test_it_cannot_be_written(stocked: Path) -> None:
    with (
        snapshot(stocked, CLOCK, 100) as connection,
        pytest.raises(sqlite3.OperationalError, match=r"readonly|modify"),
    ):
        connection.execute("DELETE FROM duty_index")


def test_every_table_has_a_past_or_is_named_as_one_without(stocked: Path) -> None:
    """A new table must be entered in ``known.py``, or here with those that keep only what holds now."""
    without = {
        "accounts", "account_changes", "plans", "visits", "visit_tasks", "open_duties", "loose_events",
        "migrations", "closed_months", "closed_inputs", "closed_files",
    }  # fmt: skip
    with snapshot(stocked, CLOCK) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {name for name in tables if not name.startswith("sqlite_")} == set(ROWS) | without


def test_no_statement_about_calls_reads_those_of_all_years(stocked: Path) -> None:
    with snapshot(stocked, CLOCK, 100) as connection:
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM calls WHERE id IN (1, 2)").fetchall()
    steps = [step for *_, step in plan]
    assert not [step for step in steps if step.startswith("SCAN main.call_records")], steps
    assert any("call_records_call (call=?)" in step for step in steps)
