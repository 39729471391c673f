"""The path of a frame: the items of a decoder go to the intake, and the verdicts go back to the peer.

There is one session for each connection, datagram or message; it uses no socket and no alarm. Answers leave in the
order in which the frames came, in whatever order the verdicts come.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

import structlog

from vetlla.domain.signals import Arrival, Hangup, Reason, Reject, Reply, Signal
from vetlla.protocols.codes.tables import EVENTS_MAX, more
from vetlla.receiver.counters import Refusal
from vetlla.service.queue.account_matching import names_home

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

_FILLERS = b"\0\t\r\n\x14 "
"""Padding that peers send between frames; it starts no frame. (A frame with a leading LF counts from the next byte.)"""

_WITH_BYTES = (Signal, Reject)
"""Items that hold the bytes they were made of."""
_STRANGERS = frozenset({Reason.FOREIGN, Reason.WRONG_PORT})
"""Reasons of rejects after which the decoder itself asks for the end of the connection."""

DATAGRAM_ANSWERS = 32
"""Answers to one datagram of registered callers: as many as the frames that fit into a packet that no network splits.
The source address may be forged, and then all answers would flood a third party. So other callers get one answer to a
datagram, and repeat the rest."""

Answering: TypeAlias = "Callable[[Signal, Verdict, datetime], bytes]"
"""A decoder's ``answer``."""
Unserved: TypeAlias = "Callable[[Signal], bytes]"
"""Returns what a peer gets for a report of which nothing could be kept. It promises nothing."""
_Answer: TypeAlias = "list[bytes | None]"
"""List of one element, which is None until the verdict has come."""


class SessionServices(NamedTuple):
    """Services that all sessions of a receiver share."""

    intake: Intake
    budget: Budget
    counters: Counters
    clock: Clock


class Peer(NamedTuple):
    """The peer that a session serves, and how to reach it."""

    protocol: str
    listener: str
    transport: str
    address: str
    send: Callable[[bytes], None]
    hang_up: Callable[[Refusal], None]
    names: frozenset[str] | None = None
    """Accounts that the peer's certificate names, in capitals; None if the peer may report for any account."""


class Session:
    """Serves one peer: takes the items that a decoder has read, and sends answers."""

    __slots__ = (
        "_answer", "_answers", "_clock", "_forgeable", "_frames", "_group", "_intake", "_names", "_peer",
        "_rejects", "_replies", "_send", "_services", "_unserved", "is_known", "on_drained",
    )  # fmt: skip

    def __init__(
        self,
        services: SessionServices,
        peer: Peer,
        answer: Answering,
        *,
        forgeable: bool = False,
        unserved: Unserved | None = None,
    ) -> None:
        """Set ``forgeable`` if all bytes come in one datagram, whose source address proves nothing.

        With ``unserved``, a peer of which nothing can be kept is told so. Without it, the session hangs up.
        """
        self._services = services
        self._intake = services.intake
        self._clock = services.clock
        self._peer = peer
        self._names = peer.names
        self._send = peer.send
        self._answer = answer
        self._unserved = unserved
        self._group: list[Signal] = []
        self._answers: deque[_Answer] = deque()
        self._rejects = 0
        self._frames = 0
        self.is_known = False
        """True after a registered account has reported in this session."""
        self._forgeable = forgeable
        self._replies = 0
        self.on_drained: Callable[[], None] | None = None
        """Called when no frame waits for an answer any longer."""

    @property
    def owed(self) -> int:
        """Number of frames that wait for their answer."""
        return len(self._answers)

    @property
    def heard(self) -> bool:
        """True after a whole frame has come."""
        return self._frames > 0

    def take(self, items: Iterable[Item], begun: Instant, now: Instant) -> None:
        """Take the items that a decoder has read. *t2* starts at ``begun``, when the communication was established."""
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
                self._unanswered(signal, answer)
                return
            try:
                # Only the last part of a frame is answered; the verdicts of earlier parts are as durable as its own.
                answer[0] = b"" if is_silent else self._answer(signal, verdicts[-1], at)
            except Exception:
                # The fault may be in a third party's decoder. The peer repeats its report; other peers are served.
                log.exception("decoder.failed", protocol=self._peer.protocol, peer=self._peer.address)
                self._unanswered(signal, answer)
                return
            self._flush()

        against = None
        if self._names is not None and not names_home(self._names, signal.id, self._intake.book):
            against = Reason.WRONG_CERTIFICATE
        if self._intake.submit(arrival, group, deliver, against):
            self.is_known = True

    def _may_answer(self, signal: Signal | None = None) -> bool:
        """Return True if one more answer may be sent to a datagram's source address, which may be forged."""
        sent = self._replies
        self._replies += 1
        if not sent:
            return True
        return sent < DATAGRAM_ANSWERS and signal is not None and self._intake.book.find(signal.id) is not None

    def _unanswered(self, signal: Signal, answer: _Answer) -> None:
        if self._unserved is not None:
            self._services.counters.connections_refused[Refusal.NOT_READY] += 1
            answer[0] = self._unserved(signal)
            self._flush()
            return
        # A closed connection sends the terminal to its second receiver at once; silence costs it a time-out.
        # Hang up before the flush: when ``on_drained`` is called, its owner must know that this frame was not served.
        self._peer.hang_up(Refusal.NOT_READY)
        answer[0] = b""
        self._flush()

    def _say(self, reply: Reply) -> None:
        if not reply.data:
            return
        if self._forgeable and not self._may_answer():
            return
        self._services.counters.replies[self._peer.protocol] += 1
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
        services, peer = self._services, self._peer
        self._rejects += 1
        services.intake.reject(arrival, reject)
        if (suppressed := services.budget.log_limiter.ask((arrival.host, reject.reason))) is not None:
            log.warning(
                "frame.rejected",
                protocol=reject.protocol,
                reason=reject.reason.value,
                peer=peer.address,
                why=reject.text,
                suppressed=suppressed,
            )
        if reject.reason not in _STRANGERS and self._rejects >= services.budget.limits.bogus_frames:
            peer.hang_up(Refusal.BOGUS)


