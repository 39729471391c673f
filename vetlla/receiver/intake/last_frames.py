"""The last frame of each port of a line receiver, so that its repetition is answered again and not stored again.

A line receiver sends its next message only after the answer to the one before. So only the last frame of a port can
come again, and every other frame is another call, even with the same bytes. ``service/queue/retelling.py`` decides
whether the last frame came again or a home has called again. All instants are monotonic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.previous_run import END_MARKS, LastFrame
from vetlla.service.queue.retelling import ABSENT_TELLINGS, repeats_unanswered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class LastFrames:
    """The last frame of each port, with those of the batch under way."""

    def __init__(self, ports: Iterable[str], kept: Mapping[str, LastFrame], now_us: int) -> None:
        """Take the names of the ports, and what the previous run stored last."""
        self._opened_us = dict.fromkeys(ports, now_us)
        """When each port was opened, or a receiver connected to it, for the last time."""
        self._frames = dict(kept)
        self._new: dict[str, LastFrame] = {}

    def opened(self, port: str, now_us: int) -> None:
        """Take note that a port was opened: its receiver may repeat a message whose answer was lost with the port."""
        self._opened_us[port] = now_us

    def repeated(self, port: str, raw: bytes, now_us: int) -> LastFrame | None:
        """Return the last frame of a port if these bytes repeat it, else None."""
        last = self._new.get(port) or self._frames.get(port)
        if last is None or last.raw != raw.strip(END_MARKS):
            return None
        was_opened = self._opened_us[port] >= last.told_us
        gap_us = now_us - last.told_us
        return last if repeats_unanswered(gap_us, last.tellings, was_opened=was_opened) else None

    def idle(self, port: str) -> None:
        """Take note of a receiver's heartbeat. It has no message without an answer then, unless it is in absence.

        On a new connection the heartbeat may come first, and then the message whose answer was lost.
        """
        last = self._frames.get(port)
        if last is not None and last.tellings < ABSENT_TELLINGS and last.told_us >= self._opened_us[port]:
            del self._frames[port]

    def passed(self, port: str) -> None:
        """Take note that another message of a port was answered: the last one that was stored cannot come again."""
        self._frames.pop(port, None)
        self._new.pop(port, None)

    def keep(self, port: str, raw: bytes, reports: Sequence[tuple[int, int | None]], now_us: int) -> None:
        """Remember a frame of the batch under way: number and open alarm of each of its reports."""
        self._new[port] = LastFrame(raw.strip(END_MARKS), tuple(reports), now_us, 1)

    def repeat(self, port: str, last: LastFrame, now_us: int) -> None:
        """Remember that the last frame came again."""
        self._new[port] = last._replace(told_us=now_us, tellings=last.tellings + 1)

    def committed(self) -> None:
        """Keep the frames of the batch: it was committed."""
        self._frames.update(self._new)
        self._new.clear()

    def rolled_back(self) -> None:
        """Forget the frames of the batch: it was rolled back."""
        self._new.clear()
