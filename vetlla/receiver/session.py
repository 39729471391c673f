"""The one loop of a frame: items of a decoder to the intake, the store's verdicts back to the peer.

There is one session for each connection, datagram or message; it knows no socket and no alarm. Answers leave in the
order in which the frames came, in whatever order the verdicts come.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

import structlog

from vetlla.domain.signals import Arrival, Hangup, Reason, Reject, Reply, Signal
from vetlla.protocols.codes.tables import EVENTS_MAX, more
from vetlla.receiver.counters import Refusal
from vetlla.service.queue.naming import names_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.budget import Budget
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.intake.intake import Intake

log = structlog.get_logger()

_FILLERS = b"\0\t\r\n "
"""Bytes that peers put between frames: they begin none. (An LF that opens one counts from the byte behind it.)"""

_WITH_BYTES = (Signal, Reject)
"""Items that hold the bytes they were made of."""
_STRANGERS = frozenset({Reason.FOREIGN, Reason.WRONG_PORT})
"""Hung up on by name."""

DATAGRAM_ANSWERS = 32
"""Answers to one datagram of registered callers: as many frames as fit into a packet that no network splits. The
source address may be forged. Then all answers would flood a third party. So other callers get one answer to a datagram,
and repeat the rest."""

Answering: TypeAlias = "Callable[[Signal, Verdict, datetime], bytes]"
"""A decoder's ``answer``."""
_Answer: TypeAlias = "list[bytes | None]"
"""One cell: None until the verdict came."""


class Ground(NamedTuple):
    """What every session of a receiver stands on."""

    intake: Intake
    budget: Budget
    counters: Counters
    clock: Clock


class Peer(NamedTuple):
    """Whom a session serves, and how to reach them."""

    protocol: str
    listener: str
    transport: str
    address: str
    send: Callable[[bytes], None]
    hang_up: Callable[[Refusal], None]
    names: frozenset[str] | None = None
    """Accounts that the peer's certificate names, in capitals; None: it may report for any."""


