"""Cuts a stream of bracket messages. Brackets and a length both show the end of a message, and both may be wrong.

    [MM*ID*LLLL*content]        [MM*ID*IIII*LLLL*content]        LLLL = bytes of content, in hex
    [MM*ID*content]             without a length, as in posts in forums; only brackets end it

Names of Wi-Fi networks may hold brackets, so brackets alone are not enough. Firmware that counts badly is on sale, so
the length alone is not enough either. A message ends at the first "]" that is its end by the length or by the balance
of brackets. The cutter waits for nothing after it, because the next bytes may come only with the next heartbeat. If the
length claims more, the rest of a name with a single "]" in it may follow. That rest is dropped if it ends where the
length says. Where another message opens, the one before has ended, even if its length claims more bytes. It is damage,
from which the decoder may still read an alarm.
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
    """Cuts the bytes of one direction of one connection."""

    def __init__(self) -> None:
        super().__init__(OPENING, rb"\]", longest_opening=_LONGEST_OPENING, max_frame=MAX_FRAME)
        self._at, self._depth = 1, 1
        """How far the pending message has been searched, from its start, and how many brackets are open there."""
        self._tail = 0
        """Bytes that may still belong to the message before, by its length."""

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
        """Return the message or damage at ``start``. Each bracket is searched once, however the bytes were cut."""
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
                text = f"the next message cuts this one off after {len(raw)} bytes"
                return Damage(Reason.BAD_LENGTH, raw, text), at
            elif not ended and len(buffer) < min(at + _LONGEST_OPENING, limit) and not _BRACKETS.search(buffer, at + 1):
                return None, start  # it may still become the opening of the next message
            else:
                self._depth += 1
            self._at = at + 1 - start
        if len(buffer) >= limit:
            stop = limit - _LONGEST_OPENING + 1
            text = f"the message does not end within {MAX_FRAME} bytes"
            return Damage(Reason.TOO_LONG, buffer[start:stop], text), stop
        if ended:
            text = f"the message is cut off after {len(buffer) - start} bytes"
            return Damage(Reason.TRUNCATED, buffer[start:], text), len(buffer)
        return None, start

    @staticmethod
    def _end(buffer: bytes, start: int, stop: int) -> int:
        """Return where the closing bracket stands by the message's length; -1 if it has no length."""
        header = HEADER.match(buffer, start, stop)
        return header.end() + int(header[4], 16) if header and header[4] else -1
