"""Checks whether the files that a writer has open still have their names.

A program that has a file open can use it even after the file is deleted or replaced. Without this check a receiver
would go on acknowledging reports into a file that vanishes when its process ends.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

from vetlla.domain.clock import to_datetime
from vetlla.domain.inodes import identity
from vetlla.store.sqlite.ownership import create, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.clock import Clock

KEPT = ".kept-"
"""Middle of a rescued copy's name, between the name of the database and the time of the rescue."""
PAGES_AT_ONCE = 4_096
"""Pages copied in one step: 16 MiB. Between two steps other threads may use the connection."""


HEADER = 100
"""Bytes of a database's header (SQLite, file format, 1.3): a shorter file is none."""


def has_log_alone(path: Path) -> bool:
    """Return True if a database is missing or empty, but its log is not. SQLite would delete the log on opening it.

    Raises OSError.
    """
    log = path.with_name(f"{path.name}-wal")
    return _size(path) < HEADER and _size(log) > 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class Places:
    """The files that were opened, under their names."""

    def __init__(self, *paths: Path, growing: Path | None = None) -> None:
        """Take the open files; ``growing`` is the one among them that never gets shorter."""
        self._known = {path: identity(path) for path in paths}
        self._growing = growing
        self._least = _size(growing) if growing else 0

    def lost(self) -> dict[Path, str]:
        """Return the names whose file was deleted, replaced or cut, each with what happened. Raises OSError."""
        now = {path: identity(path) for path in self._known}
        lost = {
            path: "was deleted" if now[path] is None else "was replaced"
            for path, before in self._known.items()
            if now[path] != before
        }
        if self.is_cut and self._growing is not None and self._growing not in lost:
            lost[self._growing] = "was cut off"
        return lost

    @property
    def is_cut(self) -> bool:
        """Whether the file that never gets shorter is shorter than it was. Raises OSError."""
        if self._growing is None:
            return False
        size = _size(self._growing)
        if size >= self._least:
            self._least = size
            return False
        return True


class Rescue:
    """Copies a database that lost its name into a file beside it, in a thread, so that the writer can go on."""

    def __init__(self, connection: sqlite3.Connection, path: Path, clock: Clock) -> None:
        self.target = path.with_name(f"{path.name}{KEPT}{to_datetime(clock.now().utc_us):%Y%m%dT%H%M%SZ}")
        self.failure = ""
        """Why the copy failed; empty if it did not."""
        self._connection = connection
        self._thread = threading.Thread(target=self._run, name="journal-rescue", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Return True until the copy is complete or has failed."""
        return self._thread.is_alive()

    def wait(self) -> None:
        """Block until the copy is complete or has failed."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._copy()
        except (sqlite3.Error, OSError) as error:
            self.failure = str(error)

    def _copy(self) -> None:
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        if pages * size > shutil.disk_usage(self.target.parent).free:
            raise OSError(f"{self.target.parent} has no room for {pages * size >> 20} MiB")
        unfinished = self.target.with_name(f"{self.target.name}.unfinished")
        descriptor = create(unfinished, 0o640)
        try:
            with closing(sqlite3.connect(unfinished, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous = OFF")  # synced once, below
                self._connection.backup(copy, pages=PAGES_AT_ONCE, sleep=0)
            os.fsync(descriptor)
            unfinished.rename(self.target)
            sync_directory(self.target.parent)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
