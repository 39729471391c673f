"""Says from when on the journal has all signals, and which ones it had and has no longer.

Three things take signals out of a past month: the month is older than the journal, a removal by age, and a restore of a
backup, which ends before the journal that it replaced.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import to_us
from vetlla.domain.removal import What
from vetlla.store.journal.audit_comparison import detail_of
from vetlla.store.journal.numbers import numbers_of
from vetlla.store.journal.retention import latest_removed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.store.journal.archive import Archive

_BEGAN: Final = """
SELECT (SELECT first_us FROM boots ORDER BY id LIMIT 1) AS boot_us,
       (SELECT received_us FROM signals ORDER BY id LIMIT 1) AS signal_us
"""
_REMOVED: Final = "SELECT value FROM retention WHERE name = ?"
_WAS_RESTORED: Final = "SELECT 1 FROM numbers LIMIT 1"
"""Every restore leaves its numbers there, so that the audit of a journal without one need not be looked through."""
_RESTORES: Final = """
SELECT id, at_us, detail FROM audit INDEXED BY audit_deeds WHERE action <> 'commit' AND action = 'restore' ORDER BY id
"""
_COMMIT_BEFORE: Final = "SELECT detail FROM audit WHERE id < ? AND action = 'commit' ORDER BY id DESC LIMIT 1"


class LostTime(NamedTuple):
    """A time of which a restore may have lost signals; microseconds UTC."""

    begin_us: int
    """When the backup was made."""
    end_us: int
    """When it was restored."""


class Extent(NamedTuple):
    """What a journal has of the past; microseconds UTC."""

    began_us: int | None
    """First start of a receiver, or the first signal if that is earlier; None if there was neither."""
    removed_us: int | None
    """Up to then signals were removed because of their age; None if none was."""
    lost: tuple[LostTime, ...]


def extent(archive: Archive) -> Extent:
    """Return what a journal has of the past. Raises StoreError."""
    (began,) = archive.read(_BEGAN)
    known = [at_us for at_us in began if at_us is not None]
    removed = [row["value"] for row in archive.read(_REMOVED, (latest_removed(What.SIGNALS),))]
    return Extent(min(known, default=None), max(removed, default=None), tuple(_lost(archive)))


def _lost(archive: Archive) -> Iterator[LostTime]:
    if not archive.read(_WAS_RESTORED):
        return
    for row in archive.read(_RESTORES):
        last = max((_last_of(one) for one in archive.read(_COMMIT_BEFORE, (row["id"],))), default=0)
        # The next number is above all that were given out. So it tells whether the replaced journal had more signals.
        if numbers_of(row).get("signals", 1) - 1 > last:
            yield LostTime(_made_us(row), row["at_us"])


def _last_of(commit: sqlite3.Row) -> int:
    match detail_of(commit):
        case {"last": int(last)}:
            return last
        case _:
            return 0


def _made_us(restore: sqlite3.Row) -> int:
    """Return when the backup was made; 0 if the record does not say it, so that all before the restore may be lost."""
    with suppress(ValueError, OverflowError):
        match detail_of(restore):
            case {"made": str(made)}:
                return to_us(datetime.fromisoformat(made))
    return 0
