"""Files belong to whom their directory belongs to, whoever runs the command.

An engineer's ``sudo vetlla accounts import`` must not leave a registry that the receiver's user cannot read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def create(path: Path, mode: int) -> int:
    """Create a file with just these permissions, whatever the umask; return its descriptor. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, mode)
    _give(path)
    return descriptor


def make_directory(path: Path, mode: int) -> None:
    """Create a directory with just these permissions, whatever the umask. Raises OSError."""
    path.mkdir(mode=0o700)
    path.chmod(mode)
    _give(path)


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        directory = path.parent.stat()
        os.chown(path, directory.st_uid, directory.st_gid)


def sync_directory(path: Path) -> None:
    """Make a new name in a directory durable."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
