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
    if os.geteuid() == 0:
        directory = path.parent.stat()
        os.fchown(descriptor, directory.st_uid, directory.st_gid)
    return descriptor


def sync_directory(path: Path) -> None:
    """Make a new name in a directory durable."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
