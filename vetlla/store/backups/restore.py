"""Restores a backup, whole or not at all, and keeps the replaced files in a directory beside them.

The locks of the services ensure that none runs meanwhile. First the copies are made ready beside the old files. They
are brought to this program's schema and get an audit record. It says who restored the backup, its head, and the head
that it replaced. Without this record, nothing in the chain would show that its last days are missing. Then the files
are exchanged. That takes several steps, so a marker file exists during the exchange. While it exists no service starts.
If a power cut interrupts the exchange, the same restore completes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import StoreError
from vetlla.domain.plainfile import open_file
from vetlla.store.backups.backup import Manifest
from vetlla.store.backups.cards import prepare_cards
from vetlla.store.backups.erased import erased_since
from vetlla.store.backups.reminders import looked_through, prepare
from vetlla.store.backups.replaced import ASIDE, new_place
from vetlla.store.cards.opening import CARDS
from vetlla.store.cards.opening import LOCK as CARDS_LOCK
from vetlla.store.cards.opening import MODE as CARDS_MODE
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import head_of
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.numbers import LEAP, behind_all, next_numbers
from vetlla.store.journal.opening import JOURNAL, UNFINISHED_RESTORE, keep_out_receivers
from vetlla.store.registry.registry import LOCK as REGISTRY_LOCK
from vetlla.store.registry.registry import REGISTRY
from vetlla.store.reminders.opening import REMINDERS, keep_out_services
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.store.sqlite.ownership import create, make_directory, sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.store.backups.reminders import RestoredReminders
    from vetlla.store.journal.free_space import FreeSpace

INCOMING = "restore.incoming"
BESIDE = {JOURNAL: ("-wal", "-shm"), REGISTRY: ("-journal",), REMINDERS: ("-journal",), CARDS: ("-journal",)}
"""Endings of SQLite's files beside each database. They must move with it, or SQLite would apply them to another one."""
CHUNK = 16 << 20
NUMBERS = "journal.numbers"
"""Where a restore writes the first numbers that the receiver gives out after it."""


class Restored(NamedTuple):
    """The result of a restore, or of its dry run."""

    manifest: Manifest
    replaced_head: str | None
    """End of the journal's audit chain that was replaced; None if there was none, or if it could not be read."""
    aside: Path | None
    """Directory of the replaced files; None if no file was replaced."""
    numbers: Mapping[str, int]
    """By table: the first number that the receiver will give out, above all that are known to have been given out.
    Empty if the backup has no journal."""
    erased: tuple[str, ...] | None = ()
    """Homes that were erased since the backup, which has their data; None if the replaced journal cannot say."""
    reminders: RestoredReminders | None = None
    """None if the backup has no reminders."""


def restore(
    backup: Path,
    state_dir: Path,
    clock: Clock,
    room: FreeSpace,
    *,
    actor: str,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> Restored:
    """Replace databases with those of a verified backup (``inspection.inspect``).

    A database that the backup does not have stays. ``progress`` is called with the bytes copied so far and in total.
    After a StoreError everything is as it was before, or the marker file is there.
    """
    manifest = Manifest.read(backup)
    has_journal = JOURNAL in manifest.files
    with _keep_others_out(state_dir, manifest), _disk_errors(state_dir):
        room.for_bytes(sum(copy.bytes for copy in manifest.files.values()), state_dir)
        now = clock.now().utc_us
        replaced_head = _head(state_dir) if has_journal else None
        numbers = _numbers(backup, state_dir) if has_journal else {}
        erased = erased_since(backup, state_dir) if has_journal else ()
        aside = new_place(state_dir, to_datetime(now))
        reminders = looked_through(backup, state_dir, to_datetime(now)) if REMINDERS in manifest.files else None
        replaced = [path for name in manifest.files for path in _files_of(state_dir / name) if path.exists()]
        if not dry_run:
            detail: dict[str, object] = {
                "made": manifest.made, "head": manifest.head, "replaced_head": replaced_head, "numbers": numbers,
            }  # fmt: skip
            with _incoming(backup, state_dir, manifest, progress) as incoming:
                if has_journal:
                    _sign(incoming, clock, Entry(now, actor, "restore", "journal", detail), numbers)
                if reminders is not None:
                    reminders = prepare(incoming, state_dir, manifest, clock, actor)
                if CARDS in manifest.files:
                    prepare_cards(incoming, state_dir, manifest, clock, actor)
                _exchange(incoming, state_dir, manifest, replaced, aside)
                if has_journal:
                    _remember(state_dir, numbers)
        return Restored(manifest, replaced_head, aside if replaced else None, numbers, erased, reminders)


@contextmanager
def _keep_others_out(state_dir: Path, manifest: Manifest) -> Iterator[None]:
    with ExitStack() as stack:
        if JOURNAL in manifest.files:
            stack.enter_context(keep_out_receivers(state_dir))
            stack.enter_context(exclusive(state_dir / REGISTRY_LOCK))
        if REMINDERS in manifest.files:
            stack.enter_context(keep_out_services(state_dir))
        if CARDS in manifest.files:
            stack.enter_context(exclusive(state_dir / CARDS_LOCK))
        yield


@contextmanager
def _disk_errors(state_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.filename or state_dir}: {error.strerror}", remedy="is the disk full? restore again when it is not"
        ) from error


