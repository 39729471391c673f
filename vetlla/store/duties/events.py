"""Reads and appends the events of duties. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.duties import DutyEvent, NewEvent, standing_events

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

_COLUMNS: Final = (
    'id, kind, subject, event, at_us, ref, "by", note, begin_us, end_us, details, duty, withdraws, source, recorded_us'
)
LATEST: Final = 1 << 62
"""A time after which nothing happens."""
_OF_SUBJECT: Final = f"SELECT {_COLUMNS} FROM duty_events WHERE kind = ? AND subject = ?"  # noqa: S608
_BY_SUBJECT: Final = f"SELECT {_COLUMNS} FROM duty_events WHERE kind = ? ORDER BY kind, subject, at_us"  # noqa: S608
_SINCE: Final = f"SELECT {_COLUMNS} FROM duty_events WHERE kind = ? AND at_us >= ?"  # noqa: S608
_AROUND: Final = (
    f"SELECT {_COLUMNS} FROM duty_events WHERE kind = :kind AND at_us >= :since"  # noqa: S608
    " AND (at_us <= :last OR withdraws != 0) AND subject IN"
    " (SELECT subject FROM duty_events WHERE kind = :kind AND event = :event AND at_us BETWEEN :first AND :last)"
)
_WITH_REFERENCE: Final = f"SELECT {_COLUMNS} FROM duty_events WHERE kind = ? AND subject = ? AND event = ? AND ref = ?"  # noqa: S608
_SAME: Final = (
    f"SELECT {_COLUMNS} FROM duty_events WHERE kind = ? AND subject = ? AND at_us = ? AND event = ? AND ref = ?"  # noqa: S608
)
_ONE: Final = f"SELECT {_COLUMNS} FROM duty_events WHERE id = ?"  # noqa: S608
_ADD: Final = (
    'INSERT INTO duty_events (kind, subject, event, at_us, ref, "by", note, begin_us, end_us, details, duty, withdraws,'
    " source, recorded_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


def add(connection: sqlite3.Connection, event: NewEvent, source: str, recorded_us: int) -> int | None:
    """Append an event; return its number, or None if the same event is recorded already."""
    cursor = connection.execute(_ADD, (*event, source, recorded_us))
    return cursor.lastrowid if cursor.rowcount else None


def add_all(connection: sqlite3.Connection, events: Sequence[NewEvent], source: str, recorded_us: int) -> int:
    """Append events; return how many of them were not recorded already."""
    before = connection.total_changes
    connection.executemany(_ADD, [(*event, source, recorded_us) for event in events])
    return connection.total_changes - before


def next_number(connection: sqlite3.Connection) -> int:
    """Return the number that the next event gets."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM duty_events").fetchone()
    return int(last) + 1


def event(connection: sqlite3.Connection, number: int) -> DutyEvent | None:
    """Return an event by its number; None if there is none."""
    row = connection.execute(_ONE, (number,)).fetchone()
    return _event(row) if row else None


def of_subject(connection: sqlite3.Connection, kind: str, subject: str) -> list[DutyEvent]:
    """Return the events of one kind about one subject."""
    return list(map(_event, connection.execute(_OF_SUBJECT, (kind, subject))))


def since(connection: sqlite3.Connection, kinds: Iterable[str], since_us: int) -> Iterator[DutyEvent]:
    """Yield every event of these kinds that happened at a time or later."""
    for kind in kinds:
        yield from map(_event, connection.execute(_SINCE, (kind, since_us)))


def around(
    connection: sqlite3.Connection, kind: str, event: str, span: tuple[int, int], since_us: int
) -> Iterator[DutyEvent]:
    """Yield the events of the subjects that had an event of a name in a span, from a time on until the span's end.

    Withdrawals are yielded that were recorded later, too. The span has its first and last microsecond.
    """
    first, last = span
    values = {"kind": kind, "event": event, "first": first, "last": last, "since": since_us}
    yield from map(_event, connection.execute(_AROUND, values))


def subjects(connection: sqlite3.Connection, kind: str, since_us: int = 0, until_us: int = LATEST) -> list[str]:
    """Return the subjects of which a kind has an event in a time, by default at any time."""
    rows = connection.execute(
        "SELECT DISTINCT subject FROM duty_events WHERE kind = ? AND at_us >= ? AND at_us < ?",
        (kind, since_us, until_us),
    )
    return [subject for (subject,) in rows]


