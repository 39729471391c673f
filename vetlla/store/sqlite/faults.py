"""Errors of the disk and of SQLite, as errors that say what to do."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vetlla.domain import permissions
from vetlla.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.errors import VetllaError

_PERMISSION = "is the file system read-only? {path} and its directory are open to this user"
_CLOSED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
"""SQLite's codes for missing permission of this user, among other causes."""
CLOSED_MEANWHILE = "a month was closed meanwhile"
_BACKUP = "restore the last backup: vetlla db restore"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "another process holds it; try again when that process has ended",
    sqlite3.SQLITE_FULL: "make room on the disk that holds {path}",
    sqlite3.SQLITE_IOERR: "check the disk that holds {path}, then: vetlla db verify",
    sqlite3.SQLITE_READONLY: _PERMISSION,
    sqlite3.SQLITE_CANTOPEN: _PERMISSION,
    sqlite3.SQLITE_PERM: _PERMISSION,
    sqlite3.SQLITE_CORRUPT: _BACKUP,
    sqlite3.SQLITE_NOTADB: _BACKUP,
}
"""What to do about each of SQLite's errors that this program did not cause."""


@contextmanager
def disk_errors(state_dir: Path) -> Iterator[None]:
    """Raise AccessError or StoreError, with a remedy, instead of OSError."""
    try:
        yield
    except OSError as error:
        raise _refused(state_dir, error) from error


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Raise AccessError or StoreError, with a remedy, for each error of SQLite that this program did not cause."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the low byte is the primary code
        if CLOSED_MEANWHILE in str(error):  # the triggers of closed months
            raise StoreError(
                f"{path}: a month was closed after this was stamped, so that it cannot be recorded as if before",
                remedy="run the command again; if that does not help, is the clock of this machine right?",
            ) from error
        if code not in _REMEDIES:  # a mistake in this program, such as wrong SQL or a broken constraint
            raise
        if code in _CLOSED and permissions.obstacle(path):
            raise permissions.refusal(path, error) from error
        raise StoreError(f"{path}: {error}", remedy=_REMEDIES[code].format(path=path)) from error


def _refused(state_dir: Path, error: OSError) -> VetllaError:
    if isinstance(error, PermissionError):
        return permissions.refusal(Path(error.filename or state_dir), error.strerror)
    return StoreError(
        f"{error.filename or state_dir}: {error.strerror}",
        remedy=f"is --state-dir right? it is {state_dir}",
    )
