"""Which homes were erased since a backup: a restore of it brings their data back, and they must be erased again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.store.backups.replaced import ASIDE, replaced_place
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import ERASED
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

_ERASURES = (
    "SELECT id, at_us, subject FROM audit INDEXED BY audit_deeds WHERE action <> 'commit' AND action = ? ORDER BY id"
)


def erased_since(backup: Path, state_dir: Path) -> tuple[str, ...] | None:
    """Return the homes of which a replaced journal records an erasure that is later than all in the backup.

    Journals that earlier restores replaced count as well: such a restore may have ended before it erased again.
    None if the journal that is replaced now is missing or damaged, so that the erasures since the backup are unknown.
    """
    place = replaced_place(state_dir, JOURNAL)
    if place is None:
        return None
    try:
        known = {subject: at_us for _, at_us, subject in erasures(backup)}
        found = list(erasures(place))
    except StoreError:
        return None
    for earlier in sorted(state_dir.glob(f"{ASIDE}-*")):
        with suppress(StoreError):
            found += erasures(earlier)
    homes = (subject.removeprefix("home ") for _, at_us, subject in found if at_us > known.get(subject, -1))
    return tuple(dict.fromkeys(homes))


def erasures(directory: Path) -> list[tuple[int, int, str]]:
    """Return number, time and subject of each erasure that a journal records. Raises StoreError."""
    with Archive(directory, older=True) as archive:
        return [tuple(row) for row in archive.read(_ERASURES, (ERASED,))]
