"""Units and emergencies in a real registry: append-only, and the few rows that the receiver reads."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.duties import NewEvent
from vetlla.domain.emergencies import EmergencyType, UnitEvent
from vetlla.store.dispatch import units
from vetlla.store.dispatch.emergencies import homes_of_alarm, homes_with_open
from vetlla.store.dispatch.waiting import RegistryEmergencies
from vetlla.store.duties import events, index
from vetlla.store.duties.index import OpenDuty
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.store.sqlite.migrate import apply, migrations

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()
NOW = CLOCK.now().utc_us


def test_an_event_of_a_unit_is_never_changed(tmp_path: Path) -> None:
    with transaction(tmp_path, CLOCK) as connection:
        units.add(connection, UnitEvent("UMO-01", "added", "NORD", "", NOW, "anna"), "test", NOW)
        units.add(connection, UnitEvent("UMO-01", "off", "", "", NOW + 1, "anna"), "test", NOW)
        for sql in ("UPDATE unit_events SET base = 'SUD'", "DELETE FROM unit_events"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(sql)
        with pytest.raises(sqlite3.IntegrityError):
            units.add(connection, UnitEvent("UMO-01", "lost", "", "", NOW, "anna"), "test", NOW)
    with snapshot(tmp_path, CLOCK) as connection:
        assert [event.event for event in units.all_events(connection)] == ["added", "off"]


def test_a_registry_of_the_previous_schema_gets_the_table(tmp_path: Path) -> None:
    """Its rows stay, and a reader does not wait for the migration."""
    path = tmp_path / "registry.db"
    with sqlite3.connect(path, isolation_level=None) as old:
        apply(old, [step for step in migrations("registry") if step.number < 10], CLOCK)
        events.add(old, NewEvent("umo_1", "H1", "communicated", NOW, details='{"alarm":"7"}'), "test", NOW)
    old.close()
    assert RegistryEmergencies(tmp_path, CLOCK).read() == []
    with transaction(tmp_path, CLOCK) as connection:
        assert units.all_events(connection) == []
        assert homes_of_alarm(connection, "7") == ["H1"]
        assert homes_of_alarm(connection, "77") == []


def opened(connection: sqlite3.Connection, home: str, ref: str, due_us: int | None, kind: str = "umo_1") -> int:
    number = events.add(connection, NewEvent(kind, home, "communicated", NOW, ref), "test", NOW)
    assert number
    index.add(connection, [OpenDuty(number, kind, home, due_us)])
    return number


def test_the_receiver_reads_those_that_wait_and_whether_a_unit_goes(tmp_path: Path) -> None:
    """The last of ``sent`` and ``recalled`` counts; an event that was taken back does not."""
    due = NOW + 35 * 60 * SECOND_US
    reader = RegistryEmergencies(tmp_path, CLOCK)
    assert (reader.stamp(), reader.read()) == (None, [])
    with transaction(tmp_path, CLOCK) as connection:
        opened(connection, "H1", "A1", due)
        sent = opened(connection, "H2", "A2", due)
        recalled = opened(connection, "H3", "A3", due)
        withdrawn = opened(connection, "H4", "A4", due, "umo_2")
        opened(connection, "H5", "A5", None)  # a unit has got in
        by_reference = opened(connection, "H6", "A6", due)
        told = [
            NewEvent("umo_1", "H2", "sent", NOW + 2, "A2", duty=sent),
            NewEvent("umo_1", "H3", "sent", NOW + 2, "A3", duty=recalled),
            NewEvent("umo_1", "H3", "recalled", NOW + 3, "A3", duty=recalled),
            NewEvent("umo_2", "H4", "sent", NOW + 2, "A4", duty=withdrawn),
            NewEvent("umo_1", "H6", "sent", NOW + 2, "A6"),
        ]
        numbers = [events.add(connection, event, "test", NOW) for event in told]
        taken = NewEvent("umo_2", "H4", "withdrawn", NOW + 4, f"#{numbers[3]}", withdraws=numbers[3] or 0)
        events.add(connection, taken, "test", NOW)
        assert by_reference
    found = reader.read()
    assert [one.has_unit for one in found] == [False, True, False, False, True]
    assert [one.type for one in found] == [EmergencyType.I] * 3 + [EmergencyType.II, EmergencyType.I]
    assert {one.due_us for one in found} == {due}
    assert [one.news_us - NOW for one in found] == [0, 2, 3, 2, 2]  # what was taken back was news, too
    assert reader.stamp() is not None
    with snapshot(tmp_path, CLOCK) as connection:
        assert sorted(homes_with_open(connection)) == [f"H{number}" for number in range(1, 7)]
