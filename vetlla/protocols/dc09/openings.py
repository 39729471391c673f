"""Where frames may begin among the bytes that wait: each byte is looked at once, however slowly the bytes come."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from fastcrc.crc16 import arc

from vetlla.protocols.dc09.frame import OPENING, stated

if TYPE_CHECKING:
    import re

LONGEST_OPENING: Final = 10
"""LF, checksum, length, quote."""
MIN_BODY: Final = 2
"""Two quotes. An empty body would fit the checksum 0000, which is what noise of zeros states."""
_ZERO: Final = 0x30


class _Opening(NamedTuple):
    start: int
    quote: int
    stop: int
    """Where the body ends by the length that the opening states."""
    crc: int


class Openings:
    """Openings of the bytes that wait, in their order. Positions count from the first of these bytes."""

    __slots__ = ("_found", "_judged", "searched")

    def __init__(self) -> None:
        self._found: list[_Opening] = []
        self.searched = 0
        """Every opening that ends before this is in the list; 0 as long as none was looked for."""
        self._judged = 0
        """Every length that ends up to this was compared with its checksum."""

    def forget(self, count: int) -> None:
        """Forget the first bytes, which were taken or dropped."""
        self._found = [
            _Opening(start - count, quote - count, stop - count, crc)
            for start, quote, stop, crc in self._found
            if start >= count
        ]
        self.searched = max(0, self.searched - count)
        self._judged = max(0, self._judged - count)

    def next(self, buffer: bytes, at: int, limit: int) -> int | None:
        """Return where the first opening from ``at`` on begins; None when none is complete before ``limit``."""
        self._search(buffer, at, limit)
        index = bisect_left(self._found, (at,))
        found = index < len(self._found) and self._found[index].quote < limit
        return self._found[index].start if found else None

    def whole(self, buffer: bytes, at: int, limit: int) -> int | None:
        """Return where a frame begins, from ``at`` on, that is whole by its own length before ``limit``.

        Of several it is the one that was whole first.
        """
        self._search(buffer, at, limit)
        if self._judged >= limit:
            return None
        due = [opening for opening in self._found if opening.start >= at and self._judged < opening.stop <= limit]
        for start, *body in sorted(due, key=lambda opening: opening.stop):
            if is_whole(buffer, *body):
                self._judged = body[1]
                return start
        self._judged = limit
        return None

    def due(self, size: int) -> int:
        """Return how many bytes the next length needs that more than ``size`` bytes may fulfil; 0 for none."""
        return min((opening.stop for opening in self._found if opening.stop > size), default=0)

    def _search(self, buffer: bytes, at: int, limit: int) -> None:
        quote = buffer.find(b'"', max(self.searched, at), limit)
        while quote >= 0:
            opening = _ending_at(buffer, quote)
            if opening is not None:
                crc, declared = stated(opening)
                self._found.append(_Opening(opening.start(), quote, quote + declared, crc))
            quote = buffer.find(b'"', quote + 1, limit)
        self.searched = max(self.searched, limit)


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
