"""Finds where frames may begin among the waiting bytes. Each byte is searched once, however slowly the bytes come."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from fastcrc.crc16 import arc

from vetlla.protocols.dc09.frame import OPENING, stated

if TYPE_CHECKING:
    import re

LONGEST_OPENING: Final = 10
"""LF, checksum, length, quote."""
MIN_BODY: Final = 2
"""Two quotes. An empty body would fit the checksum 0000, which noise of zeros states."""
_ZERO: Final = 0x30


_REACH_BITS: Final = 13
_REACH: Final = (1 << _REACH_BITS) - 1
"""Bound of the distance from an opening to the end of its body: 9 bytes and a length of three hex digits."""


class Openings:
    """Openings among the waiting bytes, in order. Positions in arguments and results count from the first of the bytes.

    A byte costs the same whether one opening waits or four hundred, and an opening takes 45 bytes of memory. So a peer
    that sends nothing but openings does not make its connection expensive.
    """

    __slots__ = ("_base", "_due", "_found", "searched")

    def __init__(self) -> None:
        self._base = 0
        """Position of the first waiting byte. All positions in this object count from where the first search began."""
        self._found = array("q")
        """Position of each opening."""
        self._due: list[int] = []
        """Heap of the openings whose length and checksum were not checked yet. Each is checked once, and the one that
        ends first is checked first. Each is one number: where its body ends, and how far before that it begins."""
        self.searched = 0
        """All openings that end before this position were found; 0 until the first search."""

    def forget(self, count: int) -> None:
        """Forget the first ``count`` bytes, which were taken or dropped."""
        self._base += count
        if self._base >= self.searched:
            self._base = self.searched = 0
            del self._found[:]
            self._due.clear()
            return
        del self._found[: bisect_left(self._found, self._base)]
        while self._due and _end(self._due[0]) <= self._base:
            heappop(self._due)

    def next(self, buffer: bytes, at: int, limit: int) -> int | None:
        """Return where the first opening from ``at`` on begins; None if no opening is complete before ``limit``."""
        self._search(buffer, at, limit)
        index = bisect_left(self._found, self._base + at)
        if index == len(self._found):
            return None
        start = self._found[index] - self._base
        return start if OPENING.match(buffer, start, limit) else None

    def whole(self, buffer: bytes, at: int, limit: int) -> int | None:
        """Return where a frame begins that is whole by its own length between ``at`` and ``limit``, or None.

        If there are several, it is the one that was whole first.
        """
        self._search(buffer, at, limit)
        base = self._base
        while self._due and _end(self._due[0]) <= base + limit:
            due = heappop(self._due)
            start = _start(due) - base
            opening = OPENING.match(buffer, start) if start >= at else None
            if opening and is_whole(buffer, opening.end() - 1, _end(due) - base, stated(opening)[0]):
                return start
        return None

    def due(self, size: int) -> int:
        """Return how many bytes complete the next opening that needs more than ``size`` bytes; 0 if there is none."""
        end = self._base + size
        if self._due and _end(self._due[0]) > end:
            return _end(self._due[0]) - self._base
        return max(0, min((_end(due) for due in self._due if _end(due) > end), default=0) - self._base)

    def _search(self, buffer: bytes, at: int, limit: int) -> None:
        base = self._base
        quote = buffer.find(b'"', max(self.searched - base, at), limit)
        while quote >= 0:
            opening = _ending_at(buffer, quote)
            if opening is not None:
                start, stop = base + opening.start(), base + quote + stated(opening)[1]
                self._found.append(start)
                heappush(self._due, stop << _REACH_BITS | _REACH - (stop - start))
            quote = buffer.find(b'"', quote + 1, limit)
        self.searched = max(self.searched, base + limit)


def _end(due: int) -> int:
    return due >> _REACH_BITS


def _start(due: int) -> int:
    return _end(due) - (_REACH - (due & _REACH))


def is_whole(buffer: bytes, quote: int, stop: int, crc: int) -> bool:
    """Return True if the checksum fits the body that ends at ``stop``, as the length says."""
    return stop >= quote + MIN_BODY and arc(buffer[quote:stop]) == crc


def _ending_at(buffer: bytes, quote: int) -> re.Match[bytes] | None:
    """Return the opening that this quote ends."""
    if quote < LONGEST_OPENING - 3 or buffer[quote - 4] != _ZERO:
        return None
    for size in (LONGEST_OPENING, LONGEST_OPENING - 1, LONGEST_OPENING - 2):
        start = quote + 1 - size
        if start >= 0 and (opening := OPENING.fullmatch(buffer, start, quote + 1)):
            return opening
    return None
