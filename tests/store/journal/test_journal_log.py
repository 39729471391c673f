"""The journal's write-ahead log is checkpointed between commits, without waiting for readers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import Scribe, journal, report
from vetlla.domain.errors import StoreError
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def wal_frames(scribe: Scribe) -> tuple[int, int]:
    """Return how many pages the log holds, and how many of them are already in the database."""
    _, frames, moved = scribe.journal._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return frames, moved


def test_nothing_is_checkpointed_during_a_commit(tmp_path: Path) -> None:
    """The log is moved into the database after the acknowledgements, and only once it is larger than its bound."""
    with journal(tmp_path) as scribe:
        before = (tmp_path / JOURNAL).stat().st_size
        while (tmp_path / f"{JOURNAL}-wal").stat().st_size <= scribe.journal._checkpoint_pages * 4096:
            scribe.journal.checkpoint()
            scribe.commit(*(report(number, raw=bytes(2000)) for number in range(200)))
            assert (tmp_path / JOURNAL).stat().st_size == before
        scribe.journal.checkpoint()
        assert (tmp_path / JOURNAL).stat().st_size > before


def test_a_checkpoint_does_not_wait_for_readers(tmp_path: Path) -> None:
    """A long read keeps the log from starting over. The writer goes on, and the reader sees the same data as before."""
    with (
        journal(tmp_path) as scribe,
        closing(sqlite3.connect(f"file:{tmp_path / JOURNAL}?mode=ro", uri=True, isolation_level=None)) as reader,
    ):
        scribe.commit(report(1))
        reader.execute("BEGIN")
        seen = reader.execute("SELECT count(*) FROM signals").fetchone()
        scribe.journal._checkpoint_pages = 0
        for number in range(2, 20):
            scribe.commit(report(number))
            scribe.journal.checkpoint()
        frames, moved = wal_frames(scribe)
        assert moved < frames
        assert reader.execute("SELECT count(*) FROM signals").fetchone() == seen == (1,)
        reader.execute("COMMIT")
        frames, moved = wal_frames(scribe)
        assert moved == frames


def _without_directory(scribe: Scribe) -> None:
    scribe.journal.path = scribe.journal.path.parent / "gone" / JOURNAL


def _closed(scribe: Scribe) -> None:
    scribe.journal._checkpoint_pages = 0
    scribe.journal._connection.close()


@pytest.mark.parametrize("spoil", [_without_directory, _closed])
def test_a_checkpoint_that_fails_is_reported(tmp_path: Path, spoil: Callable[[Scribe], None]) -> None:
    """The receiver treats a failed checkpoint like a failed commit."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        spoil(scribe)
        with pytest.raises(StoreError, match="checkpoint failed"):
            scribe.journal.checkpoint()
