"""``registry.db``: accounts, homes, devices and other data that people register. Commands write it, the daemon reads.

A lock file admits one writer at a time. The journal mode is DELETE and not WAL, because no alarm waits for a commit
here, and DELETE has three advantages. A reader needs read permission on one file only; in WAL it must also write the
shared-memory index. A closed registry is one file that can be copied. And SQLite 3.7.0 to 3.51.2 can corrupt a WAL file
when two connections write or checkpoint at the same moment, as the last reader to close does. The price is that commits
and readers wait for each other. Both are short: the daemon reads the accounts into memory in one query, and a writer
writes no page (``cache_spill``) before the commit.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError
from vetlla.store.sqlite.faults import disk_errors, sqlite_errors
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.store.sqlite.migrate import migrate, migrations, refuse_newer, version
from vetlla.store.sqlite.ownership import create, refuse_foreign, sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.domain.clock import Clock

REGISTRY = "registry.db"
LOCK = "registry.lock"
PATIENCE_S = 10.0
"""How long a reader waits for a commit, a commit for readers, and a change for another process that writes. Changes by
hand take milliseconds, and a large import commits within a second or two. The planning of a month or an import may keep
others out for longer; then the error names its process."""

STILL_NS = 1_000_000_000
"""A process that holds the registry but has written nothing for this time counts as hanging. The kernel's file stamps
are exact to some milliseconds."""


class Stamp(NamedTuple):
    """The registry's state, read without opening it. The stamp changes whenever the content changes."""

    inode: int
    changed_ns: int
    size: int


def stamp(state_dir: Path) -> Stamp | None:
    """Return the registry's stamp; None while there is no registry. Costs one stat()."""
    with disk_errors(state_dir):
        return _content_of(state_dir / REGISTRY)


def must_exist(state_dir: Path) -> None:
    """Raise StoreError if there is no registry: a check must not take a lost file for one in which all is well."""
    path = state_dir / REGISTRY
    with disk_errors(state_dir):
        if not _is_there(path):
            raise StoreError(
                f"{path}: there is no registry", remedy="if it was lost: vetlla db restore; a first import makes one"
            )


@contextmanager
def writing(
    state_dir: Path, clock: Clock, *, check: Callable[[], None] | None = None, patience_s: float = 0.0
) -> Iterator[sqlite3.Connection]:
    """Open the registry for one writer, with this program's schema; use ``with atomic(connection):`` inside.

    It is created if it does not exist. ``check`` is called while no other process writes, and before this one creates
    or migrates the registry; it may raise an error of its own. Raises StoreError if another process writes, and still
    does after ``patience_s``, and if the disk or SQLite fails.
    """
    path = state_dir / REGISTRY
    with disk_errors(state_dir):
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    with exclusive(state_dir / LOCK, patience_s=patience_s):
        if check:
            check()
        with disk_errors(state_dir):
            if not _is_there(path):
                os.close(create(path, 0o640))
                sync_directory(state_dir)
        with sqlite_errors(path), closing(_connect(path, PATIENCE_S)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            # EXTRA syncs the directory after the rollback journal is deleted. Otherwise a power cut could bring it
            # back and undo a change that was reported as done.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA cache_spill = OFF")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection, "registry", str(path), clock)
            yield connection
        with disk_errors(state_dir):
            _touch(path)


@contextmanager
def reading(state_dir: Path, clock: Clock, *, patience_s: float = PATIENCE_S) -> Iterator[sqlite3.Connection]:
    """Open the registry for reading; it is empty if there is no registry yet. Raises StoreError.

    An older schema is brought up to date in memory, so that a reader need not write or wait for a migration. The
    connection refuses to write. It is not opened as read-only, because the first reader after a power cut in the middle
    of a commit has to roll that commit back.
    """
    path = state_dir / REGISTRY
    with sqlite_errors(path), closing(_open_to_read(path, clock, patience_s)) as connection:
        yield connection


def _open_to_read(path: Path, clock: Clock, patience_s: float) -> sqlite3.Connection:
    with disk_errors(path.parent):
        path.parent.stat()  # a missing registry is allowed; a missing state directory is a mistake
        is_there = _is_there(path)
    if not is_there:
        return _in_memory(clock)
    try:
        return _up_to_date(_connect(path, patience_s), path, clock)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # the low byte is the primary code
            raise
        copy = _last_committed(path)
        if copy is None:
            raise
        return _up_to_date(copy, path, clock)


def _up_to_date(connection: sqlite3.Connection, path: Path, clock: Clock) -> sqlite3.Connection:
    """Return a connection with this program's schema: the given one, or a copy in memory that replaces it."""
    try:
        connection.execute("PRAGMA query_only = ON")
        refuse_newer(connection, "registry", str(path))
        if version(connection) == migrations("registry")[-1].number:
            return connection
        copy = _in_memory(clock, connection)
    except BaseException:
        connection.close()
        raise
    connection.close()
    return copy


def _last_committed(path: Path) -> sqlite3.Connection | None:
    """Return a copy in memory of the last committed state, for a file that a hanging process holds.

    The rollback journal is copied too, so that it undoes the changes of that process as after a crash. Return None if
    the files changed a moment ago, because that process then works and the caller should wait for it.
    """
    files = [path, path.with_name(f"{path.name}-journal")]
    before = [_content_of(file) for file in files]
    if before[0] is None:  # an empty copy would look like a registry without accounts
        raise StoreError(f"{path}: was removed during the read", remedy="try again, or: vetlla db restore")
    changed_ns = max(content.changed_ns for content in before if content)
    if time.time_ns() - changed_ns < STILL_NS:
        return None
    with disk_errors(path.parent), TemporaryDirectory(prefix="vetlla-registry-") as folder:
        for file, content in zip(files, before, strict=True):
            if content:
                shutil.copyfile(file, Path(folder) / file.name)
        if [_content_of(file) for file in files] != before:
            return None
        with closing(sqlite3.connect(Path(folder) / path.name, isolation_level=None)) as image:
            copy = sqlite3.connect(":memory:", isolation_level=None)
            image.backup(copy)
    return copy


def _content_of(file: Path) -> Stamp | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return Stamp(status.st_ino, status.st_mtime_ns, status.st_size)


def _is_there(path: Path) -> bool:
    """Return True if there is a registry. Raises StoreError for a link, even one that leads nowhere."""
    refuse_foreign(path)
    return path.exists()


def _connect(path: Path, patience_s: float) -> sqlite3.Connection:
    with disk_errors(path.parent):
        refuse_foreign(path)
    # mode=rw never makes a file. If the file may not be written, SQLite falls back to reading.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=patience_s, isolation_level=None)


def _in_memory(clock: Clock, source: sqlite3.Connection | None = None) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    if source:
        source.backup(connection)
    migrate(connection, "registry", ":memory:", clock)
    return connection


def _touch(path: Path) -> None:
    # The kernel's own stamps are exact only to some milliseconds. Two commits could share one stamp, and a reader that
    # looked in between would never notice the second commit.
    status = path.lstat()
    newer_ns = max(time.time_ns(), status.st_mtime_ns + 1)
    os.utime(path, ns=(status.st_atime_ns, newer_ns), follow_symlinks=False)
