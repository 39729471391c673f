"""Opens ``cards.db``: a file of its own, which only its owner reads and writes.

Operators do not read the file. They run ``vetlla home`` as its owner by sudo, so no card is read without a record in
the log. The receiver does not use the file: a fault here cannot stop the reception of calls.

The journal mode is DELETE and not WAL, because each command writes (SQLite 3.7.0 to 3.51.2 can corrupt a WAL file with
two writers), and each transaction is short.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import StoreError
from vetlla.store.journal.opening import refuse_unfinished
from vetlla.store.sqlite.faults import disk_errors, sqlite_errors
from vetlla.store.sqlite.migrate import migrate, refuse_newer
from vetlla.store.sqlite.ownership import create, refuse_foreign, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock

CARDS: Final = "cards.db"
LOCK: Final = "cards.lock"
MODE: Final = 0o600
"""Permissions of the file: not even its group reads it, because operators and engineers are members of that group."""
PATIENCE_S: Final = 10.0
"""How long a command waits for another one; an import of 100,000 homes commits in a few seconds."""
OPENED_FOR_ALL: Final = 0o077
"""Permissions that other users must not have."""


def is_kept(state_dir: Path) -> bool:
    """Return True if this state directory has cards. Raises AccessError if this user may not look."""
    with disk_errors(state_dir):
        state_dir.stat()  # a missing directory is a mistake
        try:
            (state_dir / CARDS).lstat()
        except FileNotFoundError:
            return False
    return True


@contextmanager
def opened(
    state_dir: Path, clock: Clock, *, make: bool = False, patience_s: float = PATIENCE_S
) -> Iterator[sqlite3.Connection]:
    """Yield the database for writing, with this program's schema; use ``with atomic(connection):`` for each step.

    Raises StoreError if there is none and it is not to be made, if a restore is half done, or if the disk fails.
    """
    path = state_dir / CARDS
    with disk_errors(state_dir):
        state_dir.stat()
        refuse_unfinished(state_dir)
        refuse_foreign(path)
        if not path.exists():
            if not make:
                raise none_kept(path)
            os.close(create(path, MODE))
            sync_directory(state_dir)
        _refuse_open(path)
        if not make and path.stat().st_size == 0:  # a new file would hide that the cards and their log are lost
            raise _not_whole(path)
    with sqlite_errors(path), closing(_connect(path, patience_s)) as connection:
        migrate(connection, "cards", str(path), clock)
        _refuse_without_tables(connection, path)
        yield connection


@contextmanager
def reading(state_dir: Path) -> Iterator[sqlite3.Connection]:
    """Yield the database for checks and copies; the connection refuses to write. Raises StoreError."""
    path = state_dir / CARDS
    with disk_errors(state_dir):
        refuse_foreign(path)
        path.stat()
    with sqlite_errors(path), closing(_connect(path, PATIENCE_S)) as connection:
        connection.execute("PRAGMA query_only = ON")
        refuse_newer(connection, "cards", str(path))
        _refuse_without_tables(connection, path)
        yield connection


def none_kept(path: Path) -> StoreError:
    """Return the error for a state directory without cards."""
    return StoreError(f"{path}: this service keeps no cards", remedy="vetlla cards rekey makes a key, then import them")


def _refuse_open(path: Path) -> None:
    """Raise StoreError for a file that other users can read or write. Raises OSError."""
    if path.stat().st_mode & OPENED_FOR_ALL:
        raise StoreError(f"{path}: users other than its owner can open it", remedy=f"chmod 600 {path}")


def _refuse_without_tables(connection: sqlite3.Connection, path: Path) -> None:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('cards', 'audit')").fetchone()
    if tables != 2:
        raise _not_whole(path)


def _not_whole(path: Path) -> StoreError:
    remedy = "restore the last backup: vetlla db restore"
    if path.stat().st_size == 0:
        remedy += "; if the first vetlla cards rekey failed, such as on a full disk, there is no key yet: repeat it"
    return StoreError(f"{path}: has lost its tables", remedy=remedy)


def _connect(path: Path, patience_s: float) -> sqlite3.Connection:
    # mode=rw never makes a file
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=patience_s, isolation_level=None
    )
    try:
        connection.row_factory = sqlite3.Row
        # A text that was changed by hand may be no UTF-8. It must be found as a fault and not end the program.
        connection.text_factory = lambda text: text.decode(errors="replace")
        connection.execute("PRAGMA synchronous = EXTRA")  # a power cut must not bring back an erased card
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA cache_spill = OFF")  # readers wait only for the commit of an import
    except BaseException:
        connection.close()
        raise
    return connection
