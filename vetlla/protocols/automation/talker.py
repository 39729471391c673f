"""The receiver's side of automation output: one message at a time, repeated until it is acknowledged.

                 offer                ACK: the message is done
      idle ─────────────▶ waiting ─────────────────────────────▶ settling ──▶ idle
        ▲  heartbeat_s       │ ▲ NAK, or answer_s without an answer: the same again
        │  of silence        └─┘
        │                    │ as many sendings as ``tries`` without ACK
        │   ACK              ▼
        └──────────────── absent: only a heartbeat each heartbeat_s, and the message again after its ACK

    06 ACK, 15 NAK   answers of the computer; all other bytes, such as a B32 header before them, are ignored

An answer names no message. So after a message that was sent more than once, the next one waits until no answer to an
earlier sending can be under way (*settling*); else such an answer would be taken for the next one's. The times are
those of MLR2000 and System 5: 4 s and three repetitions, 9.9 s at most, a heartbeat each 30 s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from vetlla.domain.errors import UsageError

_ACK: Final = 0x06
_NAK: Final = 0x15
_SEVEN_BITS: Final = 0x7F
"""An answer with even parity that is read as 8N1 has an eighth bit: NAK comes as 95 (hex)."""
ANSWER_LEAST_S: Final = 0.05
"""Shortest patience. A computer needs one sync of a disk to answer."""
ANSWER_MOST_S: Final = 9.9
"""Longest patience that a receiver can be set to (System 5, option 412)."""
TRIES_MOST: Final = 99
"""Most sendings before the computer counts as absent. Receivers have 4."""
HEARTBEAT_LEAST_S: Final = 0.05
"""Shortest interval of heartbeats. Receivers have 1 s or more; drills may go faster."""
HEARTBEAT_MOST_S: Final = 99.0
"""Longest interval of heartbeats (MLR2 has two digits for it)."""
LATE: Final = 2
"""Answers may come until this many times ``answer_s`` after the last sending. Later ones are not expected any more."""


class Sendable(Protocol):
    """A message: its bytes on the line."""

    @property
    def frame(self) -> bytes:
        """The whole frame, with its end mark and its B32 header if it has them."""
        ...


M = TypeVar("M", bound=Sendable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The times of a receiver, in seconds. Raises UsageError if one is out of its bounds."""

    answer_s: float = 4.0
    """How long the receiver waits for an answer before it sends the same again."""
    tries: int = 4
    """Sendings of one message without ACK, after which the computer counts as absent."""
    heartbeat_s: float = 30.0
    """Time without traffic after which a heartbeat is sent; in absence, the time from one heartbeat to the next."""

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("answer_s", self.answer_s, ANSWER_LEAST_S, ANSWER_MOST_S),
            ("tries", self.tries, 1, TRIES_MOST),
            ("heartbeat_s", self.heartbeat_s, HEARTBEAT_LEAST_S, HEARTBEAT_MOST_S),
        ):
            if not least <= value <= most:
                raise UsageError(f"{name} cannot be {value:g}", remedy=f"give a number from {least:g} to {most:g}")


@dataclass(slots=True)
class TalkerCounts:
    """What happened since the talker was made."""

    sent: int = 0
    """Sendings of messages, also repeated ones."""
    acknowledged: int = 0
    """Messages that are done."""
    repeated: int = 0
    """Sendings of a message after its first one."""
    refused: int = 0
    """NAKs to messages and heartbeats."""
    absences: int = 0
    """Times at which the computer was declared absent."""
    heartbeats: int = 0
    """Sendings of heartbeats."""
    strays: int = 0
    """Answers that no sending waited for."""


class Turn(NamedTuple, Generic[M]):
    """What to do now: write these bytes, and forget the message that is done."""

    write: bytes = b""
    done: M | None = None


