"""Whether the files that a writer has open are still those that their names lead to.

A file that is deleted or replaced lives on for the program that has it open. A receiver that noticed nothing would go
on acknowledging reports into a file that ends with its process.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import to_datetime
from vetlla.store.sqlite.ownership import create, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.clock import Clock

KEPT = ".kept-"
"""The name of a rescued copy: the name of the database, this, and the time of the rescue."""
PAGES_AT_ONCE = 4_096
"""Pages that are copied in one step: 16 MiB, after which others may use the connection."""


class Identity(NamedTuple):
    """Which file it is, whatever its name."""

    device: int
    inode: int


def identity(path: Path) -> Identity | None:
    """Return which file a name leads to; None where there is none. Raises OSError."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return Identity(status.st_dev, status.st_ino)


class Places:
    """The files that were opened, under their names."""

    def __init__(self, *paths: Path) -> None:
        self._known = {path: identity(path) for path in paths}

    def lost(self) -> dict[Path, str]:
        """Return the names that lead elsewhere now, and what became of each. Raises OSError."""
        now = {path: identity(path) for path in self._known}
        return {
            path: "was deleted" if now[path] is None else "was replaced"
            for path, before in self._known.items()
            if now[path] != before
        }


class Rescue:
    """Copies a database whose name is gone into a file beside it. A thread does it: the writer must go on answering."""

    def __init__(self, connection: sqlite3.Connection, path: Path, clock: Clock) -> None:
        self.target = path.with_name(f"{path.name}{KEPT}{to_datetime(clock.now().utc_us):%Y%m%dT%H%M%SZ}")
        self.failure = ""
        """Why it came to nothing."""
        self._connection = connection
        self._thread = threading.Thread(target=self._run, name="journal-rescue", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Return True while the copy is not complete and has not failed."""
        return self._thread.is_alive()

    def wait(self) -> None:
        """Wait for its end. Blocks."""
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
