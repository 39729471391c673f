"""The index of duties: which ones no event has ended, when their clocks run out, and which events belong to none.

It is made by the rules of one set of kinds and parameters. With others its times
say nothing, so readers then compute every duty, until the index is made again (``tasks.duties.index``). Which duties
are open does not depend on the parameters, so a reader without rules may ask for that at any time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

_ADD: Final = "INSERT INTO open_duties VALUES (?, ?, ?, ?)"
_ADD_LOOSE: Final = "INSERT INTO loose_events VALUES (?, ?, ?)"


class OpenDuty(NamedTuple):
    """An open duty in the index."""

    duty: int
    kind: str
    subject: str
    due_us: int | None
    """When its clock runs out; None if it is decided, has no clock, or its clock stands."""


class LooseEvent(NamedTuple):
    """An event in the index that belongs to no duty."""

    event: int
    kind: str
    subject: str


def is_of(connection: sqlite3.Connection, fingerprint: str) -> bool:
    """Return True if the index was made by these rules."""
    row = connection.execute("SELECT fingerprint FROM duty_index").fetchone()
    return row is not None and row[0] == fingerprint


def clear(connection: sqlite3.Connection, fingerprint: str) -> None:
    """Empty the index, which these rules now make again."""
    connection.execute("DELETE FROM open_duties")
    connection.execute("DELETE FROM loose_events")
    connection.execute("INSERT OR REPLACE INTO duty_index VALUES (1, ?)", (fingerprint,))


def unmark(connection: sqlite3.Connection) -> None:
    """Note that the rows were made by several sets of rules, so that the index is of none."""
    connection.execute("DELETE FROM duty_index")


def size(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return how many open duties and how many loose events it has."""
    sql = "SELECT (SELECT count(*) FROM open_duties), (SELECT count(*) FROM loose_events)"
    duties, loose = connection.execute(sql).fetchone()
    return int(duties), int(loose)


def forget(connection: sqlite3.Connection, subjects: Iterable[tuple[str, str]]) -> None:
    """Remove the rows of these kinds and subjects."""
    keys = list(subjects)
    connection.executemany("DELETE FROM open_duties WHERE kind = ? AND subject = ?", keys)
    connection.executemany("DELETE FROM loose_events WHERE kind = ? AND subject = ?", keys)


def add(connection: sqlite3.Connection, rows: Iterable[OpenDuty | LooseEvent]) -> None:
    """Add rows."""
    duties, loose = [], []
    for row in rows:
        if isinstance(row, OpenDuty):
            duties.append(row)
        else:
            loose.append(row)
    connection.executemany(_ADD, duties)
    connection.executemany(_ADD_LOOSE, loose)


def due(connection: sqlite3.Connection, before_us: int, kinds: Sequence[str]) -> Iterator[OpenDuty]:
    """Yield the duties of these kinds whose clock runs out before a time or has run out, the first one first.

    The plus sign keeps SQLite from the index of kinds, with which it would first sort all open duties.
    """
    rows = connection.execute(
        "SELECT duty, kind, subject, due_us FROM open_duties WHERE due_us < ?"
        " AND +kind IN (SELECT value FROM json_each(?)) ORDER BY due_us, duty",
        (before_us, json.dumps(kinds)),
    )
    return map(OpenDuty._make, rows)


def count_due(connection: sqlite3.Connection, before_us: int, kinds: Sequence[str]) -> int:
    """Return how many duties ``due`` yields."""
    (number,) = connection.execute(
        "SELECT count(*) FROM open_duties WHERE due_us < ? AND +kind IN (SELECT value FROM json_each(?))",
        (before_us, json.dumps(kinds)),
    ).fetchone()
    return int(number)


def all_open(connection: sqlite3.Connection, kind: str) -> Iterator[OpenDuty]:
    """Yield the open duties of a kind, by subject."""
    rows = connection.execute(
        "SELECT duty, kind, subject, due_us FROM open_duties WHERE kind = ? ORDER BY subject, duty", (kind,)
    )
    return map(OpenDuty._make, rows)


def all_loose(connection: sqlite3.Connection) -> Iterator[LooseEvent]:
    """Yield every event that belongs to no duty, in the order in which they were recorded."""
    return map(LooseEvent._make, connection.execute("SELECT event, kind, subject FROM loose_events ORDER BY event"))


def loose_of(connection: sqlite3.Connection, subjects: Iterable[tuple[str, str]]) -> Iterator[LooseEvent]:
    """Yield the events of these kinds and subjects that belong to no duty."""
    sql = "SELECT event, kind, subject FROM loose_events WHERE kind = ? AND subject = ?"
    for key in subjects:
        yield from map(LooseEvent._make, connection.execute(sql, key))
