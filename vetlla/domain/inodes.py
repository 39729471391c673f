"""Identifies a file independently of its name, and changes its permissions without following a link.

A program that has a file or socket open can use it even after it was deleted or replaced. So the receiver checks
whether the name still leads to what it opened.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Identity(NamedTuple):
    """Identifies a file independently of its name."""

    device: int
    inode: int


def identity(path: Path) -> Identity | None:
    """Return the identity of the file with a name; None if there is no file. Raises OSError."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return Identity(status.st_dev, status.st_ino)


def set_mode(path: Path, mode: int) -> None:
    """Set the permissions of a file or socket, but never through a link that took its name. Raises OSError."""
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        os.chmod(f"/proc/self/fd/{descriptor}", mode)  # noqa: PTH101 - fchmod() refuses an O_PATH descriptor
    finally:
        os.close(descriptor)
