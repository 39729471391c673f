"""Allows one writer at a time: a lock file that names its owner, and is free as soon as that process ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from vetlla.domain import permissions
from vetlla.domain.errors import StoreError
from vetlla.store.sqlite.ownership import create, open_ours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WAIT = "wait until it has ended, then try again"
LOOK_S: Final = 0.02
"""Time between two looks at a lock that another process holds; the kernel cannot wait for a lock with a time limit."""


@contextmanager
def exclusive(path: Path, *, remedy: str = WAIT, patience_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file; raise StoreError, with the owner's process id and the remedy, if another process holds it.

    With ``patience_s`` it first waits that long for the other process.

    The file is not deleted afterwards. Otherwise another process could lock a new file while one holds the old one.
    """
    lock = _open(path)
    try:
        _claim(lock, path, remedy, time.monotonic() + patience_s)
        yield
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    try:
        with suppress(FileExistsError):
            os.close(create(path, 0o640))
        return open_ours(path, os.O_RDWR)
    except PermissionError as error:
        raise permissions.refusal(path, error.strerror) from error
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}", remedy=f"is {path.parent} right, and its disk not full?"
        ) from error


def _is_locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _claim(lock: int, path: Path, remedy: str, deadline_s: float) -> None:
    while not _is_locked(lock) and time.monotonic() < deadline_s:
        time.sleep(LOOK_S)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a process may lock again a file that it has locked
    except BlockingIOError as error:
        owner = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        raise StoreError(f"{path}: process {owner or 'unknown'} is writing", remedy=remedy) from error
    with suppress(OSError):  # on a full disk the lock still works; only the owner's process id is missing
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
