"""Opens ``reminders.db``.

The daemon and the commands write it side by side, and each transaction is short. The journal mode is not WAL, because
SQLite 3.7.0 to 3.51.2 can corrupt a WAL file when two connections write or checkpoint at the same moment. TRUNCATE with
``synchronous = FULL`` syncs the emptied rollback journal, so a power cut undoes no commit. PERSIST would be faster, but
its journal keeps old pages, and with them telephone numbers that were erased.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import StoreError
from vetlla.store.journal.opening import refuse_unfinished
from vetlla.store.sqlite.faults import disk_errors, sqlite_errors
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.store.sqlite.migrate import migrate, migrations, refuse_newer, version
from vetlla.store.sqlite.ownership import create, refuse_foreign, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from vetlla.domain.clock import Clock

REMINDERS: Final = "reminders.db"
LOCK: Final = "reminders.lock"
PATIENCE_S: Final = 10.0
"""How long a step waits for the transaction of another process; a poll of 100,000 appointments takes a few seconds."""
CACHE_KIB: Final = 64 << 10
"""Memory for pages: an import of 100,000 appointments touches all indexes in a random order."""


@contextmanager
def opened(state_dir: Path, clock: Clock) -> Iterator[sqlite3.Connection]:
    """Yield the database with this program's schema; use ``with atomic(connection):`` for each step.

    It is created if it does not exist. Raises StoreError if the disk or SQLite fails, or if a restore is half done.
    """
    path = state_dir / REMINDERS
    with disk_errors(state_dir):
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        refuse_unfinished(state_dir)
        refuse_foreign(path)
        if not path.exists():
            _create(path)
    with sqlite_errors(path), closing(_connect(path)) as connection:
        migrate(connection, "reminders", str(path), clock)
        yield connection


@contextmanager
def rehearsed(state_dir: Path, clock: Clock) -> Iterator[sqlite3.Connection]:
    """Yield a copy in memory, of which nothing is kept; an empty database if there is none. Raises StoreError."""
    path = state_dir / REMINDERS
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.row_factory = sqlite3.Row
        with disk_errors(state_dir):
            exists = path.exists()
        if exists:
            with reading(state_dir) as original:
                original.backup(copy)
        with sqlite_errors(path):
            migrate(copy, "reminders", str(path), clock)
            yield copy


@contextmanager
def reading(state_dir: Path) -> Iterator[sqlite3.Connection]:
    """Yield the database for reading, also one with an older schema. Raises StoreError.

    The connection refuses to write. It is not opened as read-only, because the first reader after a power cut in the
    middle of a commit has to roll that commit back.
    """
    path = state_dir / REMINDERS
    with disk_errors(state_dir):
        refuse_foreign(path)
        path.stat()
    with sqlite_errors(path), closing(_connect(path)) as connection:
        connection.execute("PRAGMA query_only = ON")
        refuse_newer(connection, "reminders", str(path))
        yield connection


@contextmanager
def reading_present(state_dir: Path) -> Iterator[sqlite3.Connection]:
    """Yield the database for reading, with this program's schema. Raises StoreError if its schema is older."""
    with reading(state_dir) as connection:
        if version(connection) < migrations("reminders")[-1].number:
            raise StoreError(
                f"{state_dir / REMINDERS}: its schema is older than this program's",
                remedy="start the reminder service once, or run vetlla reminders list: that migrates it",
            )
        yield connection


def keep_out_services(state_dir: Path) -> AbstractContextManager[None]:
    """Hold the lock of the reminder service, so that no second one can start. Raises StoreError if one is running."""
    with disk_errors(state_dir):
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    return exclusive(
        state_dir / LOCK, remedy="a reminder service uses this state directory: stop it, or name another --state-dir"
    )


def _create(path: Path) -> None:
    try:
        os.close(create(path, 0o640))
    except FileExistsError:  # another process was faster
        return
    sync_directory(path.parent)


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw never makes a file
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE_S, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA secure_delete = ON")  # an erased telephone number leaves no trace in free pages
    return connection
