"""Erases a home from the duties: what a person may have written freely goes; what is judged and counted stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.store.sqlite.append_only import without_triggers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from vetlla.domain.duties import NewEvent

KEPT_DETAILS: Final = frozenset({
    "alarm", "authorisation", "base", "by_user", "code", "copies", "device", "for", "home", "key", "level",
    "may_return", "minutes", "period", "planned", "purpose", "reason", "receipt", "ref", "since", "team", "to", "topic",
    "visit", "way", "witness", "work", "zone",
})  # fmt: skip
"""Details that stay: codes, numbers, days and words of a list, which clocks, figures and the proof of a key need."""
KEPT_OF_KIND: Final = {"key": KEPT_DETAILS | {"place"}}
"""A key may still be in its place when its home is erased, and has to be found there."""
EVER: Final = 1 << 62

_OF_SUBJECT: Final = """
WITH RECURSIVE kinds (kind) AS (
    SELECT min(kind) FROM duty_events
    UNION ALL SELECT (SELECT min(kind) FROM duty_events WHERE kind > kinds.kind) FROM kinds WHERE kind IS NOT NULL
)
SELECT id, kind, note, details FROM duty_events
WHERE kind IN (SELECT kind FROM kinds) AND subject = ? AND at_us BETWEEN ? AND ? AND (note != '' OR details != '')
"""
"""The index leads through the kinds to the subject, so that not all events are read."""
_ERASE: Final = "UPDATE duty_events SET note = '', details = ? WHERE id = ?"


class ErasedSubject(NamedTuple):
    """A home, person or device of whose duties the events in a time are emptied; both ends are included."""

    name: str
    since_us: int = -EVER
    until_us: int = EVER


class _Emptied(NamedTuple):
    id: int
    had_note: bool
    lost_details: bool
    details: str
    """What stays of them."""


def count(connection: sqlite3.Connection, subjects: Iterable[ErasedSubject]) -> dict[str, int]:
    """Return how many notes, and details of how many events, an erasure would empty."""
    found = list(_found(connection, subjects))
    return {
        "notes_of_duties": sum(one.had_note for one in found),
        "details_of_duties": sum(one.lost_details for one in found),
    }


def erase(connection: sqlite3.Connection, subjects: Iterable[ErasedSubject]) -> None:
    """Empty the notes and free details, within the caller's transaction, and overwrite them in the file."""
    connection.execute("PRAGMA secure_delete = ON")
    with without_triggers(connection, "duty_events_stay"):
        connection.executemany(_ERASE, [(one.details, one.id) for one in _found(connection, subjects)])


def without_free_text(event: NewEvent) -> NewEvent:
    """Return an event as an erasure would leave it."""
    return event._replace(note="", details=kept_details(event.kind, event.details))


def _found(connection: sqlite3.Connection, subjects: Iterable[ErasedSubject]) -> Iterator[_Emptied]:
    seen: set[int] = set()
    for subject in subjects:
        for number, kind, note, details in connection.execute(_OF_SUBJECT, subject).fetchall():
            kept = kept_details(kind, details)
            if number not in seen and (note or kept != details):
                seen.add(number)
                yield _Emptied(number, bool(note), kept != details, kept)


def kept_details(kind: str, details: str) -> str:
    """Return what an erasure leaves of the details of an event; it leaves all of that again."""
    if not details:
        return ""
    said = json.loads(details)
    names = KEPT_OF_KIND.get(kind, KEPT_DETAILS)
    kept = {name: text for name, text in said.items() if name in names}
    if len(kept) == len(said):
        return details
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else ""
