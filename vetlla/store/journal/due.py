"""Counts what a round of removals would remove now, with or without a running receiver."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.removal import Terms, What
from vetlla.store.journal.retention import LOOKED_PER_STEP, has, held_alarms, too_old

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.store.journal.audit_comparison import Read


class Due(NamedTuple):
    """The rows of one kind that are too old."""

    what: What
    rows: int
    bytes: int
    """Size of the raw bytes and texts in these rows."""
    oldest_us: int | None
    held: int
    """Rows that are too old but stay, because operators still work with their alarm."""


def due(read: Read, terms: Terms, progress: Callable[[int], None] = lambda _: None) -> Iterator[Due]:
    """Yield what is too old of each kind that is not kept for ever; ``progress`` gets the number of rows read."""
    held, looked = held_alarms(read, terms), 0
    for what in What:
        if what not in terms.keep_us:
            continue
        count = size = kept = 0
        oldest_us = None
        for row in chain.from_iterable(too_old(read, what, terms, LOOKED_PER_STEP)):
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
            oldest_us = row["stamp_us"] if oldest_us is None else min(oldest_us, row["stamp_us"])
        yield Due(what, count, size, oldest_us, kept)


_SIGNALS = (What.POSITIONS, What.RAW, What.SIGNALS)
