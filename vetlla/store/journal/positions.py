"""Finds where an account was last: reads its signals in the journal, newest first, and stops as early as possible.

A device may send a buffered place after newer ones, so the last place received is not always the last one known. The
place with the latest time of its own is wanted. No place is newer than its receipt, so the search ends at signals that
were received before the best place's time. For a device with live positions, one page is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError
from vetlla.domain.signals import AccountId
from vetlla.store.journal import history

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from vetlla.store.journal.archive import Archive
    from vetlla.store.journal.stored import Stored

PAGE = 500
"""Signals in one read, which ends before the next checkpoint is due."""
LOOKED_THROUGH = 100_000
"""Signals of one account that are searched for a place: a third of a second, and ten weeks at one report a minute. A
terminal that knows its place reports it more often."""


class LastKnown(NamedTuple):
    """The last known place of an account, and the signal that reported it."""

    stored: Stored
    """A signal that has a position."""
    at_us: int
    """When the device was there: the position's own time, or else the report's. If both are missing or in the future,
    the time of receipt."""
    is_timed: bool
    """Whether the device itself gave that time."""


class Search(NamedTuple):
    """The result of a search for a place."""

    found: LastKnown | None
    looked_through: int
    """Number of the account's signals that were read."""
    is_whole: bool
    """Whether these were all of the account's signals, so that a place that was not found does not exist."""


class _Best(NamedTuple):
    id: int
    at_us: int
    is_timed: bool


def last_position(
    archive: Archive,
    account: str,
    belongs: Callable[[AccountId], bool],
    *,
    limit: int = LOOKED_THROUGH,
    page: int = PAGE,
) -> Search:
    """Return the last known position of a caller, from the newest ``limit`` signals of its account.

    The account matches in upper and lower case. ``belongs`` says which receivers and lines are the caller's, because
    other homes may have the same number on others. ``page`` signals are read at once.
    """
    best: _Best | None = None
    before, seen, is_whole = history.last_number(archive, history.SIGNALS) + 1, 0, False
    while seen < limit and not is_whole:
        wanted = min(page, limit - seen)
        rows = archive.read(_NEWEST, (account, before, wanted))
        for row in rows:
            if best is not None and row["received_us"] < best.at_us:
                return Search(_read(archive, best), seen, is_whole=False)
            seen += 1
            if belongs(AccountId(row["receiver"], row["line"], row["account"])):
                best = _better(best, row)
        is_whole = len(rows) < wanted
        before = rows[-1]["id"] if rows else before
    return Search(None if best is None else _read(archive, best), seen, is_whole)


_NEWEST = """
    SELECT id, receiver, line, account, received_us,
           json_type(more, '$.position') = 'object' AS is_placed,
           coalesce(json_extract(more, '$.position.at_us'), occurred_us) AS at_us
    FROM signals INDEXED BY signals_by_account
    WHERE account = ? AND id < ?
    ORDER BY id DESC LIMIT ?
"""


def _better(best: _Best | None, row: sqlite3.Row) -> _Best | None:
    if not row["is_placed"]:
        return best
    # A place is never newer than its receipt, so the time of a clock that runs ahead is ignored.
    is_timed = row["at_us"] is not None and row["at_us"] <= row["received_us"]
    at_us = row["at_us"] if is_timed else row["received_us"]
    return _Best(row["id"], at_us, is_timed) if best is None or at_us > best.at_us else best


def _read(archive: Archive, best: _Best) -> LastKnown:
    stored = history.signal(archive, best.id)
    if stored is None or stored.signal.position is None:  # signals do not change, so this is another journal
        raise StoreError(f"{archive.path}: was replaced in the middle of the search", remedy="search again")
    return LastKnown(stored, best.at_us, best.is_timed)
