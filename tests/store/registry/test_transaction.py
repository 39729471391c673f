"""A change of the registry waits for another writer, and copies the registry only while that is small."""

from __future__ import annotations

import resource
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.rigs.permissions import reachable_directory, unprivileged
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.store.registry.registry import REGISTRY, stamp, writing
from vetlla.store.registry.transaction import COPIED_AT_MOST, roll_back, snapshot, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

CLOCK = ManualClock()


def add(connection: sqlite3.Connection, fingerprint: str) -> None:
    connection.execute("INSERT OR REPLACE INTO duty_index VALUES (1, ?)", (fingerprint,))


def fail(connection: sqlite3.Connection) -> None:
    add(connection, "third")
    raise ZeroDivisionError


def kept(state_dir: Path) -> str:
    with snapshot(state_dir, CLOCK) as connection:
        return str(connection.execute("SELECT fingerprint FROM duty_index").fetchone()[0])


def is_in_memory(connection: sqlite3.Connection) -> bool:
    return not connection.execute("PRAGMA database_list").fetchone()[2]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    with transaction(tmp_path, CLOCK) as connection:
        add(connection, "first")
    return tmp_path


def test_a_change_waits_for_the_writer_before_it(state: Path) -> None:
    held, asked = threading.Event(), threading.Event()

    def first() -> None:
        with writing(state, CLOCK) as connection:
            held.set()
            assert asked.wait(10)
            add(connection, "second")

    other = threading.Thread(target=first)
    other.start()
    assert held.wait(10)
    with pytest.raises(StoreError, match="is writing"), transaction(state, CLOCK, patience_s=0):
        pass
    asked.set()
    with transaction(state, CLOCK) as connection:
        assert connection.execute("SELECT fingerprint FROM duty_index").fetchone() == ("second",)
    other.join()


@pytest.mark.parametrize("most", [COPIED_AT_MOST, 0])
def test_a_dry_run_changes_neither_the_registry_nor_its_stamp(state: Path, most: int) -> None:
    before = stamp(state)
    with transaction(state, CLOCK, dry_run=True, copied_at_most=most) as connection:
        add(connection, "second")
        assert is_in_memory(connection) == bool(most)
    with pytest.raises(ZeroDivisionError), transaction(state, CLOCK, dry_run=True, copied_at_most=most) as connection:
        fail(connection)
    with transaction(state, CLOCK, dry_run=True, copied_at_most=most) as connection:
        roll_back(connection)
    assert (kept(state), stamp(state)) == ("first", before)


@pytest.mark.parametrize("most", [COPIED_AT_MOST, 0])
def test_a_large_change_copies_a_small_registry_only(state: Path, most: int) -> None:
    with transaction(state, CLOCK, large=True, copied_at_most=most) as connection:
        add(connection, "second")
        assert is_in_memory(connection) == bool(most)
    assert kept(state) == "second"
    with pytest.raises(ZeroDivisionError), transaction(state, CLOCK, large=True, copied_at_most=most) as connection:
        fail(connection)
    assert kept(state) == "second"


def test_a_user_who_may_not_write_tries_a_change_on_a_copy() -> None:
    with reachable_directory() as state:
        with transaction(state, CLOCK) as connection:
            add(connection, "first")
        (state / REGISTRY).chmod(0o444)
        state.chmod(0o555)
        with unprivileged(), transaction(state, CLOCK, dry_run=True, copied_at_most=0) as connection:
            add(connection, "second")
            assert is_in_memory(connection)
        assert kept(state) == "first"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let every write beyond this size of a file fail, as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_large_change_without_room_leaves_nothing_on_the_disk(state: Path) -> None:
    """What was written of the copy would keep the disk full for the next change, and for the journal."""
    before = {file.name for file in state.iterdir()}
    with (
        files_of_at_most(1 << 16),
        pytest.raises(StoreError, match="make room"),
        transaction(state, CLOCK, large=True) as connection,
    ):
        add(connection, "second")
    assert ({file.name for file in state.iterdir()}, kept(state)) == (before, "first")


@pytest.mark.parametrize("large", [True, False])
def test_the_next_writer_removes_what_a_killed_one_left(state: Path, *, large: bool) -> None:
    """A dry run writes nothing, so it removes nothing; the next change does, even if it changes nothing."""
    left = state / f"{REGISTRY}.new"
    left.write_bytes(bytes(4096))
    with transaction(state, CLOCK, dry_run=True):
        pass
    assert left.exists()
    with transaction(state, CLOCK, large=large):
        pass
    assert (left.exists(), kept(state)) == (False, "first")
