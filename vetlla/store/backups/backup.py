"""Backups: each database as it was at one moment, with checksums that prove that a copy is whole.

A backup is a directory with ``manifest.json`` and what the state directory has of ``journal.db``, ``registry.db``,
``reminders.db`` and ``cards.db``, whose cards stay sealed. It is made while the services run, and gets its name only
when all of it is on the disk. It never contains keys, so the people who keep backups need not be able to read encrypted
reports.

It must not disturb reception. The journal is copied in one read transaction, during which its log cannot start over, so
the copy stops before the log or the copy takes the receiver's room. The copy is flushed in small pieces; otherwise a
commit's fsync would have to wait for gigabytes of the copy. The reminder service waits with its next commit while its
database is copied, for some tenths of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from vetlla import __version__
from vetlla.domain.clock import iso
from vetlla.domain.errors import StoreError, UsageError
from vetlla.domain.plainfile import open_file
from vetlla.store.cards import log as cards_log
from vetlla.store.cards import opening as cards
from vetlla.store.cards.opening import CARDS
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import head_of
from vetlla.store.journal.free_space import size
from vetlla.store.journal.opening import JOURNAL, LOCK
from vetlla.store.registry.registry import REGISTRY, reading
from vetlla.store.reminders import audit as reminders_audit
from vetlla.store.reminders.opening import REMINDERS
from vetlla.store.reminders.opening import reading as reading_reminders
from vetlla.store.sqlite.migrate import version
from vetlla.store.sqlite.ownership import create, make_directory, sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.store.journal.free_space import FreeSpace

MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"
"""Ending of the name of a backup that is being made."""
STEPS_PER_FLUSH = 16
"""Steps of the copy, of a mebibyte each, between two flushes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The manifest's entry for one file."""

    bytes: int
    sha256: str
    schema: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The description of a backup."""

    made: str
    """UTC, ISO 8601."""
    vetlla: str
    """The version of Vetlla that made it."""
    head: str | None
    """End of the journal's audit chain; None if there was no journal."""
    last_signal: int | None
    files: dict[str, Copy]
    reminders_head: str | None = None
    """End of the audit chain of the reminders."""
    cards_head: str | None = None
    """End of the log of the cards."""

    @classmethod
    def read(cls, backup: Path) -> Self:
        """Return the manifest of a backup. Raises StoreError if it is missing or cannot be read."""
        path = backup / MANIFEST
        try:
            with open_file(path) as file:
                content = json.loads(file.read().decode())
            return cls(**content | {"files": {name: Copy(**facts) for name, facts in content["files"].items()}})
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}", remedy="name a directory made by vetlla db backup") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{path}: is no manifest: {error}", remedy="take another backup") from error


