"""Erases a home from the duties: notes go, because a person may have written anything there; what is judged stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.store.sqlite.append_only import without_triggers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_COUNT: Final = "SELECT count(*) FROM duty_events WHERE subject = ? AND note != ''"
_ERASE: Final = "UPDATE duty_events SET note = '' WHERE subject = ? AND note != ''"


def count(connection: sqlite3.Connection, subjects: Iterable[str]) -> dict[str, int]:
    """Return how many notes of duties about these homes and people an erasure would empty."""
    return {"notes_of_duties": sum(connection.execute(_COUNT, (subject,)).fetchone()[0] for subject in subjects)}


def erase(connection: sqlite3.Connection, subjects: Iterable[str]) -> None:
    """Empty the notes, within the caller's transaction, and overwrite them in the file."""
    connection.execute("PRAGMA secure_delete = ON")
    with without_triggers(connection, "duty_events_stay"):
        connection.executemany(_ERASE, [(subject,) for subject in subjects])
