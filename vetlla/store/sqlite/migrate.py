"""Numbered schema migrations, each applied in one transaction together with its own record.

``migrations/<database>/NNNN_name.sql`` holds one step. The number last applied is kept in ``PRAGMA user_version``,
where a reader finds it without a query, and in the table ``migrations``, where a person sees when it was applied.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.clock import Clock

_RECORD = (
    "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at_us INTEGER NOT NULL)"
)


class Migration(NamedTuple):
    """One step of a schema."""

    number: int
    name: str
    sql: str


@cache
def migrations(database: str) -> list[Migration]:
    """Return the steps of ``journal`` or ``registry`` in order."""
    folder = files("vetlla.store") / "migrations" / database
    steps = [
        Migration(int(entry.name[:4]), entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(steps)


def version(connection: sqlite3.Connection) -> int:
    """Return the number of the last migration applied; 0 for an empty database."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)


def refuse_newer(connection: sqlite3.Connection, database: str, path: str) -> None:
    """Raise StoreError if a later Vetlla than this one wrote the database."""
    known = migrations(database)[-1].number
    found = version(connection)
    if found > known:
        raise StoreError(
            f"{path}: schema {found} is newer than this program's {known}",
            remedy="run the Vetlla version that wrote it, or restore the backup taken before the upgrade",
        )


def migrate(connection: sqlite3.Connection, database: str, path: str, clock: Clock) -> list[Migration]:
    """Bring a database to this program's schema; return the steps that were applied.

    The connection must be in autocommit mode (``isolation_level=None``). Raises StoreError if the database is newer.
    """
    refuse_newer(connection, database, path)
    pending = [step for step in migrations(database) if step.number > version(connection)]
    apply(connection, pending, clock)
    return pending


def apply(connection: sqlite3.Connection, steps: Iterable[Migration], clock: Clock) -> None:
    """Apply steps one by one, each whole or not at all. If one fails, those before it stay applied."""
    for step in steps:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(step.sql):
                connection.execute(statement)
            connection.execute(_RECORD)
            connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (step.number, step.name, clock.now().utc_us))
            connection.execute(f"PRAGMA user_version = {step.number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()  # does not fail if SQLite has already rolled back because the disk is full
            raise


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the open transaction first.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
