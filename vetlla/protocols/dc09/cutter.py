"""Cut a stream of bytes into DC-09 frames, however it was torn, and lose no good frame beside a bad one.

Neither the length field nor the next CR may be trusted alone: Eldes counts the CR, emulators write the length in
decimal, a raw-byte checksum may hold LF and CR, and lines lose bytes. So the checksum decides:

(a) find an opening (LF, checksum, length, quote); what stands before it was no frame;
(b) the first CR behind the quote ends the frame if the checksum fits, whatever the length says;
(c) if it does not and the length reaches past that CR, the CR may belong to the text: wait for those bytes, but only
    until another opening comes among them, for then this frame is damaged and the next one must not wait;
(d) else the frame is damaged: drop it up to its CR, or to the next opening before that.

What comes out depends on the bytes alone, never on how the network cut them. There is no timer: damage is waited upon
at most until the peer's next frame begins, so it never holds up an alarm. Every byte is looked at a bounded number of
times, whatever the bytes are.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from vetlla.protocols.damage import Damage
from vetlla.protocols.dc09.frame import MAX_FRAME, OPENING, Frame, fits, read
from vetlla.signals import Reason

Piece: TypeAlias = Frame | Damage

_LONGEST_OPENING: Final = 10
_FILLERS: Final = re.compile(rb"[\0\r]+")
"""Seen behind frames (NUL: G90B panels; CR LF pairs); no opening starts with one, so they go at once."""


class Cutter:
    """The bytes of one direction of one connection, from first to last."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return the frames and the damage they settle. Less than MAX_FRAME bytes stay behind."""
        buffer = self._pending + data if self._pending else data
        if b"\r" not in data and len(buffer) < MAX_FRAME:
            # No frame ends without CR: what drips in byte by byte costs nothing until then.
            self._pending = buffer
            return []
        return self._cut(buffer, ended=False)

    def finish(self) -> list[Piece]:
        """Say that no more bytes come; return what that settles."""
        return self._cut(self._pending, ended=True)

    def _cut(self, buffer: bytes, *, ended: bool) -> list[Piece]:
        pieces: list[Piece] = []
        start, size = 0, len(buffer)
        piece: Piece | None
        while start < size:
            opening = OPENING.match(buffer, start)
            if opening is None:
                piece, stop = _skip(buffer, start, ended=ended)
            else:
                piece, stop = _take(buffer, opening, ended=ended)
            if stop == start:
                break
            start = stop
            if piece is not None:
                pieces.append(piece)
        self._pending = buffer[start:]
        return pieces


def _skip(buffer: bytes, start: int, *, ended: bool) -> tuple[Damage | None, int]:
    """Pass over what begins no frame: in silence if it says nothing, as damage else. Stop == start: undecided."""
    fillers = _FILLERS.match(buffer, start)
    if fillers is not None:
        return None, fillers.end()
    opening = OPENING.search(buffer, start, start + MAX_FRAME)
    if opening is not None:
        stop = opening.start()
    elif len(buffer) >= start + MAX_FRAME:
        stop = start + MAX_FRAME - _LONGEST_OPENING + 1  # one that starts later would not be seen whole yet
    elif ended:
        stop = len(buffer)
    else:
        return None, start
    dropped = buffer[start:stop]
    if not dropped.strip(b"\0\r\n"):
        return None, stop
    if ended and stop == len(buffer):
        return Damage(Reason.TRUNCATED, dropped, f"the last {len(dropped)} bytes begin or end no DC-09 frame"), stop
    return Damage(Reason.MALFORMED, dropped, f"{len(dropped)} bytes that belong to no DC-09 frame"), stop


def _take(buffer: bytes, opening: re.Match[bytes], *, ended: bool) -> tuple[Piece | None, int]:
    """Settle the frame that opens here. Stop == start: more bytes are needed."""
    start = opening.start()
    end = buffer.find(b"\r", opening.end(), start + MAX_FRAME)
    if end < 0:
        return _take_unended(buffer, opening, ended=ended)
    if fits(buffer, opening, end):
        return read(buffer, opening, end), end + 1
    return _take_misfit(buffer, opening, end, ended=ended)


def _take_unended(buffer: bytes, opening: re.Match[bytes], *, ended: bool) -> tuple[Damage | None, int]:
    """Settle an opening that no CR follows."""
    start = opening.start()
    limit = start + MAX_FRAME
    if len(buffer) >= limit:
        stop = _next_opening(buffer, opening.end(), limit, limit - _LONGEST_OPENING + 1)
        return Damage(Reason.TOO_LONG, buffer[start:stop], f"no CR within the {MAX_FRAME} bytes of a frame"), stop
    if ended:
        stop = _next_opening(buffer, opening.end(), limit, len(buffer))
        return Damage(Reason.TRUNCATED, buffer[start:stop], f"cut off after {stop - start} bytes, before CR"), stop
    return None, start


def _take_misfit(buffer: bytes, opening: re.Match[bytes], end: int, *, ended: bool) -> tuple[Piece | None, int]:
    """Settle a frame whose checksum does not fit up to its first CR, which is at ``end``."""
    start, quote = opening.start(), opening.end() - 1
    declared = int(opening[2] or opening[4], 16)
    stop = quote + declared
    if stop > end and not OPENING.search(buffer, opening.end(), stop):
        for last in (stop - 1, stop):  # Eldes' count, the standard's count
            if buffer[last : last + 1] == b"\r" and fits(buffer, opening, last):
                return read(buffer, opening, last), last + 1
        if len(buffer) <= stop and not ended:
            return None, start
    if not ended and b"\n" in buffer[end - 2 : end] and len(buffer) < end + _LONGEST_OPENING:
        return None, start  # this CR may be half of the next frame's raw-byte checksum
    stop = _next_opening(buffer, opening.end(), end + _LONGEST_OPENING, end + 1)
    if end - quote == declared:
        return Damage(Reason.BAD_CHECKSUM, buffer[start:stop], "the checksum does not fit: bytes were changed"), stop
    text = f"the header declares {declared} bytes and {end - quote} came: bytes were lost or added"
    return Damage(Reason.BAD_LENGTH, buffer[start:stop], text), stop


def _next_opening(buffer: bytes, start: int, seen: int, otherwise: int) -> int:
    """Return where the next opening from ``start`` on stands, if before ``otherwise``."""
    opening = OPENING.search(buffer, start, seen)
    return otherwise if opening is None else min(opening.start(), otherwise)
