"""Explains why this user may not read or write a file: which user may, and which command helps.

"Permission denied" has several causes with different remedies. Another user may own the file, or it is for a group that
this user is not in. The user may have joined the group after the session began. Or a directory above is closed.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from typing import NamedTuple

from vetlla.domain.errors import AccessError, UsageError, VetllaError

_LETTERS = {os.R_OK: "r", os.W_OK: "w", os.X_OK: "x"}


class Obstacle(NamedTuple):
    """The path that stops this user, and the permission that the user lacks there."""

    place: Path
    wanted: int
    """os.R_OK, os.W_OK or os.X_OK."""

    def __str__(self) -> str:
        verb = {os.R_OK: "read", os.W_OK: "write", os.X_OK: "enter"}[self.wanted]
        return f"{user_name(os.geteuid())} may not {verb} {self.place}"


def no_link(path: Path, flags: int) -> int:
    """Open a file for writing and create it if it is missing; never follow a symbolic link. Raises OSError.

    In a directory that other users can write to, a link with the file's name could lead to any file of this user.
    """
    return os.open(path, flags | os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def obstacle(path: Path, *, writing: bool = True) -> Obstacle | None:
    """Return what keeps this user from reading (and writing) a path; None if the permissions allow it.

    For a path that does not exist, return the directory in which this user may not create it.
    """
    path = path.absolute()
    for place in (*reversed(path.parents), path):
        if not os.path.lexists(place):
            return Obstacle(place.parent, os.W_OK) if writing and not _may(place.parent, os.W_OK) else None
        if place != path and not _may(place, os.X_OK):
            return Obstacle(place, os.X_OK)
    if path.is_socket():  # a client connects to it and never reads it as a file
        return None if _may(path, os.W_OK) else Obstacle(path, os.W_OK)
    wanted = [os.R_OK, *([os.W_OK] if writing else []), *([os.X_OK] if path.is_dir() else [])]
    return next((Obstacle(path, one) for one in wanted if not _may(path, one)), None)


def refusal(path: Path, why: object, *, writing: bool = True) -> AccessError:
    """Return the error to show when the system refused a path to this user."""
    return AccessError(f"{obstacle(path, writing=writing) or path}: {why}", remedy=remedy(path, writing=writing))


def explained(error: VetllaError | PermissionError) -> VetllaError:
    """Return the error to show to the user. If a missing permission caused it, the remedy is about the permission."""
    cause = error if isinstance(error, PermissionError) else error.__cause__
    if isinstance(error, AccessError) or not isinstance(cause, PermissionError):
        assert isinstance(error, VetllaError)
        return error
    path = Path(os.fsdecode(cause.filename)) if isinstance(cause.filename, str | bytes) else None
    what = error.args[0] if isinstance(error, VetllaError) else f"{path or 'refused'}: {error.strerror}"
    theirs = getattr(error, "remedy", "")
    if path is None:
        return AccessError(what, remedy=theirs)
    # The user may also have named the wrong file.
    other = f"; or {theirs}" if isinstance(error, UsageError) and theirs else ""
    return AccessError(what, remedy=remedy(path) + other)


def remedy(path: Path, *, writing: bool = True) -> str:
    """Return the command with which this user gets access to a refused path. It depends on the owner of the path."""
    found = obstacle(path, writing=writing)
    if found is None:
        return "the permissions allow it: check for a read-only file system, or a security module (AppArmor)"
    try:
        status = found.place.stat()
    except OSError:
        return f"ask the administrator for access to {found.place}"
    if status.st_uid == os.geteuid():
        return f"chmod u+{_LETTERS[found.wanted]} {found.place}"
    owner = user_name(status.st_uid)
    become = f"run it as {owner}: sudo {_option(owner)}vetlla ..."
    if not _group_may(status, found.wanted):
        return become
    group, user = group_name(status.st_gid), user_name(os.geteuid())
    if user in _members(group):
        return f"{user} joined group {group} after this session began: log in again"
    return f"have {user} added to group {group}: sudo usermod -aG {group} {user}; or {become}"


def user_name(uid: int) -> str:
    """Return a user's name, or the number if this machine has no entry for that user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Return a group's name, or the number if this machine has no entry for that group."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _option(owner: str) -> str:
    """Return the sudo option that names a user; empty for root."""
    if owner == "root":
        return ""
    return f"-u '#{owner}' " if owner.isdecimal() else f"-u {owner} "


def _may(path: Path, wanted: int) -> bool:
    return os.access(path, wanted, effective_ids=True)


def _group_may(status: os.stat_result, wanted: int) -> bool:
    # Group root is only for root, so no remedy adds another user to it.
    return bool(status.st_gid and stat.S_IMODE(status.st_mode) >> 3 & wanted)


def _members(group: str) -> list[str]:
    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return []
