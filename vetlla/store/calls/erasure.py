"""Erases a home from the calls: its numbers, recordings and reasons go, and what the contract counts stays.

A call keeps its times, agent, outcome, home's code and the hash of its recording. The recording itself is a file of the
PBX, which the service has to delete there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from vetlla.domain.calls import ERASED
from vetlla.store.sqlite.append_only import without_triggers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_NEWEST: Final = "SELECT max(id) FROM call_ties WHERE call = t.call"
_OF_HOME: Final = f"call IN (SELECT call FROM call_ties AS t WHERE home = :home AND home != '' AND id = ({_NEWEST}))"  # noqa: S608
"""The calls that are tied to the home now: a person may have tied one to another home since."""
_NUMBERED: Final = (
    "(caller IN (SELECT value FROM json_each(:telephones)) OR called IN (SELECT value FROM json_each(:telephones)))"
)
"""The records with a telephone of the home, also in calls that were tied to no home or to another one."""
_UNTIED: Final = (
    f"call IN (SELECT call FROM call_records WHERE {_NUMBERED})"  # noqa: S608 - constants
    f" AND call NOT IN (SELECT call FROM call_ties AS t WHERE home != '' AND id = ({_NEWEST}))"
)
"""The calls with a telephone of the home that are tied to no home, by the rules or by hand."""
_COUNTS: Final = {
    "calls": (
        "SELECT count(DISTINCT call) FROM call_records"  # noqa: S608 - constants
        f" WHERE ({_OF_HOME} AND (caller != '' OR called != '')) OR {_NUMBERED}"
    ),
    "recordings": (
        "SELECT count(DISTINCT call) FROM call_records"  # noqa: S608 - constants
        f" WHERE ({_OF_HOME} OR {_UNTIED}) AND recording NOT IN ('', :erased)"
    ),
}
_MARKED: Final = "recording != '' OR (digest = x'' AND iif(direction IS 'out', called, caller) != '')"
"""Records that say that something was erased, so that the call still counts as registered with a number (ANS 7)."""
_ERASE: Final = (
    f"UPDATE call_ties SET reason = '' WHERE reason != '' AND ((home = :home AND home != '') OR {_UNTIED})",  # noqa: S608
    (
        f"UPDATE call_records SET recording = iif({_MARKED}, :erased, ''), caller = '', called = ''"  # noqa: S608 - constants
        f" WHERE {_OF_HOME} OR {_UNTIED}"
    ),
    (
        "UPDATE call_records SET caller = iif(caller IN (SELECT value FROM json_each(:telephones)), '', caller),"  # noqa: S608 - constants
        f" called = iif(called IN (SELECT value FROM json_each(:telephones)), '', called) WHERE {_NUMBERED}"
    ),
)
"""In this order, because the second statement removes numbers by which the first finds calls."""


def count(connection: sqlite3.Connection, home: str, telephones: Sequence[str]) -> dict[str, int]:
    """Return how many calls an erasure would take the numbers or the recordings' names of.

    ``telephones`` are those that only this home has, in E.164.
    """
    values = _values(home, telephones)
    return {name: int(connection.execute(sql, values).fetchone()[0]) for name, sql in _COUNTS.items()}


def erase(connection: sqlite3.Connection, home: str, telephones: Sequence[str]) -> None:
    """Remove the personal data of a home's calls, within the caller's transaction, and overwrite it in the file.

    ``telephones`` are those that only this home has, in E.164. They are removed from every call.
    """
    connection.execute("PRAGMA secure_delete = ON")
    with without_triggers(connection, "call_records_stay", "call_ties_stay"):
        for sql in _ERASE:
            connection.execute(sql, _values(home, telephones))


def _values(home: str, telephones: Sequence[str]) -> dict[str, str]:
    return {"home": home, "erased": ERASED, "telephones": json.dumps(list(telephones))}
