"""What the receiver knows and heard, as far as the inventory compares itself with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from vetlla.errors import StoreError
from vetlla.store.rows import Flag

if TYPE_CHECKING:
    from pathlib import Path

RECENT = 1_000_000
"""Signals looked back at: weeks of a large service, and a second's work."""


def registered(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the receiver's accounts and the home of each, from ``registry.db``."""
    return {account.upper(): home for account, home in connection.execute("SELECT account, home FROM accounts")}


def unknown(journal: Path) -> dict[str, int]:
    """Return accounts that were heard and not known, and how often; {} where there is no journal.

    Reads the daemon's journal without ever writing to it (design: the daemon is its only writer).
    """
    if not journal.exists():
        return {}
    try:
        uri = f"{journal.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            rows = connection.execute(
                "SELECT account, count(*) FROM signals WHERE id > (SELECT max(id) FROM signals) - ? AND flags & ?"
                " GROUP BY account",
                (RECENT, Flag.UNKNOWN_ACCOUNT.value),
            ).fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"{journal}: {error}", remedy="run as a user that may read the journal") from error
    return {account.upper(): times for account, times in rows}
