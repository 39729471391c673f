"""Knows which audit record holds the digest of which signals after removals.

A removal does not break the proof: its record names each range of signals that it touched, with the digest of the rows
as they are afterwards. A range always consists of whole earlier ranges; the first ranges are those of commits. Ranges
in force therefore never overlap, and one digest covers each signal.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Range(NamedTuple):
    """Signals from a first to a last number, and the digest of those of their rows that exist."""

    first: int
    last: int
    digest: str


def as_detail(ranges: list[Range]) -> list[list[object]]:
    """Return ranges in the form that the detail of an audit record holds."""
    return [list(one) for one in ranges]


def ranges_of(detail: str) -> list[Range]:
    """Return the ranges that a record of a removal names; empty if it names no range or cannot be read."""
    try:
        named = json.loads(detail).get("ranges", [])
        ranges = [Range(int(first), int(last), str(digest)) for first, last, digest in named]
    except (ValueError, TypeError, AttributeError):
        return []
    return [one for one in ranges if 0 < one.first <= one.last]


class InForce:
    """The ranges whose digest is in the record of a removal, according to the records read so far."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._held: list[tuple[Range, int]] = []
        self._notes: dict[int, int] = {}

    def put(self, record: int, put: Range) -> Range | None:
        """Replace the ranges within a record's range; return a range that it cuts through, or None."""
        start, end = bisect_left(self._firsts, put.first), bisect_right(self._firsts, put.last)
        cut = self._cut(start, end, put)
        self._firsts[start:end], self._held[start:end] = [put.first], [(put, record)]
        return cut

    def put_notes(self, detail: str) -> None:
        """Take the notes that a record of a removal names: for each alarm, when the last of them was written."""
        with suppress(ValueError, TypeError, AttributeError):
            for alarm, at_us in json.loads(detail).get("notes_of", {}).items():
                self._notes[int(alarm)] = max(self._notes.get(int(alarm), 0), int(at_us))

    def note(self, alarm: int, at_us: int) -> bool:
        """Return True if the note that was written about an alarm at an instant was removed."""
        return at_us <= self._notes.get(alarm, -1)

    def _cut(self, start: int, end: int, put: Range) -> Range | None:
        if start and (before := self._held[start - 1][0]).last >= put.first:
            return before
        if start < end and (within := self._held[end - 1][0]).last > put.last:
            return within
        return None

    def of(self, record: int, ranges: list[Range]) -> Iterator[Range]:
        """Yield the ranges of a record that no later record has replaced."""
        for one in ranges:
            place = bisect_left(self._firsts, one.first)
            if place < len(self._held) and self._held[place] == (one, record):
                yield one

    def gaps(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return the ranges of these signals that no removal has touched."""
        gaps, at = [], first
        for held, _ in self._held[max(0, bisect_right(self._firsts, first) - 1) : bisect_right(self._firsts, last)]:
            if held.last < at:
                continue
            if held.first > at:
                gaps.append((at, held.first - 1))
            at = held.last + 1
        return [*gaps, (at, last)] if at <= last else gaps
