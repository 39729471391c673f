"""Keeps room for the receiver: long work stops before the disk is nearly full or the journal's log grows too long."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

LOG_GROWTH_MAX = 1 << 30
"""Bytes by which the journal's log may grow while a long read keeps it from starting over: minutes of the heaviest
load, days of an ordinary one."""
RESERVE = 1 << 30
"""Free bytes that long work leaves to the receiver unless the configuration says otherwise: twice the usual
watermark."""


class FreeSpace:
    """The room that long work must leave on a state directory's disk. Raises StoreError."""

    def __init__(self, state_dir: Path, reserve: int = RESERVE, log_growth: int = LOG_GROWTH_MAX) -> None:
        self._state_dir = state_dir
        self._reserve = reserve
        self._log = state_dir / f"{JOURNAL}-wal"
        self._log_max = size(self._log) + log_growth

    def check(self) -> None:
        """Raise StoreError if the work must stop, because the receiver needs the room."""
        if size(self._log) > self._log_max:
            raise StoreError(
                f"{self._log}: has grown too long meanwhile",
                remedy="try again when fewer signals come, or use a faster disk",
            )
        if free(self._state_dir) < self._reserve:
            raise StoreError(
                f"{self._state_dir}: less than {self._reserve >> 20} MiB would be left to the receiver",
                remedy="make room on its disk",
            )

    def for_bytes(self, wanted: int, where: Path) -> None:
        """Raise StoreError if ``wanted`` bytes do not fit, or leave too little to the receiver on the same disk."""
        shared = where.stat().st_dev == self._state_dir.stat().st_dev
        available = free(where) - (self._reserve if shared else 0)
        if wanted > available:
            beside = f" if {self._reserve >> 20} MiB are left to the receiver" if shared else ""
            raise StoreError(
                f"{where}: has room for {max(available, 0) >> 20} MiB{beside}, but {wanted >> 20} MiB are needed",
                remedy="make room, or name a directory on another disk",
            )


def free(path: Path) -> int:
    """Return the bytes that may still be written to the file system of a path."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def size(path: Path) -> int:
    """Return the size of a file; 0 if there is no file, or if we may not see it."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
