"""The client transaction of any request but INVITE (RFC 3261, 17.1.2): sends it until a final answer comes.

TRYING      sent; over UDP again after 0.5, 1, 2, 4, 4 ... s (timer E)
PROCEEDING  a provisional answer came; over UDP again each 4 s
COMPLETED   a final answer came; over UDP its repetitions are absorbed for 5 s (timer K)
ENDED       as above, and that time is over; or no final answer came in 32 s (timer F)
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from vetlla.protocols.sip.transactions.timers import T1_US, T2_US, T4_US, WHOLE_US
from vetlla.protocols.sip.values import read_sequence

if TYPE_CHECKING:
    from vetlla.protocols.sip.message import Response

FINAL: Final = 200
"""Lowest status of a final answer."""


class Stage(Enum):
    """How far a transaction is."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    ENDED = auto()


class ClientTransaction:
    """One request. Times are microseconds of the monotonic clock. The caller sends the request first, then makes this.

    It calls ``tick`` when ``due_us`` has come, and sends the request again if that returns True.
    """

    def __init__(self, key: tuple[str, str], now_us: int, *, is_reliable: bool, whole_us: int = WHOLE_US) -> None:
        """Take branch and method. ``whole_us`` is timer F, which a caller with less patience shortens."""
        self.key = key
        self.stage = Stage.TRYING
        self.is_timed_out = False
        """True if no final answer came in time."""
        self._is_reliable = is_reliable
        self._pause_us = T1_US
        self._again_us = now_us + T1_US
        self._end_us = now_us + whole_us

    @property
    def due_us(self) -> int | None:
        """When ``tick`` must be called; None if the transaction has ended."""
        if self.stage is Stage.ENDED:
            return None
        if self.stage is Stage.COMPLETED or self._is_reliable:
            return self._end_us
        return min(self._again_us, self._end_us)

    def tick(self, now_us: int) -> bool:
        """Let time pass. Return True if the request must be sent again."""
        if self.stage is Stage.ENDED:
            return False
        if now_us >= self._end_us:
            self.is_timed_out = self.stage is not Stage.COMPLETED
            self.stage = Stage.ENDED
            return False
        if self._is_reliable or self.stage is Stage.COMPLETED or now_us < self._again_us:
            return False
        self._pause_us = T2_US if self.stage is Stage.PROCEEDING else min(2 * self._pause_us, T2_US)
        self._again_us = now_us + self._pause_us
        return True

    def take(self, response: Response, now_us: int) -> bool:
        """Take an answer. Return True if it is the final one, False if it is provisional, foreign or a repetition."""
        if self.stage in {Stage.COMPLETED, Stage.ENDED} or response_key(response) != self.key:
            return False
        if response.status < FINAL:
            self.stage = Stage.PROCEEDING
            return False
        self.stage = Stage.ENDED if self._is_reliable else Stage.COMPLETED
        self._end_us = now_us + T4_US
        return True


def response_key(response: Response) -> tuple[str, str] | None:
    """Return branch and method of the request that is answered (17.1.3); None if the answer does not say them."""
    via = response.headers.via
    sequence = read_sequence(response.headers.first("cseq"))
    if via is None or sequence is None or not via.branch:
        return None
    return via.branch, sequence.method
