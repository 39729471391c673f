"""Checks of the receiver's files: journal, registry, keys, their owners, and other writers."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vetlla.checks.running import process_of
from vetlla.domain import permissions
from vetlla.domain.errors import VetllaError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.store.accounts.table import account_book, count_accounts
from vetlla.store.cards.opening import CARDS
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.free_space import LOG_GROWTH_MAX, size
from vetlla.store.journal.history import SIGNALS, last_number
from vetlla.store.journal.opening import JOURNAL, UNFINISHED_RESTORE
from vetlla.store.registry.registry import PATIENCE_S, REGISTRY, reading
from vetlla.store.secrets.keyring import Keyring, is_credential, shared_by_homes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.clock import Clock
    from vetlla.receiver.control.messages.receiver import Status
    from vetlla.settings.model import Settings

WAL_FAULT = ((3, 7, 0), (3, 51, 2))
"""SQLite releases that can corrupt a WAL file when two connections write or checkpoint at once (sqlite.org/wal)."""
LOCKS = ("journal.lock", "registry.lock", "cards.lock")
OURS = (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", REGISTRY, CARDS, "keys.toml", *LOCKS)


def journal(state_dir: Path, status: Status | None) -> Finding:
    """Check that the journal can be read, is the file that the receiver writes, and has a log of limited size."""
    path = state_dir / JOURNAL
    process = process_of(status)
    written = process["journal"] if process else None
    try:
        if (state_dir / UNFINISHED_RESTORE).exists():
            return Finding(
                check="journal",
                level=Level.CRITICAL,
                text=f"{state_dir}: a restore was interrupted half way",
                remedy="run the same `vetlla db restore` again",
            )
        there = path.stat() if path.exists() else None
        if written and (there is None or (there.st_dev, there.st_ino) != (written["device"], written["inode"])):
            return Finding(
                check="journal",
                level=Level.CRITICAL,
                text=f"{path} is not the file that the receiver writes: it was moved, replaced or deleted",
                remedy="leave the receiver running: it copies what it wrote to journal.db.kept-...; see its log",
            )
        if there is None:
            return Finding(check="journal", level=Level.OK, text=f"{path} is missing; the first start creates it")
        with Archive(state_dir, older=True) as archive:
            text = f"{path}: {last_number(archive, SIGNALS)} signals"
    except (PermissionError, VetllaError) as error:
        return of_error("journal", error)
    log = size(path.with_name(f"{JOURNAL}-wal"))
    if log > LOG_GROWTH_MAX:
        return Finding(
            check="journal",
            level=Level.WARNING,
            text=f"{text}; its log has {log >> 20} MiB, because a reader prevents the receiver from reusing it",
            remedy="find the program that reads the file with lsof or fuser -v, and end it",
        )
    return Finding(check="journal", level=Level.OK, text=text)


def registry(state_dir: Path, status: Status | None, clock: Clock) -> Finding:
    """Check that the registry can be read and that the receiver uses its accounts."""
    began_s = time.monotonic()
    try:
        with reading(state_dir, clock) as opened:
            number = count_accounts(opened)
        if time.monotonic() - began_s >= PATIENCE_S:
            holders = ", ".join(map(str, sorted(lockers((state_dir / REGISTRY).stat())))) or "of another user"
            return Finding(
                check="registry",
                level=Level.WARNING,
                text=f"{number} accounts; process {holders} has held it for too long and prevents all changes",
                remedy="end that process; its uncommitted changes are rolled back",
            )
    except (PermissionError, VetllaError) as error:
        return of_error("registry", error)
    known = status["counts"]["accounts"] if status else number
    if known != number:
        return Finding(
            check="registry",
            level=Level.WARNING,
            text=f"{number} accounts are registered, but the receiver uses {known}",
            remedy="systemctl reload vetlla; if that does not help, see the receiver's log",
        )
    return Finding(check="registry", level=Level.OK, text=f"{number} accounts")


def keys(settings: Settings, status: Status | None, clock: Clock) -> Finding:
    """Read the keys as the receiver does. Return only how many there are and how many several homes share."""
    process = process_of(status)
    path = Path(process["keys_file"] if process else settings.keys_file)
    try:
        count = len(Keyring.read(path)) if path.exists() else 0
    except (PermissionError, VetllaError) as error:
        return of_error("keys", error)
    shared = _shared(settings.state_dir, clock) if count else 0
    text = f"{path}: {count} keys" + (f", {shared} of them shared by several homes" if shared else "")
    remedy = "give each home a key of its own: vetlla keys list shows the shared ones" if shared else ""
    return Finding(check="keys", level=Level.OK, text=text if count else "none", remedy=remedy)


def _shared(state_dir: Path, clock: Clock) -> int:
    """Return how many keys several homes share; 0 if the registry cannot be read, which another check reports."""
    try:
        with reading(state_dir, clock) as opened:
            return len(shared_by_homes(account_book(opened)))
    except (PermissionError, VetllaError):
        return 0


def owners(state_dir: Path, keys_file: Path, ours: Iterable[str] = OURS) -> Finding:
    """Look for files that the service cannot use. Its user is the owner of the state directory."""
    try:
        owner = state_dir.stat().st_uid
        files = {state_dir / name for name in ours}
        if not is_credential(keys_file):
            files.add(keys_file)
        statuses = {path: _status(path, keys_file) for path in sorted(files)}
        strange = [path for path, status in statuses.items() if status and not _usable(status, owner)]
    except OSError as error:
        if isinstance(error, PermissionError):
            return of_error("files", error)
        return Finding(check="files", level=Level.CRITICAL, text=f"{state_dir}: {error.strerror}", remedy="")
    name = permissions.user_name(owner)
    if strange:
        return Finding(
            check="files",
            level=Level.CRITICAL,
            text=f"user {name} owns {state_dir} and cannot use {', '.join(path.name for path in strange)}",
            remedy=f"chown {name} {' '.join(map(str, strange))}",
        )
    return Finding(check="files", level=Level.OK, text=f"user {name} can use all of them")


def _status(path: Path, keys_file: Path) -> os.stat_result | None:
    """Return the status of a file. Links are followed only for the keys file, which may be kept elsewhere."""
    try:
        return path.stat() if path == keys_file else path.lstat()
    except FileNotFoundError:
        return None


def _usable(status: os.stat_result, owner: int) -> bool:
    """Return True if the directory's owner can use a file as its owner, as root or by its group; False for a link."""
    if stat.S_ISLNK(status.st_mode):
        return False
    return owner in {0, status.st_uid} or bool(status.st_mode & stat.S_IRGRP and status.st_gid)


