"""Cut a stream of bracket messages: where one ends is said twice, and both may be wrong.

    [MM*ID*LLLL*content]        [MM*ID*IIII*LLLL*content]        LLLL = bytes of content, in hex
    [MM*ID*content]             without a length, as posts in forums have it: brackets alone end it

Names of Wi-Fi networks may hold brackets, so brackets alone do not do; firmware that counts badly is on sale, so the
length alone does not do either. A message ends at the first "]" that the length or the balance of brackets calls its
end. Nothing beyond it is waited for, since that may be the difference between now and the next heartbeat. If the length
claims more, what follows may be the rest of a name with a lone "]" in it: it goes in silence if it ends where the
length says. Where another message opens the one before has ended, whatever it claims: that is damage, from which the
decoder may still read an alarm.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.framing.delimited import Delimited

if TYPE_CHECKING:
    from vetlla.protocols.framing.delimited import Piece

MAX_FRAME: Final = 16 * 1024
"""Voice messages and pictures come in pieces below this; a report of positions has less than 1 KiB."""
OPENING: Final = rb"\[[0-9A-Za-z]{2}\*[0-9A-Za-z]{4,20}\*[0-9A-Za-z]"
HEADER: Final = re.compile(
    rb"\[([0-9A-Za-z]{2})\*([0-9A-Za-z]{4,20})\*(?:(?:([0-9A-Fa-f]{4})\*)?([0-9A-Fa-f]{1,8})\*)?"
)
"""Maker, device, index (some makers: ZJ), length."""

_LONGEST_OPENING: Final = 1 + 3 + 21 + 1
_BRACKETS: Final = re.compile(rb"[\[\]]")
_OPEN: Final = ord("[")


class BracketCutter(Delimited):
    """The bytes of one direction of one connection, from first to last."""

    def __init__(self) -> None:
        super().__init__(OPENING, rb"\]", longest_opening=_LONGEST_OPENING, max_frame=MAX_FRAME)
        self._at, self._depth = 1, 1
        """How far the pending message has been searched, from its start, and how many brackets are open there."""
        self._tail = 0
        """Bytes that the message before may still have by its length."""

    def _skip(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Damage | None, int]:
        if self._tail:
            stop = start + self._tail
            opening = self._opening.search(buffer, start)
            if opening is None and len(buffer) < stop and not ended:
                return None, start
            self._tail = 0
            if (opening is None or opening.start() >= stop) and buffer[stop - 1 : stop] == b"]":
                return None, stop
        return super()._skip(buffer, start, ended=ended)

    def _take(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Piece | None, int]:
        self._tail = 0
        piece, stop = self._search(buffer, start, ended=ended)
        if stop != start:
            self._at, self._depth = 1, 1
        return piece, stop

    def _search(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Piece | None, int]:
        """Go on from bracket to bracket; every one is looked at once, however the bytes were cut."""
        limit = start + MAX_FRAME
        for bracket in _BRACKETS.finditer(buffer, start + self._at, limit):
            at = bracket.start()
            if buffer[at] != _OPEN:
                self._depth -= 1
                claimed = self._end(buffer, start, at)
                if self._depth == 0 or at == claimed:
                    self._tail = claimed - at if self._depth == 0 and at < claimed < limit else 0
                    return buffer[start : at + 1], at + 1
            elif self._opening.match(buffer, at, limit):
                raw = buffer[start:at]
                return Damage(Reason.BAD_LENGTH, raw, f"cut off after {len(raw)} bytes by the next message"), at
            elif not ended and len(buffer) < min(at + _LONGEST_OPENING, limit) and not _BRACKETS.search(buffer, at + 1):
                return None, start  # it may still become the opening of the next message
            else:
                self._depth += 1
            self._at = at + 1 - start
        if len(buffer) >= limit:
            stop = limit - _LONGEST_OPENING + 1
            return Damage(Reason.TOO_LONG, buffer[start:stop], f"no end within {MAX_FRAME} bytes"), stop
        if ended:
            return Damage(Reason.TRUNCATED, buffer[start:], f"cut off after {len(buffer) - start} bytes"), len(buffer)
        return None, start

    @staticmethod
    def _end(buffer: bytes, start: int, stop: int) -> int:
        """Return where the length of the message says that its closing bracket stands; -1 without a length."""
        header = HEADER.match(buffer, start, stop)
        return header.end() + int(header[4], 16) if header and header[4] else -1