class StreamSession(Session):
    """Serves one connection or datagram: takes the bytes that the peer sends."""

    __slots__ = ("_begun", "_decoder")

    def __init__(
        self,
        services: SessionServices,
        peer: Peer,
        decoder: Decoder,
        established: Instant | None,
        *,
        forgeable: bool = False,
    ) -> None:
        """Take the peer; ``established`` is None if the set-up of its connection is not that of a communication.

        A decoder may have a method ``unserved``: see ``Session``.
        """
        unserved: Unserved | None = getattr(decoder, "unserved", None)
        super().__init__(services, peer, decoder.answer, forgeable=forgeable, unserved=unserved)
        self._decoder = decoder
        self._begun = established

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer."""
        now = self._clock.now()
        items = self._decoder.feed(data)
        # t2 starts when the communication is established: for the first frame with the connection, for a later frame
        # with its first byte, in whatever segment that came.
        if items:
            self.take(items, self._begun or now, now)
            self._begun = now if _goes_on(data, items[-1]) else None
        elif self._begun is None and data.strip(_FILLERS):
            self._begun = now

    def finish(self) -> None:
        """End the input, and take the decoder's last items: the peer will send no further bytes."""
        now = self._clock.now()
        self.take(self._decoder.finish(), self._begun or now, now)


def _bounded(group: list[Signal]) -> list[Signal]:
    """Return the first events of a frame, and one for all others, which is an alarm because they may be calls."""
    last = group[-1]
    summary = more(last.protocol, len(group) - EVENTS_MAX)
    rest = last._replace(
        event=summary.event,
        device="",
        area="",
        text=summary.text,
        repeated=False,
        part=EVENTS_MAX + 1,
        parts=EVENTS_MAX + 1,
    )
    return [*(signal._replace(parts=EVENTS_MAX + 1) for signal in group[:EVENTS_MAX]), rest]


def _goes_on(data: bytes, last: Item) -> bool:
    """Return True if another frame begins in these bytes, after the last item that was read from them."""
    came = data.rstrip(_FILLERS)
    if not isinstance(last, _WITH_BYTES) or came.endswith(last.raw):
        return False
    taken = last.raw.rstrip(_FILLERS)
    return not (came.endswith(taken) or taken.endswith(came))
