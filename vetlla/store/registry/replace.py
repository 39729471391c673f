"""Makes a large change of the registry without slowing the receiver on the same disk.

SQLite writes and syncs all of a transaction's pages at once when it commits. The hundred megabytes of an imported fleet
delay every other sync on the disk meanwhile, also the one that a frame's acknowledgement waits for: 160 ms were
measured. So a large change is made in memory. The result is written beside the registry in small slices, each synced
before the next, and renamed to the registry's name. A crash before the rename leaves the registry as it was. A reader
that has it open goes on seeing the old content, and the receiver notices the new file by its stamp.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.store.sqlite.ownership import create, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

SLICE = 1 << 19
"""Bytes between two syncs: a millisecond or two of the disk's time."""


def in_memory(registry: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of the registry that can be changed; closing it discards the changes."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    registry.backup(copy)
    copy.execute("PRAGMA foreign_keys = ON")
    return copy


def remove_leftover(path: Path) -> None:
    """Remove what is left of a copy, so that it does not fill the disk. The caller must hold the writers' lock."""
    with suppress(OSError):  # a folder that cannot be written: the change itself reports that
        _beside(path).unlink(missing_ok=True)


def put_in_place(copy: sqlite3.Connection, path: Path) -> None:
    """Replace the registry with a copy. The caller must hold the writers' lock.

    Raises StoreError if the disk fails; nothing of the copy is then left there.
    """
    image = memoryview(copy.serialize())
    try:
        _put(image, path)
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}", remedy=f"make room on the disk of {path.parent}: {len(image) >> 20} MiB"
        ) from error
    finally:
        remove_leftover(path)  # after a full disk or Ctrl-C; once the copy has its name, nothing is left


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _put(image: memoryview, path: Path) -> None:
    new = _beside(path)
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
