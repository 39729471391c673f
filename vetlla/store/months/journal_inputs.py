"""Digests of the journal as it was known at a time: the head of its audit, the ledger of supervision, the signals.

The audit proves every row of the journal. The other digests say which part of it differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.closing import ClosedInput, InputName
from vetlla.store.journal.audit import ERASED, PRUNE, Head, head_of, holds
from vetlla.store.journal.communications import counted_rows
from vetlla.store.months.digests import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.store.journal.archive import Archive

_DAY: Final = "SELECT down_s, tolerance_s FROM ledger_days WHERE day = ?"
_STRETCHES: Final = "SELECT stretch FROM ledger WHERE day = ? ORDER BY stretch"
_COLUMNS: Final = "SELECT stretch, columns FROM ledger WHERE day = ? AND stretch = ?"
_REMOVALS: Final = """
SELECT action, count(*) AS times FROM audit INDEXED BY audit_deeds
WHERE action <> 'commit' AND action IN (?, ?) AND id > ? GROUP BY action
"""


class Removed(NamedTuple):
    """What the law had removed from the record since a head of the audit."""

    homes: int
    """Erasures of homes."""
    by_age: bool
    """Whether signals or parts of them were removed because they were too old."""


def of_journal(
    archive: Archive, days: Iterable[str], since_us: int, until_us: int, known_us: int
) -> Iterator[ClosedInput]:
    """Yield the digests of the journal; ``days`` are those of the ledger, and the end of the time is excluded."""
    head = head_of(archive.read)
    yield ClosedInput(InputName.JOURNAL, head.id, head.hash.hex())
    yield Tally().all(counted_rows(archive, since_us, until_us, known_us)).input(InputName.SIGNALS)
    for day in days:
        tally = Tally().all(tuple(row) for row in archive.read(_DAY, (day,)))
        for (stretch,) in archive.read(_STRETCHES, (day,)):
            tally.all(tuple(row) for row in archive.read(_COLUMNS, (day, stretch)))
        yield tally.input(f"{InputName.LEDGER}{day}")


def is_ancestor(archive: Archive, kept: ClosedInput) -> bool:
    """Return True if the audit of the journal still contains the head that a close saw."""
    try:
        return kept.rows == 0 or holds(archive.read, Head(kept.rows, bytes.fromhex(kept.digest)))
    except ValueError:  # the kept hash was changed by hand
        return False


def removed_since(archive: Archive, kept: ClosedInput) -> Removed:
    """Return what was removed since a close."""
    found = {row["action"]: row["times"] for row in archive.read(_REMOVALS, (ERASED, PRUNE, kept.rows))}
    return Removed(found.get(ERASED, 0), PRUNE in found)


def ledger_from(archive: Archive) -> str:
    """Return the first day that the ledger of supervision has; empty if it has none."""
    (row,) = archive.read("SELECT coalesce(min(day), '') AS day FROM ledger", ())
    return str(row["day"])
