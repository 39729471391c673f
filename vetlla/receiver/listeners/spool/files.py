"""The files of a spool: which are there, what is in them, and where they go afterwards. All functions block.

    DIRECTORY/event-XXXXXX      what Asterisk writes
    DIRECTORY/call-UNIQUEID     what the dialplan writes at the end of a call
    DIRECTORY/done/DAY/         files whose events are on the disk, by the day (UTC) on which they were taken
    DIRECTORY/quarantine/       files that could not be read; a person has to look at them
    DIRECTORY/.calls/UNIQUEID   the call has reported: its content names the first file of the call

Nothing is followed that is not a plain file, because other programs may write to the directory, too.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from datetime import date, timedelta
from enum import StrEnum
from heapq import nsmallest
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.asterisk.decoder import MAX_FILE, ORIGIN_MARK
from vetlla.protocols.asterisk.spool_file import call_of, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DONE: Final = "done"
QUARANTINE: Final = "quarantine"
CALLS: Final = ".calls"
LOOK_MAX: Final = 10_000
"""Most files of one look, the oldest ones; the next look finds the others. With more, sorting them would delay answers
to other terminals by more than 50 ms."""
CALLS_KEPT_DAYS: Final = 2
"""How long a call is remembered. Its last file comes when it ends, and no call takes two days."""
_MODE: Final = 0o750
_MAY_NOT_WRITE: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_HIDDEN: Final = "."


class Found(NamedTuple):
    """A name in the directory, as one look shows it. Two files that had the same name differ in the other fields."""

    mtime_ns: int
    name: str
    inode: int
    size: int
    is_plain: bool

    @property
    def origin(self) -> str:
        """The name with what tells this file from all others that had or will have the same name."""
        return f"{self.name}{ORIGIN_MARK}{self.inode}.{self.mtime_ns}"


class Content(NamedTuple):
    """A file as it was read."""

    found: Found
    data: bytes
    """At most ``MAX_FILE`` bytes and one more."""
    is_complete: bool
    may_grow: bool = False
    """True if it has no event yet, so that its writer may not have come to its end."""
    call: str = ""
    """UNIQUEID of its call; "" if it names none."""
    first_of_call: str | None = None
    """Origin of the first file of this call; None if no file of it was taken."""
    why: str = ""
    """Why it could not be read; "" if it was read."""


class Folder(StrEnum):
    """Where a file goes."""

    DONE = DONE
    QUARANTINE = QUARANTINE
    NOWHERE = "nowhere"
    """It is deleted."""


def prepare(directory: Path, *, keeps: bool) -> tuple[int, int]:
    """Make the folders that are missing; return device and inode of the directory. Raises OSError if it is not usable.

    A directory in which this user may not write is usable: its alarms are read, and the files that stay are reported.
    """
    place = identity(directory)
    for folder in (*((DONE,) if keeps else ()), QUARANTINE, CALLS):
        try:
            (directory / folder).mkdir(_MODE, exist_ok=True)
        except OSError as error:
            if error.errno not in _MAY_NOT_WRITE:
                raise
    os.scandir(directory).close()
    return place


def identity(directory: Path) -> tuple[int, int]:
    """Return device and inode of the directory that has this path now. Raises OSError."""
    status = directory.stat()
    return status.st_dev, status.st_ino


def look(directory: Path, *, at_most: int = LOOK_MAX) -> tuple[list[Found], int]:
    """Return the oldest files in the order in which they were written, and the number of all. Raises OSError."""
    count = 0

    def every() -> Iterable[Found]:
        nonlocal count
        with os.scandir(directory) as entries:
            for entry in entries:
                if (found := _found(entry.path, entry.name)) is not None:
                    count += 1
                    yield found

    return nsmallest(at_most, every()), count


def look_at(directory: Path, names: Iterable[str]) -> list[Found]:
    """Return the files with these names that are there, in the order in which they were written."""
    return sorted(filter(None, (_found(os.path.join(directory, name), name) for name in names)))  # noqa: PTH118 - a Path for each of 10,000 names costs too much


def _found(path: str, name: str) -> Found | None:
    """Return what is there; None for a hidden name, a folder, or nothing."""
    if name.startswith(_HIDDEN):
        return None
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    return Found(status.st_mtime_ns, name, status.st_ino, status.st_size, stat.S_ISREG(status.st_mode))


def read(directory: Path, found: Found) -> Content | None:
    """Return the content of a file; None if it is no longer there. Never raises because of a file."""
    if not found.is_plain:
        return Content(found, b"", is_complete=True, why="is a link, a pipe or another special file")
    try:
        descriptor = os.open(directory / found.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_FILE + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except FileNotFoundError:
        return None
    except OSError as error:
        return Content(found, b"", is_complete=True, why=f"cannot be read: {error.strerror}")
    call = call_of(found.name)
    if call is not None:
        return Content(
            found, data, is_complete=data.endswith(b"\n"), call=call, first_of_call=first_of(directory, call)
        )
    said = read_file(data)
    return Content(
        found,
        data,
        is_complete=said.is_complete,
        may_grow=not said.lines,
        call=said.unique_id,
        first_of_call=first_of(directory, said.unique_id),
    )


def first_of(directory: Path, call: str) -> str | None:
    """Return the origin of the first file of a call; None if no file of it was taken."""
    if not _is_name(call):
        return None
    try:
        return (directory / CALLS / call).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None


def remember_call(directory: Path, call: str, origin: str) -> None:
    """Keep that a call has reported, before its file goes away. The first note of a call stays. Raises OSError."""
    if not _is_name(call):
        return
    with (
        suppress(FileExistsError),
        (directory / CALLS / call).open("x", encoding="utf-8", errors="surrogateescape") as note,
    ):
        note.write(origin)


def put_away(directory: Path, found: Found, folder: Folder, day: date) -> None:
    """Move or delete a file, unless it is gone or has changed since it was read. Raises OSError."""
    path = directory / found.name
    if _found(str(path), found.name) != found:
        return
    if folder is Folder.NOWHERE:
        path.unlink(missing_ok=True)
        return
    target = directory / folder
    if folder is Folder.DONE:
        target /= day.isoformat()
    target.mkdir(_MODE, parents=True, exist_ok=True)
    kept = target / found.name
    if os.path.lexists(kept):
        kept = target / f"{found.name}.{found.inode}.{found.mtime_ns}"
    path.rename(kept)


def prune(directory: Path, today: date, keep_days: int) -> int:
    """Delete old days of ``done`` and old notes of calls; return the number of days. Raises OSError."""
    oldest = (today - timedelta(days=keep_days)).isoformat()
    removed = 0
    with suppress(FileNotFoundError):
        for folder in sorted((directory / DONE).iterdir()):
            if _is_day(folder.name) and folder.name < oldest:
                shutil.rmtree(folder)
                removed += 1
    before_s = (today - timedelta(days=CALLS_KEPT_DAYS) - date(1970, 1, 1)).total_seconds()
    with suppress(FileNotFoundError), os.scandir(directory / CALLS) as notes:
        for note in notes:
            with suppress(FileNotFoundError):
                if note.stat(follow_symlinks=False).st_mtime < before_s:
                    os.unlink(note.path)  # noqa: PTH108 - the entry has a path as text
    return removed


def _is_name(call: str) -> bool:
    return bool(call) and "/" not in call and not call.startswith(_HIDDEN)


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False