class Session:
    """Serves one peer: takes what a decoder has read, and sends answers."""

    __slots__ = (
        "_answer", "_answers", "_clock", "_forgeable", "_frames", "_ground", "_group", "_intake", "_names", "_peer",
        "_rejects", "_replies", "_send", "is_known", "on_drained",
    )  # fmt: skip

    def __init__(self, ground: Ground, peer: Peer, answer: Answering, *, forgeable: bool = False) -> None:
        """Take ``forgeable`` if all bytes come in one datagram, whose source address proves nothing."""
        self._ground = ground
        self._intake = ground.intake
        self._clock = ground.clock
        self._peer = peer
        self._names = peer.names
        self._send = peer.send
        self._answer = answer
        self._group: list[Signal] = []
        self._answers: deque[_Answer] = deque()
        self._rejects = 0
        self._frames = 0
        self.is_known = False
        """A registered account has reported here."""
        self._forgeable = forgeable
        self._replies = 0
        self.on_drained: Callable[[], None] | None = None
        """Called when the last answer that was owed has left."""

    @property
    def owed(self) -> int:
        """Frames that wait for their answer."""
        return len(self._answers)

    @property
    def heard(self) -> bool:
        """Whether a whole frame ever came."""
        return self._frames > 0

    def take(self, items: Iterable[Item], begun: Instant, now: Instant) -> None:
        """Take what a decoder has read; ``begun``: when the communication was established, where *t2* starts."""
        arrival: Arrival | None = None
        for item in items:
            if arrival is None:
                _, listener, transport, address, _, _, _ = self._peer
                arrival = Arrival(listener, transport, address, begun, now)
            match item:
                case Signal():
                    self._signal(item, arrival)
                case Reply():
                    self._say(item)
                case Reject():
                    self._reject(item, arrival)
                case Hangup():
                    self._peer.hang_up(Refusal.FOREIGN if self._rejects else Refusal.HANGUP)
                case _:
                    assert_never(item)

    def _signal(self, signal: Signal, arrival: Arrival) -> None:
        group = [signal]
        if signal.parts > 1:
            self._group.append(signal)
            if signal.part < signal.parts:
                return
            group, self._group = self._group, []
            if len(group) > EVENTS_MAX + 1:
                group = _bounded(group)
        self._frames += 1
        answer: _Answer = [None]
        self._answers.append(answer)
        is_silent = self._forgeable and not self._may_answer(signal)

        def deliver(verdicts: Sequence[Verdict] | None, at: datetime) -> None:
            if verdicts is None:
                self._unanswered(answer)
                return
            try:
                # Only the last part of a frame is answered; the verdicts before it are as durable as its own.
                answer[0] = b"" if is_silent else self._answer(signal, verdicts[-1], at)
            except Exception:
                # The mistake may be a third party's. The peer repeats its report and everybody else is served.
                log.exception("decoder.failed", protocol=self._peer.protocol, peer=self._peer.address)
                self._unanswered(answer)
                return
            self._flush()

        against = None
        if self._names is not None and not names_home(self._names, signal.id, self._intake.book):
            against = Reason.WRONG_CERTIFICATE
        if self._intake.submit(arrival, group, deliver, against):
            self.is_known = True

    def _may_answer(self, signal: Signal | None = None) -> bool:
        """Return True if one more answer may go where a datagram says that it came from."""
        sent = self._replies
        self._replies += 1
        if not sent:
            return True
        return sent < DATAGRAM_ANSWERS and signal is not None and self._intake.book.find(signal.id) is not None

    def _unanswered(self, answer: _Answer) -> None:
        # Closing tells the terminal at once that it must use its second receiver; silence alone costs it a time-out.
        # It is told before the rest is flushed: whoever counts what is owed knows then that this was not served.
        self._peer.hang_up(Refusal.NOT_READY)
        answer[0] = b""
        self._flush()

    def _say(self, reply: Reply) -> None:
        if self._forgeable and not self._may_answer():
            return
        self._ground.counters.replies[self._peer.protocol] += 1
        self._answers.append([reply.data])
        self._flush()

    def _flush(self) -> None:
        answers = self._answers
        while answers and (data := answers[0][0]) is not None:
            answers.popleft()
            if data:
                self._send(data)
        if not answers and self.on_drained is not None:
            self.on_drained()

    def _reject(self, reject: Reject, arrival: Arrival) -> None:
        ground, peer = self._ground, self._peer
        self._rejects += 1
        ground.intake.reject(arrival, reject)
        if (suppressed := ground.budget.seldom.ask((arrival.host, reject.reason))) is not None:
            log.warning(
                "frame.rejected",
                protocol=reject.protocol,
                reason=reject.reason.value,
                peer=peer.address,
                why=reject.text,
                suppressed=suppressed,
            )
        if reject.reason not in _STRANGERS and self._rejects >= ground.budget.limits.bogus_frames:
            peer.hang_up(Refusal.BOGUS)


class StreamSession(Session):
    """Serves one connection or datagram: bytes in."""

    __slots__ = ("_begun", "_decoder")

    def __init__(
        self, ground: Ground, peer: Peer, decoder: Decoder, established: Instant, *, forgeable: bool = False
    ) -> None:
        super().__init__(ground, peer, decoder.answer, forgeable=forgeable)
        self._decoder = decoder
        self._begun: Instant | None = established

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer."""
        now = self._clock.now()
        items = self._decoder.feed(data)
        # t2 starts where the communication was established: the connection for its first frame, else the frame's first
        # byte, whichever segment brought it.
        if items:
            self.take(items, self._begun or now, now)
            self._begun = now if _goes_on(data, items[-1]) else None
        elif self._begun is None and data.strip(_FILLERS):
            self._begun = now

    def finish(self) -> None:
        """Take what the decoder makes of the end: the peer will send no more."""
        now = self._clock.now()
        self.take(self._decoder.finish(), self._begun or now, now)


def _bounded(group: list[Signal]) -> list[Signal]:
    """Return the first events of a frame, and one for all the others: an alarm, since they may be calls."""
    last = group[-1]
    told = more(last.protocol, len(group) - EVENTS_MAX)
    rest = last._replace(
        event=told.event,
        device="",
        area="",
        text=told.text,
        repeated=False,
        part=EVENTS_MAX + 1,
        parts=EVENTS_MAX + 1,
    )
    return [*(signal._replace(parts=EVENTS_MAX + 1) for signal in group[:EVENTS_MAX]), rest]


def _goes_on(data: bytes, last: Item) -> bool:
    """Return True if another frame begins in these bytes, behind the last item they gave."""
    came = data.rstrip(_FILLERS)
    if not isinstance(last, _WITH_BYTES) or came.endswith(last.raw):
        return False
    taken = last.raw.rstrip(_FILLERS)
    return not (came.endswith(taken) or taken.endswith(came))
