"""Recorded faults and corrective actions in a real registry: what is read back, and that nothing is rewritten."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock
from vetlla.domain.sanctions import ActionEvent, RecordedFault
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.store.sanctions import actions, faults
from vetlla.store.sqlite.migrate import apply, migrations

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()
NOW = CLOCK.now().utc_us
FAULT = RecordedFault(0, "20.2.d", NOW, "H1", "control 4", "E1", 35_000, "anna", 0, NOW)
ACTION = ActionEvent(0, 0, "planned", "ANS 5", "line", "Q1", date(2026, 12, 31), NOW, "E2", "anna", NOW)


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    with transaction(tmp_path, CLOCK) as connection:
        first = faults.add(connection, FAULT, "test")
        second = faults.add(connection, FAULT._replace(cents=None, withdraws=first.id), "test")
        planned = actions.add(connection, ACTION, "test")
        done = actions.add(connection, ACTION._replace(action=planned.id, event="done", due=None), "test")
    with snapshot(tmp_path, CLOCK) as connection:
        assert faults.all_records(connection) == [first, second] == [FAULT._replace(id=1), second]
        assert actions.all_events(connection) == [planned, done] == [ACTION._replace(id=1), done]


@pytest.mark.parametrize("table", ["recorded_faults", "action_events"])
def test_a_row_is_never_changed(tmp_path: Path, table: str) -> None:
    with transaction(tmp_path, CLOCK) as connection:
        faults.add(connection, FAULT, "test")
        actions.add(connection, ACTION, "test")
        for sql in (f"UPDATE {table} SET ref = ''", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(sql)


def test_an_action_has_no_other_events(tmp_path: Path) -> None:
    with transaction(tmp_path, CLOCK) as connection, pytest.raises(sqlite3.IntegrityError):
        actions.add(connection, ACTION._replace(event="forgotten"), "test")


def test_what_was_recorded_later_is_out_of_sight(tmp_path: Path) -> None:
    with transaction(tmp_path, CLOCK) as connection:
        faults.add(connection, FAULT, "test")
        actions.add(connection, ACTION, "test")
    for known, number in ((NOW - 1, 0), (NOW, 1)):
        with snapshot(tmp_path, CLOCK, known) as connection:
            assert len(faults.all_records(connection)) == len(actions.all_events(connection)) == number


def test_a_registry_of_the_schema_before_gets_the_tables_and_keeps_its_rows() -> None:
    steps = migrations("registry")
    place = next(at for at, step in enumerate(steps) if step.name.endswith("corrective_actions"))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    apply(connection, steps[:place], CLOCK)
    connection.execute("INSERT INTO unit_events VALUES (1, 'U1', 'added', '', '', 5, '', '', '', 5)")
    apply(connection, steps[place:], CLOCK)
    faults.add(connection, FAULT, "test")
    assert connection.execute("SELECT unit FROM unit_events").fetchall() == [("U1",)]
    assert len(faults.all_records(connection)) == 1
