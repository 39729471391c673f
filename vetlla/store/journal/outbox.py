"""The journal as the outbox of sinks: reads the signals above a number, in order, without waiting for the writer.

Signals are never changed but for what a removal empties, and their numbers rise. So a position is all that a sink has
to keep, and the way of a frame has no row for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.domain.onward import Backlog, Onward
from vetlla.domain.signals import Flag, Priority
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.rows import SIGNAL_COLUMNS
from vetlla.store.journal.stored import signal_from

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vetlla.store.journal.rows import SqlValue

# The raw bytes are not read, because no sink sends them and they can fill pages of their own.
_COLUMNS = ", ".join(name for name in SIGNAL_COLUMNS if name not in {"raw", "identity"})
_AFTER = f"""
SELECT {_COLUMNS}, x'' AS raw, x'' AS identity FROM signals WHERE id > ? AND id <= ? ORDER BY id LIMIT ?
"""  # noqa: S608 - constant names
_BACKLOG = """
SELECT count(*) AS count, (SELECT received_us FROM signals WHERE id > ? AND id <= ? ORDER BY id LIMIT 1) AS oldest_us
FROM signals WHERE id > ? AND id <= ?
"""
_FIRST = "SELECT min(id) AS id FROM signals WHERE id BETWEEN ? AND ? AND received_us >= ?"
_LAST = "SELECT max(id) AS id FROM signals WHERE id BETWEEN ? AND ? AND received_us < ?"


class JournalOutbox:
    """Reads the signals that sinks send (``ports.OutboxReader``). It opens the journal at its first read."""

    def __init__(self, directory: Path, written: Callable[[], os.stat_result]) -> None:
        """Take the state directory, and a function that returns the file that the receiver writes."""
        self._directory = directory
        self._written = written
        self._archive: Archive | None = None

    def after(self, position: int, upto: int, limit: int) -> list[Onward]:
        """Return the first ``limit`` signals above a number, up to another one, in order."""
        return [_onward(row) for row in self._read(_AFTER, (position, upto, limit))]

    def backlog(self, position: int, upto: int) -> Backlog:
        """Return how many signals are above a number, up to another one, and when the first was received."""
        (row,) = self._read(_BACKLOG, (position, upto, position, upto))
        return Backlog(row["count"], row["oldest_us"])

    def numbers(self, since_us: int | None, until_us: int | None) -> tuple[int, int]:
        """Return the numbers of the first and the last signal received in a time; the first is greater if none was."""
        archive = self._open()
        first, last = history.span(archive, history.signals(since_us=since_us, until_us=until_us))
        nothing = (last + 1, last)
        if since_us is not None:
            (row,) = archive.read(_FIRST, (first, last, since_us))
            if row["id"] is None:
                return nothing
            first = row["id"]
        if until_us is not None:
            (row,) = archive.read(_LAST, (first, last, until_us))
            if row["id"] is None:
                return nothing
            last = row["id"]
        return first, last

    def close(self) -> None:
        """Close the journal's file."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def _read(self, sql: str, values: Sequence[SqlValue]) -> list[sqlite3.Row]:
        """Return rows of the file that the receiver writes. Another file with its name may lack signals."""
        archive = self._open()
        rows = archive.read(sql, values)
        if not os.path.samestat(archive.path.stat(), self._written()):
            raise StoreError(
                f"{archive.path}: is not the file that the receiver writes",
                remedy="vetlla status says what the receiver does about it",
            )
        return rows

    def _open(self) -> Archive:
        if self._archive is None:
            self._archive = Archive(self._directory)
        return self._archive


def _onward(row: sqlite3.Row) -> Onward:
    return Onward(
        number=row["id"],
        received_us=row["received_us"],
        signal=signal_from(row),
        home=row["home"],
        priority=Priority(row["priority"]),
        flags=Flag(row["flags"]),
        alarm=row["alarm_id"],
        listener=row["listener"],
    )
