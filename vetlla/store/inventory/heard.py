"""The receiver's accounts and the unknown callers, with which the inventory is compared."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vetlla.domain.signals import Flag, Reason
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

_CODES = {
    "account": """
SELECT account FROM accounts WHERE account NOT GLOB '*[^0-9]*'
UNION SELECT account FROM devices WHERE account != '' AND account NOT GLOB '*[^0-9]*'""",
    "home": """
SELECT home FROM accounts WHERE home != '' AND home NOT GLOB '*[^0-9]*'
UNION SELECT home FROM home_facts WHERE home NOT GLOB '*[^0-9]*'""",
}
RECENT = 1_000_000
"""Number of the newest signals that are read: weeks of a large service, in about a second."""
# Do not use the index of accounts, because it would lead through all signals ever stored.
_UNKNOWN = """
SELECT account, count(*) AS times FROM signals NOT INDEXED
WHERE id > (SELECT max(id) FROM signals) - ? AND flags & ? GROUP BY account
"""
_REFUSED = """
SELECT account, count(*) AS times FROM rejects
WHERE id > (SELECT max(id) FROM rejects) - ? AND reason = ? GROUP BY account
"""


def registered(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Return the receiver's accounts and the homes of each, from ``registry.db``.

    An account has several homes if it is registered for several receivers or lines, and no home if none is registered.
    """
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for account, home in connection.execute("SELECT account, home FROM accounts"):
        homes[account.upper()] |= {home} if home else set()
    return {account: frozenset(found) for account, found in homes.items()}


def account_codes(connection: sqlite3.Connection, column: str) -> Iterator[str]:
    """Yield the accounts or homes, of the receiver and of the inventory, whose codes consist of digits only."""
    yield from (code for (code,) in connection.execute(_CODES[column]))


def expects(connection: sqlite3.Connection, account: str, home: str) -> bool:
    """Return True if the receiver has an account for a home, on any receiver and line."""
    found = connection.execute("SELECT 1 FROM accounts WHERE account = ? AND home = ?", (account, home)).fetchone()
    return found is not None


def accounts_of(connection: sqlite3.Connection, home: str) -> list[str]:
    """Return the accounts that are registered for a home."""
    return [
        account
        for (account,) in connection.execute(
            "SELECT DISTINCT account FROM accounts WHERE home = ? AND home != '' ORDER BY account", (home,)
        )
    ]


def unknown(journal: Path) -> dict[str, int]:
    """Return how often each unregistered account reported, whether stored or refused; {} if there is no journal."""
    if not journal.exists():
        return {}
    with Archive(journal.parent) as archive:
        rows = archive.read(_UNKNOWN, (RECENT, Flag.UNKNOWN_ACCOUNT.value))
        rows += archive.read(_REFUSED, (RECENT, Reason.UNKNOWN_ACCOUNT.value))
    heard: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        heard[row["account"].upper()] += row["times"]
    return dict(heard)
