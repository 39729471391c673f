"""What the receiver knows and heard, as far as the inventory compares itself with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.store.archive import Archive
from vetlla.store.rows import Flag

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

RECENT = 1_000_000
"""Signals looked back at: weeks of a large service, and a second's work."""
# Not by the index of accounts, which would lead through every signal there ever was.
_UNKNOWN = """
SELECT account, count(*) AS times FROM signals NOT INDEXED
WHERE id > (SELECT max(id) FROM signals) - ? AND flags & ? GROUP BY account
"""


def registered(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the receiver's accounts and the home of each, from ``registry.db``."""
    return {account.upper(): home for account, home in connection.execute("SELECT account, home FROM accounts")}


def unknown(journal: Path) -> dict[str, int]:
    """Return accounts that were heard and not known, and how often; {} where there is no journal."""
    if not journal.exists():
        return {}
    with Archive(journal.parent) as archive:
        rows = archive.read(_UNKNOWN, (RECENT, Flag.UNKNOWN_ACCOUNT.value))
    return {row["account"].upper(): row["times"] for row in rows}
