"""Cuts a stream of bytes into DC-09 frames, wherever the network split it. A bad frame never costs a good one.

Devices end a frame with CR, with LF, with NUL or with nothing. Eldes counts the CR, and emulators write the length in
decimal. A raw-byte checksum may hold LF and CR, and lines lose bytes. So the checksum decides, at the first byte at
which it can. To *settle* bytes is to decide whether they are a frame or damage:

(a) find an opening (LF, checksum, length, quote); the bytes before it are no frame;
(b) if the checksum fits the bytes that the length counts, the frame is whole at once, whatever follows;
(c) otherwise the first CR after the quote, or the first LF or NUL before that CR, ends the frame if the checksum fits,
    whatever the length says;
(d) if it does not fit and the length reaches past that CR, the CR may belong to the text. Wait for those bytes, but
    only until another opening comes among them: then this frame is damaged, and the next one must not wait;
(e) otherwise the frame is damaged: drop it up to its CR, or up to the next opening before that;
(f) if a frame inside a waiting one becomes whole by its length, the outer frame was cut off.

The result depends on the bytes alone, never on how the network cut them. There is no timer: a damaged frame waits at
most until the peer's next frame is whole, so it never delays an alarm. However slowly bytes come, a byte that can
settle something costs three checksums and a few searches over the waiting frame. Other bytes cost less.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from fastcrc.crc16 import arc

from vetlla.domain.signals import Reason
from vetlla.protocols.dc09.frame import MAX_FRAME, OPENING, PADDING, Frame, covered, read, stated
from vetlla.protocols.dc09.openings import LONGEST_OPENING, MIN_BODY, Openings, is_whole
from vetlla.protocols.framing.damage import Damage

Piece: TypeAlias = Frame | Damage

_SETTLING: Final = re.compile(rb'[\r\n\0"]')
_OTHER_END: Final = re.compile(rb"[\n\0]")
_FILLERS: Final = re.compile(rb"[\0\t\r ]+")
"""Padding that begins no frame; it is dropped at once."""


class Dc09Cutter:
    """Cuts the bytes of one direction of one connection."""

    __slots__ = ("_due", "_pending", "_searched")

    def __init__(self) -> None:
        self._pending = b""
        self._searched: Openings | None = None
        """Made at the first search, because most connections bring only whole frames."""
        self._due = 0
        """While fewer bytes than this wait, only CR, LF, NUL or a quote (of another opening) can settle anything."""

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return the frames and damage that they complete. It keeps less than MAX_FRAME bytes."""
        buffer = self._pending + data if self._pending else data
        if self._due and len(buffer) < self._due and _SETTLING.search(data) is None:
            self._pending = buffer  # no search is needed, so bytes that come one by one cost nothing
            return []
        return self._cut(buffer, ended=False)

    def finish(self) -> list[Piece]:
        """Take the end of the stream; return the last frames and damage."""
        return self._cut(self._pending, ended=True)

    def _cut(self, buffer: bytes, *, ended: bool) -> list[Piece]:
        pieces: list[Piece] = []
        start, size = 0, len(buffer)
        self._due = 0
        piece: Piece | None
        while start < size:
            opening = OPENING.match(buffer, start)
            if opening is None:
                piece, stop = self._skip(buffer, start, ended=ended)
            else:
                piece, stop = self._take(buffer, opening, ended=ended)
            if stop == start:
                break
            start = stop
            if piece is not None:
                pieces.append(piece)
        self._pending = buffer[start:]
        if start and self._searched is not None and self._searched.searched:
            self._searched.forget(start)
        return pieces

    @property
    def _openings(self) -> Openings:
        if self._searched is None:
            self._searched = Openings()
        return self._searched

    def _wait(self, start: int, size: int, until: int) -> tuple[None, int]:
        """Settle nothing at ``start`` until ``until`` bytes are there, or another frame is whole inside."""
        inside = self._openings.due(size)
        self._due = min(inside, until) - start if inside else until - start
        return None, start

    def _skip(self, buffer: bytes, start: int, *, ended: bool) -> tuple[Damage | None, int]:
        """Pass over bytes that begin no frame; padding is no damage. If stop == start, more bytes are needed."""
        fillers = _FILLERS.match(buffer, start)
        if fillers is not None:
            return None, fillers.end()
        limit = start + MAX_FRAME
        opening = self._openings.next(buffer, start, min(limit, len(buffer)))
        if opening is not None:
            stop = opening
        elif len(buffer) >= limit:
            stop = limit - LONGEST_OPENING + 1  # a later opening may not be complete yet
        elif ended:
            stop = len(buffer)
        else:
            return self._wait(start, len(buffer), limit)
        dropped = buffer[start:stop]
        if not dropped.strip(PADDING):
            return None, stop
        if ended and stop == len(buffer):
            return Damage(Reason.TRUNCATED, dropped, f"the last {len(dropped)} bytes belong to no DC-09 frame"), stop
        return Damage(Reason.MALFORMED, dropped, f"{len(dropped)} bytes belong to no DC-09 frame"), stop

    def _take(self, buffer: bytes, opening: re.Match[bytes], *, ended: bool) -> tuple[Piece | None, int]:
        """Return the frame or damage that opens here. If stop == start, more bytes are needed."""
        start, quote = opening.span()
        quote -= 1
        in_hex = opening.lastindex == 2  # then checksum and length are one number of eight digits
        crc, declared = divmod(int(buffer[quote - 8 : quote], 16), 0x10000) if in_hex else stated(opening)
        stop = quote + declared
        body = buffer[quote:stop]
        fits = len(body) == declared >= MIN_BODY and arc(body) == crc  # an incomplete body costs no checksum
        if fits and body.count(b'"') == 2 and buffer.find(b"\r", quote, stop + 1) == stop:  # nearly every frame does
            return read(buffer, opening, stop, declared), stop + 1
        cr = buffer.find(b"\r", quote, start + MAX_FRAME)
        known = cr if cr >= 0 else min(len(buffer), start + MAX_FRAME)
        if fits and stop <= known:
            end, known, quotes = stop, stop - 1, body.count(b'"')
        else:
            end = covered(buffer, quote, cr, crc) if cr >= 0 else -1
            other = _OTHER_END.search(buffer, quote + MIN_BODY, known) if end < 0 else None
            if other is not None and arc(buffer[quote : other.start()]) == crc:
                end = known = other.start()
            quotes = buffer.count(b'"', quote, known)
        # The token has two quotes, so only a third one may end another frame's opening.
        inner = self._openings.whole(buffer, quote + 1, known) if quotes > 2 else None
        if inner is not None:
            text = f"the header declares {declared} bytes and another frame opens after {inner - quote}"
            return _cut_short(buffer, opening, Damage(Reason.BAD_LENGTH, buffer[start:inner], text)), inner
        if end >= 0:
            return read(buffer, opening, end, declared), end + (end == cr)
        if cr < 0:
            return self._take_unended(buffer, opening, stop, ended=ended)
        return self._take_misfit(buffer, opening, cr, ended=ended)

    def _take_unended(
        self, buffer: bytes, opening: re.Match[bytes], stop: int, *, ended: bool
    ) -> tuple[Piece | None, int]:
        """Settle an opening that no CR follows, and whose counted bytes did not come or do not fit."""
        start, size = opening.start(), len(buffer)
        limit = start + MAX_FRAME
        if size >= limit:
            end = self._next(buffer, opening.end(), limit, limit - LONGEST_OPENING + 1)
            text = f"no CR came within the {MAX_FRAME} bytes of a frame"
            return _cut_short(buffer, opening, Damage(Reason.TOO_LONG, buffer[start:end], text)), end
        if ended:
            end = self._next(buffer, opening.end(), limit, size)
            text = f"the frame is cut off after {end - start} bytes, before its CR"
            return _cut_short(buffer, opening, Damage(Reason.TRUNCATED, buffer[start:end], text)), end
        return self._wait(start, size, stop if stop > size else limit)

    def _take_misfit(
        self, buffer: bytes, opening: re.Match[bytes], cr: int, *, ended: bool
    ) -> tuple[Piece | None, int]:
        """Settle a frame whose checksum does not fit up to its first CR."""
        start, quote, size = opening.start(), opening.end() - 1, len(buffer)
        crc, declared = stated(opening)
        stop = quote + declared
        if stop > cr and self._openings.next(buffer, quote + 1, min(stop, size)) is None:
            if size >= stop and is_whole(buffer, quote, stop, crc):
                return read(buffer, opening, stop, declared), stop
            for last in (stop - 1, stop):  # only one of length and checksum counts the CR
                if buffer[last : last + 1] == b"\r" and (end := covered(buffer, quote, last, crc)) >= 0:
                    return read(buffer, opening, end, declared), last + 1
            if size <= stop and not ended:
                return self._wait(start, size, max(stop, size + 1))
        if not ended and b"\n" in buffer[cr - 2 : cr] and size < cr + LONGEST_OPENING:
            return self._wait(start, size, cr + LONGEST_OPENING)  # this CR may be half of the next raw-byte checksum
        end = self._next(buffer, quote + 1, cr + LONGEST_OPENING, cr + 1)
        if cr - quote == declared:
            return Damage(Reason.BAD_CHECKSUM, buffer[start:end], "the checksum does not fit: bytes were changed"), end
        text = f"the header declares {declared} bytes and {cr - quote} came: bytes were lost or added"
        return _cut_short(buffer, opening, Damage(Reason.BAD_LENGTH, buffer[start:end], text)), end

    def _next(self, buffer: bytes, at: int, limit: int, otherwise: int) -> int:
        """Return where the next opening from ``at`` on begins, if that is before ``otherwise``; else ``otherwise``."""
        opening = self._openings.next(buffer, at, min(limit, len(buffer)))
        return otherwise if opening is None else min(opening, otherwise)


def _cut_short(buffer: bytes, opening: re.Match[bytes], damage: Damage) -> Piece:
    """Return the damage, or a frame if the checksum fits and only the length is wrong."""
    quote = opening.end() - 1
    body = buffer[quote : opening.start() + len(damage.raw)].rstrip(PADDING)
    crc, declared = stated(opening)
    return read(buffer, opening, quote + len(body), declared) if arc(body) == crc else damage
