"""Permissions as a user without privileges meets them, whoever runs the tests."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vetlla.store.sqlite.migrate import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody if we are root; anybody else is bound by permissions already."""
    if os.geteuid() != 0:
        yield
        return
    # Read while we may: the tree may lie where nobody gets to, as in a folder of mktemp.
    for database in ("journal", "registry"):
        migrations(database)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """Give a directory that anybody can reach, as pytest's own cannot be; whatever was done to it, it goes."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        _open(folder)
        shutil.rmtree(folder)


def _open(folder: Path) -> None:
    """Let the user into a directory and all below it: only root can remove what a test has closed."""
    folder.chmod(0o755)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _open(entry)
