"""New files get the owner of their directory, even when root runs the command, and links are not followed.

An engineer's ``sudo vetlla accounts import`` must not leave a registry that the receiver's user cannot read. Nor must
it write where that user may not: root would follow a symbolic link that the user had put in a file's place. So files
are opened without following links, and an existing one must be a plain file of the directory's owner.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.domain.permissions import user_name

if TYPE_CHECKING:
    from pathlib import Path

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC


def create(path: Path, mode: int) -> int:
    """Create a file with exactly these permissions, whatever the umask; return its descriptor. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    _settle(descriptor, path, mode)
    return descriptor


def make_directory(path: Path, mode: int) -> None:
    """Create a directory with exactly these permissions, whatever the umask. Raises OSError."""
    path.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
    try:
        _settle(descriptor, path, mode)
    finally:
        os.close(descriptor)


def _settle(descriptor: int, path: Path, mode: int) -> None:
    # Use the descriptor, because another file may have taken the name meanwhile.
    os.fchmod(descriptor, mode)
    if os.geteuid() == 0:
        directory = path.parent.stat()
        os.fchown(descriptor, directory.st_uid, directory.st_gid)


def open_ours(path: Path, flags: int) -> int:
    """Open an existing file; return its descriptor. Raises OSError, and StoreError if the file is not ours."""
    try:
        descriptor = os.open(path, flags | _NO_LINK | os.O_NONBLOCK)  # a pipe in its place must not block us
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_ours(path, "is a symbolic link") from error
        raise
    try:
        _refuse(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def refuse_foreign(path: Path) -> None:
    """Raise StoreError unless a path is free or leads to a plain file of ours. Raises OSError.

    Call it before SQLite opens a database by its name. For the files beside a database, SQLite itself follows no link.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    _refuse(path, status)


def _refuse(path: Path, status: os.stat_result) -> None:
    """Raise StoreError if this is not a plain file, or if it belongs to a user whose files are not allowed here.

    In a directory of root, files of any user are allowed. In any other directory root accepts only the owner's files.
    """
    if stat.S_ISLNK(status.st_mode):
        raise _not_ours(path, "is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise _not_ours(path, "is no plain file")
    owner, user = path.parent.stat().st_uid, os.geteuid()
    allowed = {owner} if user == 0 else {owner, user, 0}
    if owner != 0 and status.st_uid not in allowed:
        whose, theirs = user_name(status.st_uid), user_name(owner)
        raise StoreError(
            f"{path}: belongs to {whose}, and its directory to {theirs}",
            remedy=f"if it is the right file: chown {theirs} {path}",
        )


def _not_ours(path: Path, what: str) -> StoreError:
    return StoreError(
        f"{path}: {what}, which is not followed",
        remedy="move it away and put the file itself there; find out what made it",
    )


def sync_directory(path: Path) -> None:
    """Make a new name in a directory durable."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
