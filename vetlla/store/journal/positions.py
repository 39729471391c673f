"""Where an account was last: found in the journal from its newest signals backwards, and not one further than needed.

A place kept back in a device comes later than newer ones, so that the last one received is not always the last one
known. What is looked for is the place with the latest time of its own; as no place is newer than its receipt, the walk
ends where signals were received before the best one's time. A device with live positions is done after one page.
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
"""Signals read at once: a read that is over before the next checkpoint is due."""
LOOKED_THROUGH = 100_000
"""Signals of one account that are looked through for a place: a third of a second, and at one report a minute ten
weeks. A terminal that knows its place says it more often."""


class LastKnown(NamedTuple):
    """The place that an account was last known at, and what told it."""

    stored: Stored
    """Its signal has a position."""
    at_us: int
    """When the device was there: the position's own time, else the report's, else (or where these lie in the future)
    that of receipt."""
    is_timed: bool
    """Whether that is the device's own word."""


class Search(NamedTuple):
    """What came of looking for a place."""

    found: LastKnown | None
    looked_through: int
    """Signals of the account that were looked at."""
    is_whole: bool
    """Whether there are no more of them: then there is no place, else none among those."""


class _Best(NamedTuple):
    id: int
    at_us: int
    is_timed: bool


def last_position(
    archive: Archive, account: str, belongs: Callable[[AccountId], bool], *, limit: int = LOOKED_THROUGH
) -> Search:
    """Look for the last known position of a caller among the newest ``limit`` signals of its account, in any case.

    ``belongs`` tells which receiver and line are the caller's: other homes may have the same number behind others.
    """
    best: _Best | None = None
    before, seen, is_whole = history.last_number(archive, history.SIGNALS) + 1, 0, False
    while seen < limit and not is_whole:
        wanted = min(PAGE, limit - seen)
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
    # A clock that runs ahead does not make a place newer than its receipt: what it says is no time.
    is_timed = row["at_us"] is not None and row["at_us"] <= row["received_us"]
    at_us = row["at_us"] if is_timed else row["received_us"]
    return _Best(row["id"], at_us, is_timed) if best is None or at_us > best.at_us else best


def _read(archive: Archive, best: _Best) -> LastKnown:
    stored = history.signal(archive, best.id)
    if stored is None or stored.signal.position is None:  # signals are never changed: it is another journal now
        raise StoreError(f"{archive.path}: was replaced in the middle of the search", remedy="ask again")
    return LastKnown(stored, best.at_us, best.is_timed)
