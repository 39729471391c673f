"""What the registry has of a home that left: what is personal goes, what invoices and past months rest on stays.

The home keeps its code, district, base, support level and periods, its devices their movements. The history of accounts
still says which account was the home's: of a code that no other record explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.store.inventory import queries as inventory

if TYPE_CHECKING:
    import sqlite3
    from datetime import date

_REGISTERED = "SELECT account FROM accounts WHERE home = ? ORDER BY account"
_MOVED_ON = "SELECT account FROM accounts WHERE account = ? AND home NOT IN ('', ?)"
_COUNTS = {
    "people": "SELECT count(*) FROM people WHERE home = ?",
    "programmes": "SELECT count(*) FROM programme_periods WHERE person IN (SELECT code FROM people WHERE home = ?)",
    "homes": "SELECT count(*) FROM homes WHERE code = ? AND (phones != '[]' OR language != '' OR alone)",
    "notes_of_movements": "SELECT count(*) FROM movements WHERE home = ? AND note != ''",
    "visits": "SELECT count(*) FROM visits WHERE home = ?",
}
_ERASE = (
    "DELETE FROM programme_periods WHERE person IN (SELECT code FROM people WHERE home = ?)",
    "DELETE FROM people WHERE home = ?",
    "UPDATE homes SET phones = '[]', language = '', alone = 0 WHERE code = ?",
    "UPDATE movements SET note = '' WHERE home = ? AND note != ''",
    "DELETE FROM visit_tasks WHERE visit IN (SELECT id FROM visits WHERE home = ?)",
    "DELETE FROM visits WHERE home = ?",
)
_TRIGGER = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'movements_stay'"


class Kept(NamedTuple):
    """What the registry knows of a home."""

    known: bool
    """Whether it is, or was, a home of the inventory."""
    others: frozenset[str]
    """Accounts that were the home's, and are another home's now."""
    counts: dict[str, int]
    """Rows that an erasure removes or empties."""


def look(connection: sqlite3.Connection, home: str, accounts: list[str], day: date) -> Kept:
    """Return what there is of a home. Raises UsageError while the service attends it."""
    found = inventory.homes(connection, [home]).get(home)
    if found is not None and found.active_from(day):
        raise UsageError(
            f"home {home} is attended", remedy="record the day on which it left first: vetlla inventory import"
        )
    if registered := [row[0] for row in connection.execute(_REGISTERED, (home,))]:
        raise UsageError(
            f"account {registered[0]} is registered for home {home}",
            remedy=f"take it away first: vetlla accounts remove {registered[0]}",
        )
    others = {account for account in accounts if connection.execute(_MOVED_ON, (account, home)).fetchone()}
    counts = {name: int(connection.execute(sql, (home,)).fetchone()[0]) for name, sql in _COUNTS.items()}
    return Kept(found is not None, frozenset(others), counts)


def erase(connection: sqlite3.Connection, home: str) -> None:
    """Remove what is personal, within the caller's transaction: the file does not keep what was there."""
    connection.execute("PRAGMA secure_delete = ON")
    # The history of a device is never rewritten, but for this.
    (trigger,) = connection.execute(_TRIGGER).fetchone()
    connection.execute("DROP TRIGGER movements_stay")
    for sql in _ERASE:
        connection.execute(sql, (home,))
    connection.execute(trigger)