def is_recorded(connection: sqlite3.Connection, kind: str, until_us: int) -> bool:
    """Return True if a kind has an event before a time."""
    sql = "SELECT 1 FROM duty_events WHERE kind = ? AND at_us < ? LIMIT 1"
    return connection.execute(sql, (kind, until_us)).fetchone() is not None


def promised(connection: sqlite3.Connection, kind: str, first_us: int, last_us: int) -> list[str]:
    """Return the subjects of which an event of a kind promises a time that ends within two moments, both included."""
    rows = connection.execute(
        "SELECT DISTINCT subject FROM duty_events WHERE kind = ? AND end_us IS NOT NULL AND end_us BETWEEN ? AND ?"
        " ORDER BY subject",
        (kind, first_us, last_us),
    )
    return [subject for (subject,) in rows]


def opened_long_before(
    connection: sqlite3.Connection, kind: str, before_us: int, first_us: int, last_us: int
) -> list[str]:
    """Return the subjects of which an event before a time promises a time that ends within two later moments."""
    rows = connection.execute(
        "SELECT DISTINCT subject FROM duty_events WHERE kind = ? AND end_us IS NOT NULL AND end_us BETWEEN ? AND ?"
        " AND at_us < ? ORDER BY subject",
        (kind, first_us, last_us, before_us),
    )
    return [subject for (subject,) in rows]


def references(connection: sqlite3.Connection, kind: str) -> list[tuple[str, str]]:
    """Return each subject of a kind with each reference that its events have."""
    # The unique index has these columns, so that no row of the table is read.
    rows = connection.execute("SELECT DISTINCT subject, ref FROM duty_events WHERE kind = ? AND ref <> ''", (kind,))
    return [(subject, ref) for subject, ref in rows]


def kinds_about(connection: sqlite3.Connection, subject: str, kinds: Iterable[str]) -> list[str]:
    """Return those of the kinds that have an event about a subject."""
    sql = "SELECT 1 FROM duty_events WHERE kind = ? AND subject = ? LIMIT 1"
    return [kind for kind in kinds if connection.execute(sql, (kind, subject)).fetchone()]


def by_subject(connection: sqlite3.Connection, kinds: Iterable[str]) -> Iterator[tuple[str, str, list[DutyEvent]]]:
    """Yield kind, subject and events of every subject of these kinds."""
    for kind in kinds:
        found: list[DutyEvent] = []
        for row in connection.execute(_BY_SUBJECT, (kind,)):
            if found and found[0].told.subject != row[2]:
                yield kind, found[0].told.subject, found
                found = []
            found.append(_event(row))
        if found:
            yield kind, found[0].told.subject, found


def exported(connection: sqlite3.Connection, kinds: Iterable[str]) -> Iterator[DutyEvent]:
    """Yield the events of these kinds that were not withdrawn, by kind, subject and time."""
    for _, _, events in by_subject(connection, kinds):
        yield from standing_events(events)


def at_that_time(connection: sqlite3.Connection, event: NewEvent) -> list[DutyEvent]:
    """Return the same event as it is recorded, if it is; it may have been withdrawn."""
    key = (event.kind, event.subject, event.at_us, event.event, event.ref)
    return list(map(_event, connection.execute(_SAME, key)))


def with_reference(connection: sqlite3.Connection, event: NewEvent) -> list[DutyEvent]:
    """Return the events of the same subject, name and reference, at whatever time; they may have been withdrawn."""
    key = (event.kind, event.subject, event.event, event.ref)
    return list(map(_event, connection.execute(_WITH_REFERENCE, key)))


def same_reference(connection: sqlite3.Connection, event: NewEvent) -> list[DutyEvent]:
    """Return the events of the same subject, name and reference that were not withdrawn, at whatever time."""
    return [
        other
        for other in standing_events(of_subject(connection, event.kind, event.subject))
        if (other.told.event, other.told.ref) == (event.event, event.ref)
    ]


def _event(row: tuple[Any, ...]) -> DutyEvent:
    return DutyEvent(row[0], NewEvent._make(row[1:13]), row[13], row[14])