def _head(state_dir: Path) -> str | None:
    try:
        with Archive(state_dir, older=True) as archive:
            return str(head_of(archive.read))
    except StoreError:
        return None  # missing or damaged, which may be why a backup is restored


def _numbers(backup: Path, state_dir: Path) -> dict[str, int]:
    """Return the first numbers above all that the backup, the current journal and earlier replaced ones gave out."""
    here = _next_numbers(state_dir)
    earlier = [_next_numbers(path) for path in state_dir.glob(f"{ASIDE}-*")]
    # After an interrupted restore the last journal is among the replaced ones; otherwise its last numbers are unknown.
    unknown = here is None and not (state_dir / UNFINISHED_RESTORE).exists()
    known = [numbers for numbers in (_next_numbers(backup), here, *earlier) if numbers is not None]
    # An unreadable journal began with the first numbers of the restore before it, and gave out numbers from there.
    known += [_begun_at(state_dir)]
    return behind_all(known, leap=unknown)


def _begun_at(state_dir: Path) -> dict[str, int]:
    """Return the first numbers of the last restore; 1 for each table if there was none, or if they cannot be read."""
    try:
        first = json.loads((state_dir / NUMBERS).read_text(encoding="ascii"))
        return {table: int(first[table]) for table in LEAP}
    except (OSError, ValueError, KeyError, TypeError):
        return dict.fromkeys(LEAP, 1)


def _remember(state_dir: Path, numbers: Mapping[str, int]) -> None:
    """Write the first numbers where the next restore finds them, even if the journal is unreadable by then."""
    new = state_dir / f"{NUMBERS}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(create(new, 0o640), "w", encoding="ascii") as out:
        json.dump(dict(numbers), out)
        out.flush()
        os.fsync(out.fileno())
    new.replace(state_dir / NUMBERS)
    sync_directory(state_dir)


def _next_numbers(directory: Path) -> dict[str, int] | None:
    try:
        with Archive(directory, older=True) as archive:
            return next_numbers(archive.read)
    except StoreError:
        return None


def _files_of(database: Path) -> list[Path]:
    return [database, *(database.with_name(database.name + end) for end in BESIDE[database.name])]


@contextmanager
def _incoming(
    backup: Path, state_dir: Path, manifest: Manifest, progress: Callable[[int, int], None]
) -> Iterator[Path]:
    """Copy the backup's files into a directory beside the files that they replace."""
    incoming = state_dir / INCOMING
    shutil.rmtree(incoming, ignore_errors=True)  # left by an interrupted restore
    make_directory(incoming, 0o750)
    try:
        of = sum(copy.bytes for copy in manifest.files.values())
        done = 0
        for name, copy in manifest.files.items():
            hasher = hashlib.sha256()
            for written in _copy(backup / name, incoming / name, hasher):
                progress(done + written, of)
            if hasher.hexdigest() != copy.sha256:
                raise StoreError(f"{backup / name}: is not the file that was backed up", remedy="take another backup")
            done += copy.bytes
        yield incoming
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _copy(source: Path, target: Path, hasher: hashlib._Hash) -> Iterator[int]:
    """Copy a file and sync it; yield how many bytes are written so far."""
    mode = CARDS_MODE if target.name == CARDS else 0o640
    with open_file(source) as read, os.fdopen(create(target, mode), "wb") as written:
        while chunk := read.read(CHUNK):
            hasher.update(chunk)
            written.write(chunk)
            yield written.tell()
        written.flush()
        os.fsync(written.fileno())


def _sign(incoming: Path, clock: Clock, entry: Entry, numbers: Mapping[str, int]) -> None:
    """Bring the journal to this program's schema, and record in it that it was restored."""
    journal = Journal(incoming, clock)
    try:
        journal.sign(entry, numbers)
    finally:
        journal.close()
    if any(path.exists() for path in _files_of(incoming / JOURNAL)[1:]):
        raise StoreError(f"{incoming / JOURNAL}: its log could not be moved into it", remedy="is the disk failing?")


def _exchange(incoming: Path, state_dir: Path, manifest: Manifest, replaced: list[Path], aside: Path) -> None:
    if replaced:
        make_directory(aside, 0o750)
    marker = state_dir / UNFINISHED_RESTORE
    with suppress(FileExistsError):  # left by an interrupted restore
        os.close(create(marker, 0o640))
    sync_directory(state_dir)
    for path in replaced:
        path.rename(aside / path.name)
    if replaced:
        sync_directory(aside)
    for name in manifest.files:
        (incoming / name).rename(state_dir / name)
    sync_directory(state_dir)
    marker.unlink()
    sync_directory(state_dir)
