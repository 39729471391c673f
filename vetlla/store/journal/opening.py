"""Opens the journal: the lock that keeps a second receiver out, and the connections that write or only read.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL file when two connections write or checkpoint at the same moment. So there is
one writing connection, and a lock file that only one process can hold.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError
from vetlla.store.journal import audit
from vetlla.store.sqlite.in_place import KEPT, Places, has_log_alone
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.store.sqlite.migrate import migrate, migrations, version
from vetlla.store.sqlite.ownership import create, refuse_foreign

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from vetlla.domain.clock import Clock

JOURNAL = "journal.db"
LOCK = "journal.lock"
UNFINISHED_RESTORE = "restore.unfinished"
"""This file exists while ``db restore`` exchanges the files, which are then neither the old nor the new journal."""
PATIENCE_MS = 5_000
"""How long a starting receiver waits for a reader that recovers the log of a receiver that was killed."""
WAL_KEPT = 64 << 20
"""Bytes to which the write-ahead log shrinks again after a reader, such as a backup, let it grow larger."""

_STATEMENTS_KEPT = 256
"""Prepared statements that the connection keeps: those of ``writing.py``, in the sizes that a busy receiver uses."""
OPENING_REMEDY = "check permissions and free space of the state directory; `vetlla db verify` checks the file"
_PASSING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""SQLite's codes for a disk that is full or fails, and for files that another process holds. Such errors may pass."""


class Opened(NamedTuple):
    """A connection that writes, with the end of its audit chain and the files that it has open."""

    connection: sqlite3.Connection
    head: audit.Head
    file: os.stat_result
    places: Places


def open_to_write(path: Path, clock: Clock) -> Opened:
    """Return a connection that writes ``synchronous=FULL`` with this program's schema, and with an empty log.

    The database is created if it does not exist. Raises StoreError.
    """
    try:
        refuse_foreign(path)
        if not path.exists():
            os.close(create(path, 0o640))
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT
        )
        try:
            return _prepared(connection, path, clock)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: cannot be opened: {error}", remedy=OPENING_REMEDY) from error


def _prepared(connection: sqlite3.Connection, path: Path, clock: Clock) -> Opened:
    """Prepare a connection for writing: pragmas, migrations, an empty log, the audit's head."""
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # In WAL mode NORMAL may lose the last commits in a power cut, and their reports have been acknowledged.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # checkpoint() does it after the acknowledgements are sent
    connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT}")
    migrate(connection, "journal", str(path), clock)
    # A crash may have left commits whose fsync had not returned. They must be on the disk before a repetition of
    # one of their reports is acknowledged as a duplicate.
    start_log_over(connection)
    head, file = audit.read_head(connection), path.stat()
    files = (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", LOCK)
    return Opened(connection, head, file, Places(*(path.with_name(name) for name in files), growing=path))


def open_to_read(path: Path) -> tuple[sqlite3.Connection, audit.Head] | None:
    """Return a connection that needs no room on the disk; None if it cannot read this program's schema.

    SQLite makes the log's index in memory, which it allows only for a connection that locks out all others.
    """
    try:
        log = path.with_name(JOURNAL + "-wal").exists()
        way = "?mode=rw" if log else "?mode=ro&immutable=1"
        uri = path.absolute().as_uri() + way
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError):
        return None
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        known = migrations("journal")[-1].number
        if version(connection) == known:
            return connection, audit.read_head(connection)
    except sqlite3.Error:
        pass
    connection.close()
    return None


def start_log_over(connection: sqlite3.Connection) -> bool:
    """Move the log into the database and empty it; return True if all of it was moved."""
    # A reader such as a backup keeps the log from being emptied, and the receiver must not wait for it.
    connection.execute("PRAGMA busy_timeout = 0")
    ((_, logged, moved),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    return bool(logged == moved)


def may_pass(error: sqlite3.Error) -> bool:
    """Return True if the disk is full or fails, or another process holds the files. Such an error may pass."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _PASSING  # the low byte: primary code


def keep_out_receivers(directory: Path) -> AbstractContextManager[None]:
    """Hold the journal's lock, so that no receiver can start. Raises StoreError if one is running."""
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{directory}: cannot be made: {error.strerror}",
            remedy="create the state directory, owned by the user that runs the receiver",
        ) from error
    return exclusive(
        directory / LOCK, remedy="a receiver uses this state directory: stop it, or name another --state-dir"
    )


def refuse_unfinished(directory: Path) -> None:
    """Raise StoreError while a restore is half done."""
    if (directory / UNFINISHED_RESTORE).exists():
        raise StoreError(
            f"{directory}: a restore was interrupted half way", remedy="run the same `vetlla db restore` again"
        )


def refuse_to_replace(directory: Path) -> None:
    """Raise StoreError if a new journal would replace one that is missing.

    SQLite deletes the log of a missing database, and that log holds acknowledged reports.
    """
    path = directory / JOURNAL
    if has_log_alone(path):
        raise StoreError(
            f"{path}: is {'empty' if path.exists() else 'gone'}, but its log holds the last acknowledged reports",
            remedy="put the journal back beside its log; or restore a backup, which keeps the log: vetlla db restore",
        )
    if path.exists():
        return
    if kept := sorted(one for one in directory.glob(f"{JOURNAL}{KEPT}*") if one.suffix != ".unfinished"):
        raise StoreError(f"{path}: is gone, and a copy of it is kept", remedy=f"mv {kept[-1]} {path}, then start")
