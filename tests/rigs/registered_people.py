"""Registers homes and people in a registry as a command would, each call as one recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.homes import ALWAYS, FactRecording, Home, Person
from vetlla.service.homes.changes import changes
from vetlla.store.homes.write import home_writer, person_writer

if TYPE_CHECKING:
    import sqlite3
    from datetime import date


def put(
    connection: sqlite3.Connection,
    *values: Home | Person,
    since: date = ALWAYS,
    at_us: int = 0,
    by: str = "test",
    source: str = "test.csv",
    correct: bool = False,
    note: str = "",
) -> None:
    """Record homes, then people, with the values that hold from a day on, as the import of a file does."""
    recording = FactRecording(at_us, by, source)
    homes = home_writer(connection, recording)
    for home in (value for value in values if isinstance(value, Home)):
        homes.put(home.code, changes(homes.on(home.code, since), home, since, correct=correct, note=note))
    homes.flush()
    people = person_writer(connection, recording)
    for person in (value for value in values if isinstance(value, Person)):
        people.put(person.code, changes(people.on(person.code, since), person, since, correct=correct, note=note))
    people.flush()
