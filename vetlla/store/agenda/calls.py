"""Reads the duties of the agenda by time. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_ENDS: Final = (
    "SELECT at_us FROM duty_events WHERE kind = ? AND event = 'planned' AND ref GLOB ? ORDER BY kind, at_us LIMIT 1",
    (
        "SELECT at_us FROM duty_events WHERE kind = ? AND event = 'planned' AND ref GLOB ?"
        " ORDER BY kind DESC, at_us DESC LIMIT 1"
    ),
)


def planned_span(connection: sqlite3.Connection, kind: str, refs: str) -> tuple[int, int] | None:
    """Return when calls of a kind were planned first and last (microseconds UTC); None if they never were.

    ``refs`` is a pattern of the references that count, such as ``FU-*``.
    """
    first, last = (connection.execute(sql, (kind, refs)).fetchone() for sql in _ENDS)
    return (int(first[0]), int(last[0])) if first and last else None


def waiting(
    connection: sqlite3.Connection, kinds: Sequence[str], until: str, *, ends_by_us: int, due_from_us: int, limit: int
) -> list[int]:
    """Return open duties of these kinds that are planned for ``until`` or earlier, or for no moment, in their order.

    ``until`` is a moment as events have it in their details. First come duties whose clock runs out by ``ends_by_us``,
    then the others by their moment. Those whose clock ran out before ``due_from_us`` are left out. There are at most
    ``limit`` of each kind.
    """
    return [
        number
        for kind in kinds
        for (number,) in connection.execute(
            "SELECT o.duty FROM open_duties AS o JOIN duty_events AS e ON e.id = o.duty WHERE o.kind = ?"
            " AND (o.due_us IS NULL OR o.due_us >= ?)"
            " AND (e.details = '' OR json_extract(e.details, '$.planned') IS NULL"
            " OR json_extract(e.details, '$.planned') <= ?)"
            " ORDER BY (o.due_us IS NULL OR o.due_us > ?), iif(e.details = '', '', json_extract(e.details,"
            " '$.planned')), o.duty LIMIT ?",
            (kind, due_from_us, until, ends_by_us, limit),
        )
    ]


def touched(connection: sqlite3.Connection, kinds: Sequence[str], events: Sequence[str], since_us: int) -> list[int]:
    """Return the open duties of these kinds whose subject had one of these events at a time or later."""
    marks = ", ".join("?" * len(events))
    return [
        number
        for kind in kinds
        for (number,) in connection.execute(
            "SELECT o.duty FROM open_duties AS o WHERE o.kind = ? AND EXISTS (SELECT 1 FROM duty_events AS e"  # noqa: S608
            f" WHERE e.kind = o.kind AND e.subject = o.subject AND e.at_us >= ? AND e.event IN ({marks}))",
            (kind, since_us, *events),
        )
    ]
