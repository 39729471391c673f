"""Checks whether the databases of a backup or a state directory are whole; the services may be running."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError, UsageError
from vetlla.domain.plainfile import open_file
from vetlla.store.accounts.table import account_book
from vetlla.store.backups.backup import MANIFEST, Manifest, has_journal
from vetlla.store.cards import log as cards_log
from vetlla.store.cards.opening import CARDS, is_kept
from vetlla.store.cards.opening import reading as reading_cards
from vetlla.store.cards.table import damage
from vetlla.store.journal import audit
from vetlla.store.journal.archive import Archive, is_damage
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY, reading
from vetlla.store.reminders import audit as reminders_audit
from vetlla.store.reminders.opening import REMINDERS
from vetlla.store.reminders.opening import reading as reading_reminders
from vetlla.store.sqlite.faults import sqlite_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock

    Progress = Callable[[str, int, int], None]
    """Called with what is being checked, how much is done and how much there is; both are 0 if that is unknown."""


class Damage(NamedTuple):
    """A fault in a file: it is not as it was written."""

    file: str
    what: str


def inspect(
    place: Path, clock: Clock, pace: Callable[[], None] = lambda: None, progress: Progress = lambda *_: None
) -> Iterator[Damage]:
    """Yield what is wrong with a backup, a state directory, or one database of either. Nothing is written.

    ``pace`` is called now and then during a long read, and may raise to stop it (``FreeSpace.check``). Raises
    StoreError if the files cannot be checked (missing, newer schema, no permission), and UsageError.
    """
    if place.is_dir():
        yield from _directory(place, clock, pace, progress)
    elif place.name == JOURNAL:
        yield from _journal(place.parent, pace, progress)
    elif place.name == REGISTRY:
        yield from _registry(place.parent, clock, progress)
    elif place.name == REMINDERS:
        yield from _reminders(place.parent, progress)
    elif place.name == CARDS:
        yield from _cards(place.parent, progress)
    else:
        raise UsageError(
            f"{place}: cannot be verified",
            remedy=f"name a backup, a state directory, or its {JOURNAL}, {REGISTRY}, {REMINDERS} or {CARDS}",
        )


def _directory(directory: Path, clock: Clock, pace: Callable[[], None], progress: Progress) -> Iterator[Damage]:
    manifest = Manifest.read(directory) if (directory / MANIFEST).exists() else None
    if manifest:
        broken = list(_against_manifest(directory, manifest, progress))
        yield from broken
        if any(damage.what == _MISSING for damage in broken):
            return
    if has_journal(directory):
        yield from _journal(directory, pace, progress, manifest)
    if (directory / REGISTRY).exists():
        yield from _registry(directory, clock, progress)
    if (directory / REMINDERS).exists():
        yield from _reminders(directory, progress, manifest)
    if is_kept(directory):
        yield from _cards(directory, progress, manifest)


_MISSING = "is missing"


def _against_manifest(directory: Path, manifest: Manifest, progress: Progress) -> Iterator[Damage]:
    for name, copy in manifest.files.items():
        progress(f"checksum of {name}", 0, 0)
        path = directory / name
        try:
            with open_file(path) as file:
                checksum = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield Damage(name, _MISSING)
            continue
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}", remedy="run as a user that may read it") from error
        if checksum != copy.sha256:
            yield Damage(name, "is not the file that was backed up: its checksum differs")


def _journal(
    directory: Path, pace: Callable[[], None], progress: Progress, manifest: Manifest | None = None
) -> Iterator[Damage]:
    with _damage_told(JOURNAL) as damages, Archive(directory, older=True) as archive:
        progress(f"structure of {JOURNAL}", 0, 0)
        damages += [Damage(JOURNAL, found) for found in archive.damage(pace)]
        flaws = audit.verify(archive.read, lambda done, of: progress("audit chain", done, of))
        damages += [Damage(JOURNAL, f"audit record {flaw.audit_id}: {flaw.what}") for flaw in flaws]
        head = str(audit.head_of(archive.read))
        if manifest and head != manifest.head:
            damages.append(Damage(JOURNAL, f"its audit chain ends with {head}, but the manifest says {manifest.head}"))
    yield from damages


def _registry(directory: Path, clock: Clock, progress: Progress) -> Iterator[Damage]:
    with _damage_told(REGISTRY) as damages, reading(directory, clock) as registry:
        progress(f"structure of {REGISTRY}", 0, 0)
        found = [row[0] for row in registry.execute("PRAGMA integrity_check")]
        damages += [Damage(REGISTRY, what) for what in found if what != "ok"]
        account_book(registry)
    yield from damages


def _reminders(directory: Path, progress: Progress, manifest: Manifest | None = None) -> Iterator[Damage]:
    # SQLite checks the structure in one read, for which the service would have to wait. So a copy is checked. It is a
    # temporary database, which has no name and ends with its connection.
    path = directory / REMINDERS
    with _damage_told(REMINDERS) as damages, closing(sqlite3.connect("", isolation_level=None)) as copy:
        progress(f"structure of {REMINDERS}", 0, 0)
        copy.row_factory = sqlite3.Row
        with reading_reminders(directory) as reminders:
            reminders.backup(copy)
        with sqlite_errors(path):
            found = [row[0] for row in copy.execute("PRAGMA integrity_check")]
            damages += [Damage(REMINDERS, what) for what in found if what != "ok"]
            progress("audit chain", 0, 0)
            if flaw := reminders_audit.flaw(copy):
                damages.append(Damage(REMINDERS, flaw))
            head = reminders_audit.head(copy)
        if manifest and manifest.reminders_head not in {None, head}:
            says = f"the manifest says {manifest.reminders_head}"
            damages.append(Damage(REMINDERS, f"its audit chain ends with {head}, but {says}"))
    yield from damages


def _cards(directory: Path, progress: Progress, manifest: Manifest | None = None) -> Iterator[Damage]:
    """Check the cards without their key: a person who verifies backups need not be able to open them."""
    with _damage_told(CARDS) as damages, reading_cards(directory) as db:
        progress(f"structure of {CARDS}", 0, 0)
        found = (f"home {one.home}: {one.what}" if one.home else one.what for one in damage(db))
        damages += [Damage(CARDS, what) for what in found]
        head = str(cards_log.head(db))
        if manifest and manifest.cards_head not in {None, head}:
            damages.append(Damage(CARDS, f"its log ends with {head}, but the manifest says {manifest.cards_head}"))
    yield from damages


@contextmanager
def _damage_told(file: str) -> Iterator[list[Damage]]:
    """Yield a list for damage. An error that shows damage is added to it; other errors pass through."""
    damages: list[Damage] = []
    try:
        yield damages
    except StoreError as error:
        if not is_damage(error):
            raise
        damages.append(Damage(file, error.args[0]))
