"""Erases the people of a home that left: their codes and notes go, and their days stay under numbers.

Past invoices count the people of each day, and so does ANS 20. So the facts of a person stay, under a number that no
other record has: nothing says any longer which person they are about.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.homes import DatedChange, Period, Programme
from vetlla.store.homes import queries
from vetlla.store.homes.write import person_writer
from vetlla.store.sqlite.append_only import without_triggers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from datetime import date

    from vetlla.domain.homes import FactRecording, Person

ERASED: Final = "(erased {})"
"""Takes the place of a person's code. The numbers count up in the order of erasures."""
_COUNT: Final = "SELECT count(DISTINCT person) FROM person_facts WHERE person GLOB '(erased [0-9]*)'"
_RENAME: Final = "UPDATE person_facts SET person = ?, note = '' WHERE person = ?"


def people_of(connection: sqlite3.Connection, home: str) -> list[Person]:
    """Return the people of a home, as the latest facts have them, without those that an earlier erasure took."""
    return [one for one in queries.people(connection, [home]) if not one.code.startswith(ERASED.partition("{")[0])]


def erase_people(connection: sqlite3.Connection, home: str, recording: FactRecording, day: date) -> None:
    """Take codes and notes from the people of a home, within the caller's transaction.

    Their periods get an end before ``day``, the day of the erasure, as a new fact: the home may come back with others.
    """
    last = day - timedelta(days=1)
    (erased,) = connection.execute(_COUNT).fetchone()
    registered = queries.homes(connection, [home]).get(home)
    people = {ERASED.format(number): one for number, one in enumerate(people_of(connection, home), start=erased + 1)}
    with without_triggers(connection, "person_facts_stay"):
        connection.executemany(_RENAME, [(code, person.code) for code, person in people.items()])
    if not people:
        return
    writer = person_writer(connection, recording, list(people))
    for code, person in people.items():
        values = _ended(person, registered.active if registered else (), last)
        if any(value != getattr(person, name) for name, value in values.items()):
            writer.put(code, [DatedChange(day, values)])
    writer.flush()


def _ended(person: Person, of_home: Iterable[Period], last: date) -> dict[str, Any]:
    programmes = (Programme(name, part) for name, period in person.programmes for part in _until([period], last))
    return {"active": tuple(_until(person.active or of_home, last)), "programmes": tuple(programmes)}


def _until(periods: Iterable[Period], last: date) -> Iterator[Period]:
    return (Period(one.since, min(one.until or last, last)) for one in periods if one.since <= last)