def sqlite(state_dir: Path, version: tuple[int, ...]) -> Finding:
    """Look for a second writer of the journal, if this SQLite release can then corrupt it."""
    text = "SQLite " + ".".join(map(str, version))
    first, last = WAL_FAULT
    if not first <= version <= last:
        return Finding(check="sqlite", level=Level.OK, text=text)
    try:
        writers, unseen = _users(state_dir / JOURNAL)
    except PermissionError as error:
        return of_error("sqlite", error)
    if len(writers) > 1:
        return Finding(
            check="sqlite",
            level=Level.CRITICAL,
            text=f"{text} can corrupt a journal with two writers; processes {writers} have it open for writing",
            remedy="close the journal in all programs but the receiver; use sqlite3 -readonly to look at it",
        )
    if unseen and len(writers) + len(unseen) > 1:
        return Finding(
            check="sqlite",
            level=Level.UNKNOWN,
            text=f"{text} can corrupt a journal with two writers; processes {unseen} of other users have it open",
            remedy="run sudo vetlla doctor: root can see whether they write",
        )
    return Finding(check="sqlite", level=Level.OK, text=f"{text}; its WAL fault needs two writers; at most one writes")


def _users(path: Path) -> tuple[list[int], list[int]]:
    """Return the processes that have a file open for writing, and those that have it open in a hidden mode."""
    if not path.exists():
        return [], []
    there = path.stat()
    writers, seen = set(), set()
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            here = entry.stat()
            if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
                continue
            information = (entry.parents[1] / "fdinfo" / entry.name).read_text(encoding="ascii")
        except OSError:  # of another user, or closed meanwhile
            continue
        process = int(entry.parents[1].name)
        seen.add(process)
        flags = int(information.partition("flags:")[2].split()[0], base=8)
        if flags & os.O_ACCMODE != os.O_RDONLY:
            writers.add(process)
    return sorted(writers), sorted(lockers(there) - seen)


def lockers(there: os.stat_result) -> set[int]:
    """Return the processes that hold a lock on a file, as SQLite does on each database that is open in WAL mode.

    A service holds one on its lock file. /proc/locks shows the locks of all users (proc(5)).
    """
    place = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
    found = set()
    for line in _lines(Path("/proc/locks")):
        fields = line.split()
        if place in fields and fields[4].isdecimal():
            found.add(int(fields[4]))
    return found


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
