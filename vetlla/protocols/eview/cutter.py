"""Cut a stream of bytes into Eview frames by length and checksum, and lose no good frame beside a bad one.

Every 0xAB with a possible length may open a frame; the checksum decides when the last byte is there. So openings are
settled in the order in which they would end: a good frame is given out at once, even while something that opened before
it still claims bytes (a damaged length may claim 8 KiB, and an SOS must not wait for them), and that something is given
out too if it proves good (a name of a Wi-Fi network may hold any bytes, a frame's as well). What belongs to no good
frame is damage. What comes out depends on the bytes alone, never on how the network cut them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastcrc.crc16 import xmodem

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage

if TYPE_CHECKING:
    from vetlla.protocols.framing.delimited import Piece

HEADER: Final = 8
MAX_BODY: Final = 8 * 1024
"""Bodies of 1,370 bytes are public; the vendor names no limit."""
MAX_FRAME: Final = HEADER + MAX_BODY

_OPENING: Final = b"\xab"
_SIZED: Final = 4
"""Bytes from an opening to the end of its length."""
_MAX_OPEN: Final = 16
"""Openings that are followed at a time: bounds the work for a stream made of nothing else. Others wait their turn."""
_FILLERS: Final = b"\0\r\n"


class Cutter:
    """The bytes of one direction of one connection, from first to last."""

    def __init__(self) -> None:
        self._buffer = b""
        self._seen = 0
        """All openings before it are known."""
        self._open: list[tuple[int, int]] = []
        """Ends and starts of what may become a frame."""
        self._taken: list[tuple[int, int]] = []
        """Starts and ends of good frames behind something that is open still."""

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return the frames and the damage they settle. Less than MAX_FRAME bytes stay behind."""
        if not self._buffer and data.rfind(_OPENING) == 0 and _end(data, 0) == len(data) and _is_good(data):
            return [data]  # one frame in one segment, and nothing in it that could be another
        self._buffer += data
        pieces: list[Piece] = []
        while self._step(pieces):
            pass
        return pieces

    def finish(self) -> list[Piece]:
        """Say that no more bytes come; return what that settles."""
        pieces: list[Piece] = []
        while self._seen + _SIZED <= len(self._buffer):
            self._open.clear()  # what ends beyond the last byte; others may have waited for it
            while self._step(pieces):
                pass
        for start, stop in self._gaps(len(self._buffer)):
            raw = self._buffer[start:stop]
            pieces.append(Damage(Reason.TRUNCATED, raw, f"the last {len(raw)} bytes are no whole frame"))
        self._buffer, self._seen, self._open, self._taken = b"", 0, [], []
        return pieces

    def _step(self, pieces: list[Piece]) -> bool:
        """Settle what ends next, if all of it is there."""
        self._find()
        end, start = min(self._open, default=(MAX_FRAME + 1, 0))
        if end <= MAX_FRAME:
            if end > len(self._buffer):
                return False
            self._open.remove((end, start))
            self._settle(start, end, pieces)
            return True
        if len(self._buffer) < MAX_FRAME:
            return False
        self._tell(self._horizon(MAX_FRAME), pieces)
        return True

    def _find(self) -> None:
        """Note the openings that stand before the next end: later ones must not be known yet, however much came."""
        buffer, at = self._buffer, self._seen
        while len(self._open) < _MAX_OPEN:
            limit = min(len(buffer), MAX_FRAME, *(end for end, _ in self._open))
            start = buffer.find(_OPENING, at, limit)
            if start < 0 or start + _SIZED > limit:
                at = max(at, limit) if start < 0 else start
                break
            if end := _end(buffer, start):
                self._open.append((end, start))
            at = start + 1
        self._seen = at

    def _settle(self, start: int, end: int, pieces: list[Piece]) -> None:
        frame = self._buffer[start:end]
        if not _is_good(frame):
            self._tell(self._horizon(end), pieces)
            return
        # What seemed to open inside a good frame opened nothing.
        self._open = [entry for entry in self._open if not start < entry[1] < end]
        self._seen = max(self._seen, end)
        if any(other < start for _, other in self._open):
            self._taken.append((start, end))
            pieces.append(frame)
            return
        self._tell(start, pieces)
        pieces.append(frame)
        self._drop(end - start)

    def _horizon(self, end: int) -> int:
        """Return up to where, before ``end``, nothing is open or still to be looked at."""
        unseen = self._buffer.find(_OPENING, self._seen, end)
        return min(end if unseen < 0 else unseen, end, *(start for _, start in self._open))

    def _tell(self, horizon: int, pieces: list[Piece]) -> None:
        """Give up the bytes before ``horizon``: what of them is in no good frame is damage."""
        if not horizon:
            return
        for start, stop in self._gaps(horizon):
            raw = self._buffer[start:stop]
            if _end(raw, 0):
                pieces.append(Damage(Reason.BAD_CHECKSUM, raw, "the checksum does not fit: bytes were changed or lost"))
            else:
                pieces.append(Damage(Reason.MALFORMED, raw, f"{len(raw)} bytes that belong to no Eview frame"))
        self._drop(horizon)

    def _gaps(self, stop: int) -> list[tuple[int, int]]:
        """Return what before ``stop`` is neither in a good frame nor a filler."""
        gaps = []
        at = 0
        for start, end in [*sorted(span for span in self._taken if span[0] < stop), (stop, stop)]:
            if self._buffer[at:start].strip(_FILLERS):
                gaps.append((at, start))
            at = max(at, end)
        return gaps

    def _drop(self, size: int) -> None:
        self._buffer = self._buffer[size:]
        self._seen = max(0, self._seen - size)
        self._open = [(end - size, start - size) for end, start in self._open if start >= size]
        self._taken = [(start - size, end - size) for start, end in self._taken if start >= size]


def _end(buffer: bytes, start: int) -> int:
    """Return where the frame that opens at ``start`` would end; 0 if none can."""
    if buffer[start : start + 1] != _OPENING or len(buffer) < start + _SIZED:
        return 0
    length = buffer[start + 2] | buffer[start + 3] << 8
    return start + HEADER + length if 0 < length <= MAX_BODY else 0


def _is_good(frame: bytes) -> bool:
    return xmodem(frame[HEADER:]) == frame[4] | frame[5] << 8
