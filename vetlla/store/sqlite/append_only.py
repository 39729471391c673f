"""Tables whose rows triggers protect from changes, and the one way to remove personal data from them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


@contextmanager
def without_triggers(connection: sqlite3.Connection, *names: str) -> Iterator[None]:
    """Lift triggers that refuse changes, while the body removes what the law demands to be removed.

    Must be called within a transaction, so that no other process ever sees the tables unprotected.
    """
    kept = [_sql_of(connection, name) for name in names]
    for name in names:
        connection.execute(f"DROP TRIGGER {name}")
    yield
    for sql in kept:
        connection.execute(sql)


def _sql_of(connection: sqlite3.Connection, name: str) -> str:
    (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", (name,)).fetchone()
    return str(sql)
