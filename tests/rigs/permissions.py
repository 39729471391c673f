"""Permissions as a user without privileges has them, even if root runs the tests."""

from __future__ import annotations

import codecs
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.rigs.disk import DISK
from vetlla.store.sqlite.migrate import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY_UID = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Become the user ``nobody`` if we are root. Permissions already bind other users."""
    if os.geteuid() != 0:
        yield
        return
    # Read these as root, because the user ``nobody`` may not enter the folders of this tree and of Python.
    for database in ("journal", "registry", "cards"):
        migrations(database)
    for encoding in ("utf-8-sig", "idna"):
        codecs.lookup(encoding)
    os.seteuid(NOBODY_UID)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """Yield a directory on a disk that every user can reach, unlike pytest's own; remove it with any permissions."""
    folder = Path(tempfile.mkdtemp(dir=DISK))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        _open(folder)
        shutil.rmtree(folder)


def _open(folder: Path) -> None:
    """Give the user access to a directory and all below it, because otherwise only root could remove it."""
    folder.chmod(0o755)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _open(entry)