def back_up(
    state_dir: Path,
    target: Path,
    clock: Clock,
    room: FreeSpace,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> Manifest:
    """Make a backup in a new directory; return its manifest. Raises StoreError; UsageError if the directory exists.

    ``progress`` is called with the journal's pages copied so far and in total.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(Archive(state_dir, older=True)) if has_journal(state_dir) else None
        work = stack.enter_context(_made_whole(target))
        wanted = sum(size(state_dir / name) for name in (JOURNAL, f"{JOURNAL}-wal", REGISTRY, REMINDERS, CARDS))
        room.for_bytes(wanted, work)
        copies, made = {}, str(iso(clock.now().utc_us))
        if archive is not None:
            copies[JOURNAL] = _copy_journal(archive, work / JOURNAL, room, progress)
        if (state_dir / REGISTRY).exists():
            copies[REGISTRY] = _copy_registry(state_dir, work / REGISTRY, clock)
        if (state_dir / REMINDERS).exists():
            copies[REMINDERS] = _copy_reminders(state_dir, work / REMINDERS)
        if cards.is_kept(state_dir):
            copies[CARDS] = _copy_cards(state_dir, work / CARDS)
        manifest = _described(work, copies, made)
        _write(work / MANIFEST, json.dumps(asdict(manifest), indent=2) + "\n")
    return manifest


def has_journal(state_dir: Path) -> bool:
    """Return False for a directory of reminders or cards alone; in any other one a missing journal is a fault."""
    is_receivers = any((state_dir / name).exists() for name in (JOURNAL, f"{JOURNAL}-wal", LOCK, REGISTRY))
    return is_receivers or not any((state_dir / name).exists() for name in (REMINDERS, CARDS))


def _described(work: Path, copies: dict[str, Copy], made: str) -> Manifest:
    """Return the manifest of these copies."""
    head, last_signal, reminders_head, cards_head = None, None, None, None
    if JOURNAL in copies:
        with Archive(work, older=True) as copy:
            head, last_signal = str(head_of(copy.read)), history.last_number(copy, history.SIGNALS)
    if REMINDERS in copies:
        with reading_reminders(work) as copied:
            reminders_head = reminders_audit.head(copied)
    if CARDS in copies:
        with cards.reading(work) as copied:
            cards_head = str(cards_log.head(copied))
    return Manifest(
        made=made,
        vetlla=__version__,
        head=head,
        last_signal=last_signal,
        files=copies,
        reminders_head=reminders_head,
        cards_head=cards_head,
    )


@contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """Yield a work directory. After success it gets the backup's name and is durable; after an error it is removed."""
    target = target.absolute()
    work = target.with_name(target.name + UNFINISHED)
    if target.exists():
        raise UsageError(f"{target}: is there already", remedy="backups are never overwritten: choose another name")
    try:
        make_directory(work, 0o750)
    except FileExistsError as error:
        raise StoreError(
            f"{work}: another backup is being made, or one was interrupted",
            remedy=f"if no backup is running: rm -r {work}",
        ) from error
    except PermissionError as error:
        raise UsageError(f"{work}: {error.strerror}", remedy="name a directory where this user may write") from error
    except OSError as error:
        raise StoreError(f"{work}: {error.strerror}", remedy="name a directory where this user may write") from error
    try:
        yield work
        sync_directory(work)
        work.rename(target)
        sync_directory(target.parent)
    except BaseException as error:
        shutil.rmtree(work, ignore_errors=True)
        if isinstance(error, OSError):
            raise StoreError(f"{error.filename or work}: {error.strerror}", remedy="is the disk full?") from error
        raise


def _copy_journal(archive: Archive, path: Path, room: FreeSpace, progress: Callable[[int, int], None]) -> Copy:
    with _file(path) as descriptor, _open(path) as connection:
        steps = 0

        def pace(done: int, of: int) -> None:
            nonlocal steps
            steps += 1
            room.check()
            if steps % STEPS_PER_FLUSH == 0:
                os.fdatasync(descriptor)
            progress(done, of)

        # An unfinished copy is not a backup, so it needs neither a rollback journal nor syncs.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        archive.copy(connection, pace)
    return _finished(path)


def _copy_registry(state_dir: Path, path: Path, clock: Clock) -> Copy:
    with _file(path), _open(path) as connection, reading(state_dir, clock) as registry:
        registry.backup(connection)
    return _finished(path)


def _copy_reminders(state_dir: Path, path: Path) -> Copy:
    with _file(path), _open(path) as connection, reading_reminders(state_dir) as reminders:
        connection.execute("PRAGMA journal_mode = OFF")  # as for the journal
        connection.execute("PRAGMA synchronous = OFF")
        reminders.backup(connection)
    return _finished(path)


def _copy_cards(state_dir: Path, path: Path) -> Copy:
    with _file(path, cards.MODE), _open(path) as connection, cards.reading(state_dir) as kept:
        kept.backup(connection)
    return _finished(path)


def _finished(path: Path) -> Copy:
    """Turn a copy into one file that needs no log, flush it, and return its manifest entry."""
    with _open(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        schema = version(connection)
    with path.open("rb") as file:
        os.fsync(file.fileno())
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return Copy(bytes=path.stat().st_size, sha256=checksum, schema=schema)


@contextmanager
def _file(path: Path, mode: int = 0o640) -> Iterator[int]:
    descriptor = create(path, mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}", remedy="is the disk full or failing?") from error


def _write(path: Path, text: str) -> None:
    with _file(path) as descriptor:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
