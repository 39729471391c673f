"""What a round of removals would remove now, counted beside a running receiver or without one."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.retention import LOOKED_PER_STEP, OLDEST, Terms, What, has, held_alarms, is_due

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from vetlla.store.deeds import Read


class Due(NamedTuple):
    """What is too old of one kind."""

    what: What
    rows: int
    bytes: int
    """Of the raw bytes and texts in it."""
    oldest_us: int | None
    held: int
    """Too old, and left because operators still work with its alarm."""


def due(read: Read, terms: Terms, progress: Callable[[int], None] = lambda _: None) -> Iterator[Due]:
    """Yield what is too old of each kind that is not kept for ever; ``progress`` is told how many rows were seen."""
    held, looked = held_alarms(read, terms), 0
    for what in What:
        before_us = terms.before_us(what)
        if before_us is None:
            continue
        count = size = kept = 0
        oldest_us = None
        for row in _oldest(read, what, before_us, terms.now_us):
            looked += 1
            if looked % LOOKED_PER_STEP == 0:
                progress(looked)
            if what in _SIGNALS and not has(what, row):
                continue
            if row["alarm_id"] in held:
                kept += 1
                continue
            count += 1
            size += row["size"]
            oldest_us = row["received_us"] if oldest_us is None else min(oldest_us, row["received_us"])
        yield Due(what, count, size, oldest_us, kept)


_SIGNALS = (What.POSITIONS, What.RAW, What.SIGNALS)
_NOTES = """
SELECT id, at_us AS received_us, alarm_id, length(text) AS size FROM notes
WHERE id > ? AND id < (SELECT max(id) FROM notes) ORDER BY id LIMIT ?
"""
_REJECTS = """
SELECT id, at_us AS received_us, NULL AS alarm_id, length(raw) + length(text) AS size FROM rejects
WHERE id > ? AND id < (SELECT max(id) FROM rejects) ORDER BY id LIMIT ?
"""


def _oldest(read: Read, what: What, before_us: int, now_us: int) -> Iterator[sqlite3.Row]:
    """Yield the rows that a round would go past."""
    sql = OLDEST if what in _SIGNALS else _NOTES if what is What.NOTES else _REJECTS
    at = 0
    if what in _SIGNALS:
        at = next((row["value"] for row in read("SELECT value FROM retention WHERE name = ?", (what,))), 0)
    while rows := read(sql, (at, LOOKED_PER_STEP)):
        old = list(takewhile(lambda row: is_due(row["received_us"], before_us, now_us), rows))
        yield from old
        if len(old) < len(rows):
            return
        at = rows[-1]["id"]