class Talker(Generic[M]):
    """Sends messages in their order over one connection at a time; each is done only when it was acknowledged.

    It uses no clock: ``now`` is any monotonic time in seconds, and ``wakes_at`` is when ``tick`` wants to be called.
    """

    def __init__(self, heartbeat: bytes, patience: Patience | None = None) -> None:
        """Take the whole frame of a heartbeat."""
        self.counts = TalkerCounts()
        self._heartbeat = heartbeat
        self._patience = patience or Patience()
        self._waiting: deque[M] = deque()
        self._is_connected = False
        self._is_absent = False
        self._is_beating = False
        """True if the last sending was a heartbeat."""
        self._is_answered = True
        """True if no message or heartbeat waits for its answer."""
        self._tries = 0
        """Sendings of what waits for its answer."""
        self._owed = 0
        """Answers that may still come: to one message, or to heartbeats and what an absent computer left unanswered."""
        self._sent_at = 0.0
        """Time of the last sending."""
        self._heard_at = 0.0
        """Time of the last ACK, or of the set-up of the connection."""

    @property
    def outstanding(self) -> M | None:
        """The message that is sent first, or is waiting for its answer; None if there is none."""
        return self._waiting[0] if self._waiting else None

    @property
    def backlog(self) -> int:
        """Number of messages that are not done."""
        return len(self._waiting)

    @property
    def is_absent(self) -> bool:
        """True if the computer left ``tries`` sendings without ACK, and no heartbeat was acknowledged since."""
        return self._is_absent

    @property
    def is_connected(self) -> bool:
        """True between ``connected`` and ``disconnected``."""
        return self._is_connected

    @property
    def wakes_at(self) -> float | None:
        """When ``tick`` has something to do; None without a connection."""
        if not self._is_connected:
            return None
        if not self._is_answered:
            return self._sent_at + self._patience.answer_s
        if self._is_absent or not self._owed:
            return self._beats_at
        return self._settled_at if self._wants_to_send else max(self._beats_at, self._settled_at)

    def connected(self, now: float, *, is_new_stream: bool = True) -> Turn[M]:
        """Take a new connection. It carries no answer to what was sent over an earlier one, unless it is a serial port.

        A serial port that is opened again may still bring such an answer, so the next message waits for it.
        """
        self._is_connected = True
        if is_new_stream:
            self._owed = 0
        self._is_answered, self._tries = True, 0
        self._heard_at = now
        return Turn(self._beat(now) if self._is_absent else self._next(now))

    def disconnected(self) -> None:
        """Take the end of the connection. What was not acknowledged is sent again over the next one."""
        self._is_connected = False

    def offer(self, message: M, now: float) -> Turn[M]:
        """Add a message behind the others; return what to write now."""
        self._waiting.append(message)
        return Turn(self._next(now))

    def drop(self) -> list[M]:
        """Forget all messages, and return them. The computer may have taken the first one."""
        dropped = list(self._waiting)
        self._waiting.clear()
        self._is_answered, self._tries = True, 0
        return dropped

    def received(self, data: bytes, now: float) -> Turn[M]:
        """Take bytes of the computer. At most one message is done, because all its answers are to the same message."""
        if not self._is_connected:
            return Turn()
        self._forget_late(now)
        found = [byte & _SEVEN_BITS for byte in data]
        answers = [byte for byte in found if byte in {_ACK, _NAK}]
        awaited = answers[: self._owed]
        self._owed -= len(awaited)
        self.counts.strays += len(answers) - len(awaited)
        self.counts.refused += awaited.count(_NAK)
        if self._is_answered or not awaited:
            return Turn(self._next(now))
        if _ACK not in awaited:
            return Turn(self._again(now))
        done = self._acknowledged(now)
        return Turn(self._next(now), done)

    def expect(self, more: int) -> None:
        """Take note that what was written last gets this many more answers, because it was several frames."""
        self._owed += more

    def tick(self, now: float) -> Turn[M]:
        """Take the time; return what to write now."""
        if not self._is_connected or (at := self.wakes_at) is None or now < at:
            return Turn()
        if not self._is_answered:
            return Turn(self._again(now))
        self._forget_late(now)
        if write := self._next(now):
            return Turn(write)
        return Turn(self._beat(now) if now >= self._beats_at else b"")

    @property
    def _beats_at(self) -> float:
        return max(self._sent_at, self._heard_at) + self._patience.heartbeat_s

    @property
    def _settled_at(self) -> float:
        return self._sent_at + LATE * self._patience.answer_s

    @property
    def _wants_to_send(self) -> bool:
        return bool(self._waiting) and not self._is_absent

    def _acknowledged(self, now: float) -> M | None:
        self._is_answered, self._tries = True, 0
        self._heard_at = now
        self._is_absent = False
        if self._is_beating:
            return None
        self.counts.acknowledged += 1
        return self._waiting.popleft()

    def _next(self, now: float) -> bytes:
        """Return the next message if it may be sent now."""
        self._forget_late(now)
        if not self._is_connected or not self._is_answered or self._owed or not self._wants_to_send:
            return b""
        self._is_beating, self._tries = False, 0
        return self._send(now)

    def _beat(self, now: float) -> bytes:
        self._is_beating, self._tries = True, 0
        return self._send(now)

    def _again(self, now: float) -> bytes:
        """Return the same again, or give up after the last try."""
        if self._tries < self._patience.tries and not self._is_absent:
            return self._send(now)
        if not self._is_absent:
            self._is_absent = True
            self.counts.absences += 1
        self._is_answered, self._tries = True, 0
        return b""

    def _send(self, now: float) -> bytes:
        self._forget_late(now)
        self._is_answered = False
        self._tries += 1
        self._owed += 1
        self._sent_at = now
        if self._is_beating:
            self.counts.heartbeats += 1
            return self._heartbeat
        self.counts.sent += 1
        self.counts.repeated += self._tries > 1
        return self._waiting[0].frame

    def _forget_late(self, now: float) -> None:
        """Forget sendings whose answers cannot come any more, but not what waits for its answer."""
        if self._is_answered and now >= self._settled_at:
            self._owed = 0
