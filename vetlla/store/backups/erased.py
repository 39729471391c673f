"""Which homes were erased since a backup: a restore of it brings their data back, and they must be erased again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.store.backups.replaced import replaced_place
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import ERASED
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

_ERASURES = (
    "SELECT id, at_us, subject FROM audit INDEXED BY audit_deeds WHERE action <> 'commit' AND action = ? ORDER BY id"
)


def erased_since(backup: Path, state_dir: Path) -> tuple[str, ...] | None:
    """Return the homes whose erasure the replaced journal records, and the backup's does not.

    None if the replaced journal is missing or damaged, so that the erasures since the backup are unknown.
    """
    place = replaced_place(state_dir, JOURNAL)
    if place is None:
        return None
    try:
        known = set(erasures(backup))
        later = [one for one in erasures(place) if one not in known]
    except StoreError:
        return None
    return tuple(dict.fromkeys(subject.removeprefix("home ") for _, _, subject in later))


def erasures(directory: Path) -> list[tuple[int, int, str]]:
    """Return number, time and subject of each erasure that a journal records. Raises StoreError."""
    with Archive(directory, older=True) as archive:
        return [tuple(row) for row in archive.read(_ERASURES, (ERASED,))]
