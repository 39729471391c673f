"""Erases a home from the calls: its numbers, recordings and reasons go, and what the contract counts stays.

A call keeps its times, agent, outcome, home's code and the hash of its recording. The recording itself is a file of the
PBX, which the service has to delete there. ``ERASED`` stands where something was, so that a file that is imported again
cannot bring it back (``vetlla.service.calls.erased``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.calls import ERASED, TieMethod
from vetlla.domain.masking import TELEPHONE
from vetlla.domain.telephones import dialled
from vetlla.store.homes.queries import telephones_ever
from vetlla.store.sqlite.append_only import without_triggers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

_NEWEST: Final = "(SELECT max(id) FROM call_ties WHERE call = {})"
_OF_HOME: Final = (
    "SELECT call FROM call_ties AS t WHERE home = :home AND home != '' AND id = " + _NEWEST.format("t.call")  # noqa: S608
)
"""The calls that are tied to the home now: a person may have tied one to another home since."""
_WITH_NUMBER: Final = f"""
SELECT r.call, r.caller, r.called, coalesce(t.home, ''), coalesce(t.method, '')
FROM call_records AS r LEFT JOIN call_ties AS t ON t.id = {_NEWEST.format("r.call")}
WHERE r.caller IN (SELECT value FROM json_each(:numbers)) OR r.called IN (SELECT value FROM json_each(:numbers))
"""  # noqa: S608 - constants
_KEPT_NUMBER: Final = "SELECT 1 FROM call_records WHERE call = ? AND (caller NOT IN ('', ?) OR called NOT IN ('', ?))"
_KEPT_RECORDING: Final = "SELECT 1 FROM call_records WHERE call = ? AND recording NOT IN ('', ?)"
_EMPTY_CALL: Final = (
    "UPDATE call_records SET caller = iif(caller = '', '', :erased), called = iif(called = '', '', :erased),"
    " recording = iif(recording = '', '', :erased) WHERE call = :call"
)
_MARK: Final = f"UPDATE call_ties SET reason = :erased WHERE id = {_NEWEST.format(':call')}"  # noqa: S608 - constants
_EMPTY_NUMBER: Final = (
    "UPDATE call_records SET caller = iif(caller = :number, :erased, caller),"
    " called = iif(called = :number, :erased, called) WHERE call = :call"
)
_FORGET_REASONS: Final = "UPDATE call_ties SET reason = '' WHERE home = :home AND home != '' AND reason != ''"


class _Found(NamedTuple):
    whole: list[int]
    """Calls of the home, and those with its number that are tied to no home."""
    numbers: list[tuple[int, str]]
    """Calls of other homes with a number of this home, and the number."""


def home_numbers(connection: sqlite3.Connection, home: str, accounts: Iterable[str]) -> frozenset[str]:
    """Return the telephone numbers that a home has or had, as calls have them; ``accounts`` are those of its terminals.

    An extension of the PBX is none of them: it may be the number of an operator.
    """
    texts = [*telephones_ever(connection, home), *(account.removeprefix(TELEPHONE) for account in accounts)]
    return frozenset(number for number in map(dialled, texts) if number.startswith("+"))


def count(connection: sqlite3.Connection, home: str, numbers: Collection[str]) -> dict[str, int]:
    """Return how many calls an erasure would take the numbers or the recordings' names of.

    Calls have no index of numbers, so this reads all of them: some seconds for millions.
    """
    found = _found(connection, home, numbers)
    with_number = sum(bool(connection.execute(_KEPT_NUMBER, (call, ERASED, ERASED)).fetchone()) for call in found.whole)
    recorded = sum(bool(connection.execute(_KEPT_RECORDING, (call, ERASED)).fetchone()) for call in found.whole)
    return {"calls": with_number + len({call for call, _ in found.numbers}), "recordings": recorded}


def erase(connection: sqlite3.Connection, home: str, numbers: Collection[str]) -> None:
    """Remove the personal data of a home's calls, within the caller's transaction, and overwrite it in the file.

    Of calls that are tied to another home only the numbers of this home go, unless the number is also the other home's.
    """
    connection.execute("PRAGMA secure_delete = ON")
    found = _found(connection, home, numbers)
    with without_triggers(connection, "call_records_stay", "call_ties_stay"):
        connection.execute(_FORGET_REASONS, {"home": home})
        calls = [{"call": call, "erased": ERASED} for call in found.whole]
        connection.executemany(_EMPTY_CALL, calls)
        connection.executemany(_MARK, calls)
        connection.executemany(
            _EMPTY_NUMBER, [{"call": call, "number": number, "erased": ERASED} for call, number in found.numbers]
        )


def _found(connection: sqlite3.Connection, home: str, numbers: Collection[str]) -> _Found:
    whole = {call for (call,) in connection.execute(_OF_HOME, {"home": home})}
    others: set[tuple[int, str]] = set()
    theirs: dict[str, frozenset[str]] = {}
    rows = connection.execute(_WITH_NUMBER, {"numbers": json.dumps(sorted(numbers))}).fetchall() if numbers else []
    for call, caller, called, tied, method in rows:
        if tied in {"", home}:
            whole.add(call)
        elif method != TieMethod.ACCOUNT:  # then the number is that of the other home's terminal
            if tied not in theirs:
                theirs[tied] = home_numbers(connection, tied, ())
            others |= {
                (call, number) for number in (caller, called) if number in numbers and number not in theirs[tied]
            }
    return _Found(sorted(whole), sorted(others))
