"""Cut a stream of text into frames that open with known letters and end in one byte, and lose none beside a bad one.

The text protocols of GSM terminals have no checksum, so that two rules must do: a frame ends at its terminator, and no
frame goes on where another one opens. What was cut off, by the next opening or by the end of the connection, is damage
that the decoder may still read an alarm from. What comes out depends on the bytes alone, never on how the network cut
them.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage

Piece: TypeAlias = bytes | Damage

_FILLERS: Final = re.compile(rb"[\0\t\r\n ]+")
"""Seen between frames (NUL: EV-07S); no opening starts with one."""


class Delimited:
    """The bytes of one direction of one connection, from first to last."""

    def __init__(self, opening: bytes, terminator: bytes, *, longest_opening: int, max_frame: int) -> None:
        """Take two regular expressions; ``terminator`` matches one byte, ``opening`` has no group and none inside."""
        self._opening = re.compile(opening)
        self._stop = re.compile(rb"(%b)|%b" % (terminator, opening))
        self._longest_opening = longest_opening
        self._max_frame = max_frame
        self._pending = b""
        self._searched = 0
        """How far the pending bytes are known to hold no opening and no end."""

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return the frames and the damage they settle. Less than ``max_frame`` stay behind."""
        return self._cut(self._pending + data if self._pending else data, ended=False)

    def finish(self) -> list[Piece]:
        """Say that no more bytes come; return what that settles."""
        return self._cut(self._pending, ended=True)

    def _cut(self, buffer: bytes, *, ended: bool) -> list[Piece]:
        pieces: list[Piece] = []
        start, size = 0, len(buffer)
        piece: Piece | None
        while start < size:
            settle = self._take if self._opening.match(buffer, start) else self._skip
            piece, stop = settle(buffer, start, ended=ended)
            if stop == start:
                # An opening may have begun among the last bytes; the rest need no second look, however slow the peer.
                self._searched = max(0, size - start - self._longest_opening + 1)
                break
            start, self._searched = stop, 0
            if piece is not None:
                pieces.append(piece)
        self._pending = buffer[start:]
        return pieces

    def _skip(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Damage | None, int]:
        """Pass over what opens no frame: in silence if it says nothing. Stop == start: undecided."""
        fillers = _FILLERS.match(buffer, start)
        if fillers is not None:
            return None, fillers.end()
        limit = start + self._max_frame
        opening = self._opening.search(buffer, start + self._searched, limit)
        if opening is not None:
            stop = opening.start()
        elif len(buffer) >= limit:
            stop = limit - self._longest_opening + 1  # one that starts later would not be seen whole yet
        elif ended:
            dropped = buffer[start:]
            text = f"the last {len(dropped)} bytes begin or end no frame"
            return Damage(Reason.TRUNCATED, dropped, text), len(buffer)
        else:
            return None, start
        return Damage(Reason.MALFORMED, buffer[start:stop], f"{stop - start} bytes that belong to no frame"), stop

    def _take(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Piece | None, int]:
        """Settle the frame that opens at ``start``. Stop == start: more bytes are needed."""
        limit = start + self._max_frame
        # The next opening may begin inside this one's letters.
        found = self._stop.search(buffer, start + max(1, self._searched), limit)
        if found is not None and found[1] is not None:
            return buffer[start : found.end()], found.end()
        if found is not None:
            raw = buffer[start : found.start()]
            return Damage(Reason.BAD_LENGTH, raw, f"cut off after {len(raw)} bytes by the next frame"), found.start()
        if len(buffer) >= limit:
            stop = limit - self._longest_opening + 1
            return Damage(Reason.TOO_LONG, buffer[start:stop], f"no end within {self._max_frame} bytes"), stop
        if ended:
            raw = buffer[start:]
            return Damage(Reason.TRUNCATED, raw, f"cut off after {len(raw)} bytes"), len(buffer)
        return None, start
