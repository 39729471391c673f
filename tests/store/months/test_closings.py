"""What the registry keeps of a closed month: its bounds, and what damage of a file looks like."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock
from vetlla.domain.closing import ClosedFile, ClosedInput, Closing, FileRole
from vetlla.domain.errors import UsageError
from vetlla.store.months import closings
from vetlla.store.registry.transaction import snapshot, transaction

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()


def made(*files: ClosedFile, version: int = 1) -> Closing:
    """Return a closing of October."""
    return Closing(
        month=date(2026, 10, 1), version=version, known_us=5, by="x", reason="", note="", program="1",
        inputs=(ClosedInput("homes", 3, "ab"),), files=files, before="", seal=f"seal {version}",
    )  # fmt: skip


def file(content: bytes, name: str = "a.txt") -> ClosedFile:
    """Return a document."""
    return ClosedFile.of(FileRole.DOCUMENT, name, "text/plain", content)


def test_a_closing_is_read_as_it_was_kept(tmp_path: Path) -> None:
    kept = made(file(b"one"), file(b"", "b.txt"))
    with transaction(tmp_path, CLOCK) as connection:
        closings.add(connection, kept)
    with snapshot(tmp_path, CLOCK) as connection:
        (found,) = closings.closings(connection)
        assert closings.files(connection, found) == kept.files
        assert (found.inputs, found.seal, found.label) == (kept.inputs, "seal 1", "2026-10")
        assert closings.closings(connection, date(2026, 9, 1)) == []
        assert closings.last_seal(connection) == "seal 1"


def test_a_version_follows_the_one_before(tmp_path: Path) -> None:
    with transaction(tmp_path, CLOCK) as connection, pytest.raises(sqlite3.IntegrityError, match="follows"):
        closings.add(connection, made(version=2))


def test_files_that_are_too_large_are_refused(tmp_path: Path) -> None:
    closings.refuse_large("a", 3, 3)
    with pytest.raises(UsageError, match="at most 3"):
        closings.refuse_large("a", 4, 3)
    with transaction(tmp_path, CLOCK) as connection, pytest.raises(UsageError, match="after compression"):
        closings.add(connection, made(file(b"abc")), 3)


@pytest.mark.parametrize("content", [b"", b"\x00", b"x\x9c", b"another"])
def test_a_damaged_file_is_read_and_is_not_intact(tmp_path: Path, content: bytes) -> None:
    with transaction(tmp_path, CLOCK) as connection:
        closings.add(connection, made(file(b"one")))
        connection.execute("DROP TRIGGER closed_files_stay")
        connection.execute("UPDATE closed_files SET content = ?", (content,))
    with snapshot(tmp_path, CLOCK) as connection:
        (one,) = closings.files(connection, closings.closings(connection)[0])
        assert not one.is_intact


@pytest.mark.parametrize("table", ["recordings", "unit_events", "movements", "call_imports"])
def test_a_fact_that_claims_to_be_older_than_a_close_is_refused(tmp_path: Path, table: str) -> None:
    rows = {
        "recordings": "(1, {at}, 'x', 'y')",
        "unit_events": "(1, 'U1', 'added', '', '', 5, '', '', '', {at})",
        "movements": "(1, 1, '2026-01-01', 'entry', 'warehouse', '', 'municipal', NULL, '', {at})",
        "call_imports": "(1, {at}, '', '', '')",
    }
    with transaction(tmp_path, CLOCK) as connection:
        connection.execute("INSERT INTO devices VALUES (1, 'ucr', 'U1', '', '', '', NULL, NULL, NULL, NULL, NULL)")
        closings.add(connection, made())
    with transaction(tmp_path, CLOCK) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="closed meanwhile"):
            connection.execute(f"INSERT INTO {table} VALUES {rows[table].format(at=5)}")
        connection.execute(f"INSERT INTO {table} VALUES {rows[table].format(at=6)}")
