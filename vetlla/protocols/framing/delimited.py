"""Cuts a stream into text frames that open with known letters and end in one byte. No good frame is lost.

The text protocols of GSM terminals have no checksum, so two rules must be enough: a frame ends at its terminator, and
no frame continues where another one opens. A frame that is cut off by the next opening, or by the end of the
connection, is damage; the decoder may still read an alarm from it. The result depends on the bytes alone, never on how
the network cut them.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage

Piece: TypeAlias = bytes | Damage

_FILLERS: Final = re.compile(rb"[\0\t\r\n ]+")
"""Bytes that come between frames (EV-07S sends NUL). No opening starts with one."""


class Delimited:
    """Cuts the bytes of one direction of one connection."""

    def __init__(self, opening: bytes, terminator: bytes, *, longest_opening: int, max_frame: int) -> None:
        """Take two regular expressions. ``terminator`` matches one byte; ``opening`` has no group and no terminator."""
        self._opening = re.compile(opening)
        self._stop = re.compile(rb"(%b)|%b" % (terminator, opening))
        self._longest_opening = longest_opening
        self._max_frame = max_frame
        self._pending = b""
        self._searched = 0
        """Number of pending bytes that are known to hold no opening and no end."""

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return the frames and damage that they complete. It keeps less than ``max_frame``."""
        return self._cut(self._pending + data if self._pending else data, ended=False)

    def finish(self) -> list[Piece]:
        """Take the end of the stream; return the last frames and damage."""
        return self._cut(self._pending, ended=True)

    def _cut(self, buffer: bytes, *, ended: bool) -> list[Piece]:
        pieces: list[Piece] = []
        start, size = 0, len(buffer)
        piece: Piece | None
        while start < size:
            settle = self._take if self._opening.match(buffer, start) else self._skip
            piece, stop = settle(buffer, start, ended=ended)
            if stop == start:
                # An opening may begin in the last bytes. The others are not searched again, however slow the peer is.
                self._searched = max(0, size - start - self._longest_opening + 1)
                break
            start, self._searched = stop, 0
            if piece is not None:
                pieces.append(piece)
        self._pending = buffer[start:]
        return pieces

    def _skip(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Damage | None, int]:
        """Pass over bytes that open no frame; fillers are no damage. If stop == start, more bytes are needed."""
        fillers = _FILLERS.match(buffer, start)
        if fillers is not None:
            return None, fillers.end()
        limit = start + self._max_frame
        opening = self._opening.search(buffer, start + self._searched, limit)
        if opening is not None:
            stop = opening.start()
        elif len(buffer) >= limit:
            stop = limit - self._longest_opening + 1  # a later opening may not be complete yet
        elif ended:
            dropped = buffer[start:]
            text = f"the last {len(dropped)} bytes belong to no frame"
            return Damage(Reason.TRUNCATED, dropped, text), len(buffer)
        else:
            return None, start
        return Damage(Reason.MALFORMED, buffer[start:stop], f"{stop - start} bytes belong to no frame"), stop

    def _take(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Piece | None, int]:
        """Return the frame or damage that opens at ``start``. If stop == start, more bytes are needed."""
        limit = start + self._max_frame
        # The next opening may begin inside the letters of this one.
        found = self._stop.search(buffer, start + max(1, self._searched), limit)
        if found is not None and found[1] is not None:
            return buffer[start : found.end()], found.end()
        if found is not None:
            raw = buffer[start : found.start()]
            text = f"the next frame cuts this one off after {len(raw)} bytes"
            return Damage(Reason.BAD_LENGTH, raw, text), found.start()
        if len(buffer) >= limit:
            stop = limit - self._longest_opening + 1
            text = f"the frame does not end within {self._max_frame} bytes"
            return Damage(Reason.TOO_LONG, buffer[start:stop], text), stop
        if ended:
            raw = buffer[start:]
            return Damage(Reason.TRUNCATED, raw, f"the frame is cut off after {len(raw)} bytes"), len(buffer)
        return None, start
