"""Cuts a stream of bytes into Eview frames by length and checksum. A bad frame never costs a good one.

Every 0xAB with a possible length may open a frame. When the last byte of that length is there, the checksum *settles*
the opening: it decides whether it is a frame. So openings are settled in the order in which they would end. A good
frame is returned at once, even while an earlier opening still claims bytes: a damaged length may claim 8 KiB, and an
SOS must not wait for them. The earlier frame is returned too if its checksum fits, because the name of a Wi-Fi network
may hold any bytes, even a frame. Bytes that belong to no good frame are damage.
The result depends on the bytes alone, never on how the network cut them.
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
"""Most openings that are followed at the same time; others wait. This bounds the work if all bytes are openings."""
_FILLERS: Final = b"\0\r\n"


class EviewCutter:
    """Cuts the bytes of one direction of one connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._seen = 0
        """Position before which all openings are known."""
        self._open: list[tuple[int, int]] = []
        """Ends and starts of the openings that may become frames."""
        self._taken: list[tuple[int, int]] = []
        """Starts and ends of good frames after an opening that is not settled yet."""

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return the frames and damage that they complete. It keeps less than MAX_FRAME bytes."""
        if not self._buffer and data.rfind(_OPENING) == 0 and _end(data, 0) == len(data) and _is_good(data):
            return [data]  # one frame in one segment, without another opening
        self._buffer += data
        pieces: list[Piece] = []
        while self._step(pieces):
            pass
        return pieces

    def finish(self) -> list[Piece]:
        """Take the end of the stream; return the last frames and damage."""
        pieces: list[Piece] = []
        while self._seen + _SIZED <= len(self._buffer):
            self._open.clear()  # these end beyond the last byte; others may have waited for them
            while self._step(pieces):
                pass
        for start, stop in self._gaps(len(self._buffer)):
            raw = self._buffer[start:stop]
            pieces.append(Damage(Reason.TRUNCATED, raw, f"the last {len(raw)} bytes are not a whole frame"))
        self._buffer, self._seen, self._open, self._taken = b"", 0, [], []
        return pieces

    def _step(self, pieces: list[Piece]) -> bool:
        """Settle the opening that ends next. Return True if its last byte is there, or if the buffer is full."""
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
        self._discard(self._horizon(MAX_FRAME), pieces)
        return True

    def _find(self) -> None:
        """Note the openings before the next end. Later ones must not be noted yet, however many bytes came."""
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
            self._discard(self._horizon(end), pieces)
            return
        # An opening inside a good frame opens no frame.
        self._open = [entry for entry in self._open if not start < entry[1] < end]
        self._seen = max(self._seen, end)
        if any(other < start for _, other in self._open):
            self._taken.append((start, end))
            pieces.append(frame)
            return
        self._discard(start, pieces)
        pieces.append(frame)
        self._drop(end - start)

    def _horizon(self, end: int) -> int:
        """Return the position, at most ``end``, before which no opening is unsettled or unknown."""
        unseen = self._buffer.find(_OPENING, self._seen, end)
        return min(end if unseen < 0 else unseen, end, *(start for _, start in self._open))

    def _discard(self, horizon: int, pieces: list[Piece]) -> None:
        """Drop the bytes before ``horizon``. Those that are in no good frame are damage."""
        if not horizon:
            return
        for start, stop in self._gaps(horizon):
            raw = self._buffer[start:stop]
            if _end(raw, 0):
                pieces.append(Damage(Reason.BAD_CHECKSUM, raw, "the checksum does not fit: bytes were changed or lost"))
            else:
                pieces.append(Damage(Reason.MALFORMED, raw, f"{len(raw)} bytes belong to no Eview frame"))
        self._drop(horizon)

    def _gaps(self, stop: int) -> list[tuple[int, int]]:
        """Return the gaps between good frames before ``stop``, without gaps that hold only fillers."""
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
    """Return where the frame that opens at ``start`` would end; 0 if no frame can open there."""
    if buffer[start : start + 1] != _OPENING or len(buffer) < start + _SIZED:
        return 0
    length = buffer[start + 2] | buffer[start + 3] << 8
    return start + HEADER + length if 0 < length <= MAX_BODY else 0


def _is_good(frame: bytes) -> bool:
    return xmodem(frame[HEADER:]) == frame[4] | frame[5] << 8
