"""Erases a home that left from the registry: removes personal data, keeps what invoices and past months depend on.

The home keeps its code, district, base, support level and periods of every day, and its devices keep their movements.
Its people keep their days under numbers (``store.homes.erasure``). People who now live in another home keep all their
facts. The history of accounts still says which account was the home's, but no other record says what that home's code
means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.store.homes import queries as homes
from vetlla.store.homes.erasure import erase_people, people_of
from vetlla.store.sqlite.append_only import without_triggers

if TYPE_CHECKING:
    import sqlite3
    from datetime import date

    from vetlla.domain.homes import FactRecording

_REGISTERED = "SELECT account FROM accounts WHERE home = ? ORDER BY account"
_MOVED_ON = "SELECT account FROM accounts WHERE account = ? AND home NOT IN ('', ?)"
_OF_HOME: Final = """
note != '' AND (home = :home OR (device IN (SELECT device FROM movements WHERE home = :home) AND :home = (
    SELECT home FROM movements AS before WHERE before.device = m.device AND (before.day, before.id) < (m.day, m.id)
    AND (before.home != '' OR m.home != '') ORDER BY before.day DESC, before.id DESC LIMIT 1)))
"""
"""Movements of devices in the home, out of it, and after that until they come into another home from the warehouse.

Why a device left, and what was broken about it, says something about the people who had it.
"""
_COUNTS = {
    "homes": (
        "SELECT count(DISTINCT home) FROM home_facts WHERE home = :home"
        " AND (phones != '[]' OR language != '' OR alone OR note != '')"
    ),
    "notes_of_movements": f"SELECT count(*) FROM movements AS m WHERE {_OF_HOME}",  # noqa: S608 - a constant
    "visits": "SELECT count(*) FROM visits WHERE home = :home",
}
_ERASE = (
    # A fact that sets none of these fields stays as it is, so that the history still shows which field it set.
    (
        "UPDATE home_facts SET note = '', phones = iif(phones IS NULL, NULL, '[]'),"
        " language = iif(language IS NULL, NULL, ''), alone = iif(alone IS NULL, NULL, 0) WHERE home = :home"
    ),
    f"UPDATE movements AS m SET note = '' WHERE {_OF_HOME}",  # noqa: S608 - a constant
    "DELETE FROM visit_tasks WHERE visit IN (SELECT id FROM visits WHERE home = :home)",
    "DELETE FROM visits WHERE home = :home",
)


class KeptOfHome(NamedTuple):
    """The registry's data about a home."""

    known: bool
    """Whether it is or was a home in the inventory."""
    others: frozenset[str]
    """Accounts that belonged to the home and now belong to another one."""
    counts: dict[str, int]
    """Rows that an erasure removes or empties."""


def look(connection: sqlite3.Connection, home: str, accounts: list[str], day: date) -> KeptOfHome:
    """Return the registry's data about a home. Raises UsageError while the service attends the home."""
    found = homes.homes(connection, [home], day=day).get(home)
    if found is not None and found.active_from(day):
        raise UsageError(
            f"home {home} is attended", remedy="first record the day on which it left: vetlla inventory import"
        )
    if registered := [row[0] for row in connection.execute(_REGISTERED, (home,))]:
        raise UsageError(
            f"account {registered[0]} is registered for home {home}",
            remedy=f"remove the account first: vetlla accounts remove {registered[0]}",
        )
    others = {account for account in accounts if connection.execute(_MOVED_ON, (account, home)).fetchone()}
    counts = {"people": len(people_of(connection, home))}
    counts |= {name: int(connection.execute(sql, {"home": home}).fetchone()[0]) for name, sql in _COUNTS.items()}
    return KeptOfHome(found is not None, frozenset(others), counts)


def erase(connection: sqlite3.Connection, home: str, recording: FactRecording, day: date) -> None:
    """Remove the personal data of a home, within the caller's transaction, and overwrite it in the file.

    ``day`` is that of the erasure: the people of the home are not in the service from then on.
    """
    connection.execute("PRAGMA secure_delete = ON")
    erase_people(connection, home, recording, day)
    with without_triggers(connection, "movements_stay", "home_facts_stay"):
        for sql in _ERASE:
            connection.execute(sql, {"home": home})
