"""Erases a home from the calls: its numbers, recordings and reasons go, and what the contract counts stays.

A call keeps its times, agent, outcome, home's code and the hash of its recording. The recording itself is a file of the
PBX, which the service has to delete there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.calls import ERASED
from vetlla.store.sqlite.append_only import without_triggers

if TYPE_CHECKING:
    import sqlite3

_OF_HOME: Final = (
    "call IN (SELECT call FROM call_ties AS t WHERE home = :home AND home != ''"
    " AND id = (SELECT max(id) FROM call_ties WHERE call = t.call))"
)
"""The calls that are tied to the home now: a person may have tied one to another home since."""
_COUNTS: Final = {
    "calls": f"SELECT count(DISTINCT call) FROM call_records WHERE {_OF_HOME} AND (caller != '' OR called != '')",  # noqa: S608
    "recordings": f"SELECT count(DISTINCT call) FROM call_records WHERE {_OF_HOME}"  # noqa: S608 - constants
    " AND recording NOT IN ('', :erased)",
}
_EMPTY: Final = f"""
UPDATE call_records SET caller = '', called = '', recording = iif(recording = '', '', :erased) WHERE {_OF_HOME}
"""  # noqa: S608 - constants
_ERASE: Final = (_EMPTY, "UPDATE call_ties SET reason = '' WHERE home = :home AND home != '' AND reason != ''")


def count(connection: sqlite3.Connection, home: str) -> dict[str, int]:
    """Return how many calls an erasure would take the numbers or the recordings' names of."""
    values = {"home": home, "erased": ERASED}
    return {name: int(connection.execute(sql, values).fetchone()[0]) for name, sql in _COUNTS.items()}


def erase(connection: sqlite3.Connection, home: str) -> None:
    """Remove the personal data of a home's calls, within the caller's transaction, and overwrite it in the file."""
    connection.execute("PRAGMA secure_delete = ON")
    with without_triggers(connection, "call_records_stay", "call_ties_stay"):
        for sql in _ERASE:
            connection.execute(sql, {"home": home, "erased": ERASED})
