"""A large change of the registry that the receiver on the same disk does not feel.

SQLite writes and syncs a transaction's pages at once when it commits. The hundred megabytes of an imported park hold up
every other sync on the disk meanwhile, and a frame's acknowledgement waits for its own sync: 160 ms were measured.
So a large change is made in memory, and its result is written beside the registry in small slices, each synced before
the next, and renamed into its place. A crash before the rename leaves the registry as it was; a reader that has it open
goes on seeing what it was; the receiver notices the new file by its stamp.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.store.sqlite.ownership import create, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

SLICE = 1 << 19
"""Bytes between two syncs: a millisecond or two of the disk's time."""


def in_memory(registry: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of the registry to change; closing it forgets the changes."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    registry.backup(copy)
    copy.execute("PRAGMA foreign_keys = ON")
    return copy


def put_in_place(copy: sqlite3.Connection, path: Path) -> None:
    """Make a copy the registry. The caller holds the writers' lock. Raises StoreError for what the disk does not do."""
    image = memoryview(copy.serialize())
    try:
        _put(image, path)
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}", remedy=f"make room on the disk of {path.parent}: {len(image) >> 20} MiB"
        ) from error


def _put(image: memoryview, path: Path) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # left by a crash; the lock says that nobody else writes it
    file = create(new, 0o640)
    try:
        for start in range(0, len(image), SLICE):
            part = image[start : start + SLICE]
            while part:
                part = part[os.write(file, part) :]
            os.fdatasync(file)
        os.fsync(file)
    finally:
        os.close(file)
    new.replace(path)
    sync_directory(path.parent)
