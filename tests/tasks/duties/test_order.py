"""Imports of keys and emergencies: what contradicts is put aside, whatever the order of rows and files is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.homes_on_record import RULES, book, recorded, register_homes, told
from vetlla.domain.clock import ManualClock, to_datetime
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import COLUMNS
from vetlla.store.duties import events as store
from vetlla.tasks.custody import register
from vetlla.tasks.duties import book as duties
from vetlla.tasks.duties.imports import ImportedEvents, import_events
from vetlla.tasks.duties.order import of_duty

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Sequence

NOW = recorded("2026-12-01T00:00")
Row = tuple[str, str, str, str, str]
KEYS: list[Row] = [
    ("key", "H1", "ceded", "10:00", "K1"),
    ("key", "H1", "taken", "11:00", "K1"),
    ("key", "H1", "brought_back", "12:00", "K1"),
    ("key", "H2", "ceded", "10:00", "K2"),
    ("key", "H2", "returned", "11:00", "K2"),
]
WRONG_KEYS: list[Row] = [
    ("key", "H1", "taken", "11:30", "K1"),  # T1 has it
    ("key", "H3", "ceded", "10:30", "K1"),  # it opens H1
    ("key", "H3", "taken", "11:00", "K1"),  # so it was never received
    ("key", "H2", "taken", "09:00", "K2"),
    ("key", "H2", "destroyed", "13:00", "K2"),
    ("key", "H2", "ceded", "14:00", ""),
]
EMERGENCY: list[Row] = [
    ("umo_1", "H1", "communicated", "10:00", "U1"),
    ("umo_1", "H1", "sent", "10:05", "U1"),
    ("umo_1", "H1", "no_access", "10:20", "U1"),
    ("umo_1", "H1", "sent", "10:25", "U1"),
    ("umo_1", "H1", "access", "10:40", "U1"),
    ("umo_1", "H1", "finished", "11:00", "U1"),
    ("umo_2", "H2", "communicated", "10:00", "U2"),
    ("umo_2", "H2", "sent", "10:05", "U2"),
]
WRONG_EMERGENCY: list[Row] = [
    ("umo_2", "H2", "cancelled", "10:01", "U2"),
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a registry with three homes; each test has its own copy."""
    return (register_homes(tmp_path_factory.mktemp("homes")) / "registry.db").read_bytes()


def take(state: Path, rows: Sequence[tuple[int, Row]], **options: Any) -> ImportedEvents:  # noqa: ANN401 - passed on
    """Import numbered rows as a file has them."""
    numbered: Any = [
        (
            number,
            dict.fromkeys(COLUMNS)
            | {"kind": kind, "subject": home, "event": event, "at": f"2026-11-02T{at}:00Z", "ref": ref, "by": "T1"},
        )
        for number, (kind, home, event, at, ref) in rows
    ]
    return import_events(state, ManualClock(to_datetime(NOW.now_us)), RULES, numbered, "file.csv", **options)


def on_record(state: Path) -> list[tuple[str, ...]]:
    """Return every event, and check that none contradicts another one."""
    with book(state) as connection:
        for kind in ("key", "umo_1", "umo_2"):
            for home in store.subjects(connection, kind):
                assert not [
                    one for duty in duties.duties_of(connection, RULES, kind, home) for one in of_duty(RULES, duty)
                ]
        found = store.exported(connection, ["key", "umo_1", "umo_2"])
        return sorted((one.told.kind, one.told.subject, one.told.event, str(one.told.at_us)) for one in found)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_files_in_any_order_and_split_are_the_same(registry: bytes, chance: random.Random, files: int) -> None:
    """Emergencies may come in several files; each file of keys is whole, and may have its rows in any order."""
    rows = list(enumerate(EMERGENCY, start=2))
    chance.shuffle(rows)
    parts = [rows[place::files] for place in range(files)]
    keys = list(enumerate(KEYS, start=2))
    chance.shuffle(keys)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        (state / "registry.db").write_bytes(registry)
        for part in (*parts, keys, *parts):
            assert take(state, part).faults == []
        assert len(on_record(state)) == len(KEYS) + len(EMERGENCY)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_contradicts_is_put_aside_in_any_order(registry: bytes, chance: random.Random) -> None:
    every = [*KEYS, *EMERGENCY, *WRONG_KEYS, *WRONG_EMERGENCY]
    wrong = {every.index(row) for row in (*WRONG_KEYS, *WRONG_EMERGENCY)}
    rows = list(enumerate(every))
    chance.shuffle(rows)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        (state / "registry.db").write_bytes(registry)
        assert take(state, rows).new == 0
        for new in (len(every) - len(wrong), 0):
            done = take(state, rows, keep_good_rows=True)
            assert ({fault.row for fault in done.faults}, done.new) == (wrong, new)
        on_record(state)


def test_a_row_that_makes_a_recorded_event_impossible_is_put_aside(registry: bytes, tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(registry)
    assert take(tmp_path, list(enumerate([*KEYS, *EMERGENCY]))).faults == []
    late: list[Row] = [("umo_1", "H1", "arrived", "12:00", "U1"), ("key", "H1", "destroyed", "11:30", "K1")]
    done = take(tmp_path, list(enumerate(late)), keep_good_rows=True)
    assert [fault.reason for fault in done.faults] == [
        "U1: then access of event 10 at 2026-11-02 11:40:00 CET would not be possible",
        "K1: then brought_back of event 3 at 2026-11-02 13:00:00 CET would not be possible",
    ]


def test_an_event_by_hand_is_refused_by_the_same_rules(registry: bytes, tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(registry)
    with book(tmp_path) as connection:
        one = duties.open_duty(connection, RULES, told("key", "H1", "", "2026-11-01T10:00", ref="K1"), NOW)
        for event, hour in (("brought_back", 11), ("used", 12), ("found", 13)):
            with pytest.raises(UsageError, match="is not possible, because K1 is in its place"):
                record(connection, one.duty.id, event, hour)
        record(connection, one.duty.id, "destroyed", 15)
        with pytest.raises(UsageError, match="was destroyed"):
            record(connection, one.duty.id, "taken", 16)
        with pytest.raises(UsageError, match=r"destroyed of event \d+, which came later"):
            record(connection, one.duty.id, "lost", 14)
        with pytest.raises(UsageError, match="H1 had a key K1 before"):
            duties.open_duty(connection, RULES, told("key", "H1", "", "2026-11-02T10:00", ref="K1"), NOW)
        assert not register.key_named(connection, RULES, "K1").impossible


def record(connection: sqlite3.Connection, number: int, event: str, hour: int) -> None:
    """Record an event by hand."""
    duties.record(connection, RULES, number, told("", "", event, f"2026-11-01T{hour}:00"), NOW)
