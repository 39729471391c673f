"""A transaction of a connection that begins none by itself (``isolation_level=None``)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the body does, or roll it back after an error. The body may roll it back itself."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if connection.in_transaction:
        connection.execute("COMMIT")
