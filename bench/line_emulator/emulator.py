"""The receiver: one message outstanding, patience, repetitions, and heartbeats only while the computer is absent."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.line_emulator.answers import ACK, NAK, Answers, b32, with_parity
from bench.line_emulator.faults import Faults, Transmission, transmission

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bench.line_emulator.calls import Calls
    from bench.line_emulator.ledger import Ledger
    from bench.line_emulator.messages import Dialect, Message
    from bench.line_emulator.ways import Way

LONGEST_SLEEP_S = 0.2
"""Longest wait of one turn, in seconds: a stop and a program that takes a place over are noticed within it."""


@dataclass(frozen=True, slots=True)
class Box:
    """The options of a receiver."""

    ack_wait_s: float = 4.0
    """Patience with an answer, in seconds: 4 on MLR2000, 4.0 to 9.9 on System 5, up to 10 on MLR2-DV."""
    tries: int = 4
    """Sends of a message before the receiver declares the computer absent."""
    naks: int = 26
    """NAKs after which a message is dropped (System 5)."""
    heartbeat_s: float = 30.0
    """Silence before a heartbeat, in seconds; 0 switches heartbeats off."""
    buffer: int = 127 * 8
    """Messages that wait while the computer is slow or absent."""
    b32: bool = False
    seven_even: bool = False
    """Bytes have even parity in bit 7, as a line of 7E1 has them for a port of 8N1."""
    no_end: bool = False
    """Frames have no end mark (SurgardNoEnd)."""
    supervisory: bytes = b""
    """Byte with which the computer asks for a heartbeat (Ademco 685)."""
    settle_s: float = 0.05
    """After a message that was sent more than once: how long the receiver ignores answers, in seconds."""
    lost_ack_wait_s: float | None = None
    """Patience after a lost acknowledgement, if a test wants it shorter than ``ack_wait_s``."""
    redial_when_absent: bool = False
    """A receiver that is a TCP client closes the connection when it declares the computer absent."""
    rate: float = 0.0
    """Messages a second that the telephone lines bring; 0: the next one comes when the last is acknowledged."""
    give_up_s: float = 600.0
    """Time without an acknowledgement after which the run ends, in seconds."""
    linger_s: float = 0.0
    """Seconds of heartbeats after the last message."""


class _Outstanding(NamedTuple):
    message: Message | None
    """None: a heartbeat."""
    since: float
    deadline: float


class Emulator:
    """Runs a receiver until all messages are acknowledged, dropped or lost."""

    def __init__(
        self, box: Box, dialect: Dialect, calls: Calls, *, faults: Faults, ledger: Ledger, rng: Random,
        way: Callable[[Callable[..., None]], Way],
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),
    ) -> None:  # fmt: skip
        self.counts: Counter[str] = Counter()
        self._box, self._dialect, self._calls, self._faults = box, dialect, calls, faults
        self._ledger, self._rng, self._say = ledger, rng, say
        self._way = way(ledger.write)
        self._answers = Answers(header=box.b32, parity=box.seven_even)
        self._queue: deque[Message] = deque()
        self._current: Message | None = None
        self._outstanding: _Outstanding | None = None
        self._tries = 0
        self._naks = 0
        self._copies = 1
        self._sends = 0
        self._absent = False
        self._closed_since: float | None = None
        self._beat_at = self._settled_at = self._arrival_at = self._heard_at = 0.0
        self._all_given = False
        self.stopping = False

    def run(self) -> bool:
        """Work until the end, and return whether each message was acknowledged and the buffer never overflowed."""
        began = self._heard_at = self._arrival_at = time.monotonic()
        self._beat_at = began + (self._box.heartbeat_s or float("inf"))
        ended_at = float("inf")
        while not self.stopping:
            now = time.monotonic()
            if self._way.keep(now, absent=self._absent):
                self._opened(now)
            self._arrive(now)
            wait_s = self._turn(now)
            # The next message is made while the program works on this one.
            self._arrive(now)
            if self._finished():
                ended_at = min(ended_at, now + self._box.linger_s)
                if now >= ended_at:
                    break
            if now - self._heard_at > self._box.give_up_s:
                self._say("no acknowledgement for too long: the run ends")
                break
            if data := self._way.read(max(0.0, min(wait_s, LONGEST_SLEEP_S))):
                self._heard(data)
            self._notice_close(time.monotonic())
        return self._end(time.monotonic() - began)

    def _end(self, seconds: float) -> bool:
        self._way.close("the run ends")
        pending = len(self._queue) + (self._current is not None)
        totals = {**self.counts, "pending": pending, "seconds": round(seconds, 3), "absent_now": self._absent}
        self._ledger.write("end", **totals)
        return self._finished() and not (self.counts["overflow"] or self.counts["dropped"])

    def _finished(self) -> bool:
        return self._all_given and not self._queue and self._current is None

    # --- telephone lines ----------------------------------------------------------------------------------------------

    def _arrive(self, now: float) -> None:
        """Take messages of the telephone lines into the buffer."""
        if not self._box.rate:
            if not self._queue and (self._current is None or self._calls.ahead):
                self._enqueue()
            return
        while now >= self._arrival_at and not self._all_given:
            self._arrival_at += self._rng.expovariate(self._box.rate)
            self._enqueue()

    def _enqueue(self) -> None:
        message = self._calls.next()
        if message is None:
            self._all_given = True
            return
        content = message.content
        written = self._wire(self._frame(content.text)).hex()
        if len(self._queue) >= self._box.buffer:
            self.counts["overflow"] += 1
            self._ledger.write("overflow", n=message.serial, kind=content.kind, bytes=written)
            self._say(f"BUFFER OVERFLOW: message {message.serial} is lost")
            return
        more: dict[str, object] = {"second_of": message.second_of} if message.second_of is not None else {}
        if message.caller:
            more["caller"] = message.caller
        self.counts["events"] += 1
        self._ledger.write(
            "event", n=message.serial, kind=content.kind, dialect=self._dialect.name, bytes=written,
            found=[one._asdict() for one in content.found], **more,
        )  # fmt: skip
        self._queue.append(message)

    # --- turns --------------------------------------------------------------------------------------------------------

    def _turn(self, now: float) -> float:
        """Do what is due, and return the seconds until something else is."""
        out = self._outstanding
        if out is not None:
            if now < out.deadline:
                return out.deadline - now
            self._unanswered(now)
            return 0.0
        if not self._way.connected:
            return self._unconnected(now)
        if now < self._settled_at:
            return self._settled_at - now
        message = None if self._absent else self._next(now)
        if message is not None or now >= self._beat_at:
            return self._send(message)
        return self._rest(now)

    def _next(self, now: float) -> Message | None:
        """Return the message whose turn it is."""
        if self._current is None and self._queue and self._queue[0].not_before <= now:
            self._current = self._queue.popleft()
            self._tries = self._naks = self._sends = 0
        return self._current

    def _rest(self, now: float) -> float:
        """Return the seconds in which nothing is to be done."""
        due = [self._beat_at]
        if self._queue and not self._absent:
            due.append(self._queue[0].not_before)
        if self._box.rate:
            due.append(self._arrival_at)
        return min(due) - now

    def _unconnected(self, now: float) -> float:
        if self._closed_since is None:
            self._closed_since = now
        until = self._closed_since + self._box.tries * self._box.ack_wait_s
        if now >= until and not self._absent:
            self._declare_absent("no connection")
        return LONGEST_SLEEP_S

    def _opened(self, now: float) -> None:
        """Note a new connection: an absent computer that comes gets a heartbeat at once."""
        self._closed_since = None
        self._answers.forget()
        if self._absent and self._way.can_close:
            self._beat_at = now

    def _notice_close(self, now: float) -> None:
        """Note that the connection went: what was outstanding on it counts as unanswered."""
        if self._outstanding is not None and not self._way.connected:
            self._unanswered(now)

    # --- sending ------------------------------------------------------------------------------------------------------

    def _frame(self, text: str) -> bytes:
        return self._dialect.bare(text) if self._box.no_end else self._dialect.frame(text)

    def _wire(self, frame: bytes) -> bytes:
        frame = with_parity(frame) if self._box.seven_even else frame
        return b32(frame) if self._box.b32 else frame

    def _send(self, message: Message | None) -> float:
        """Send a message, or a heartbeat for None, with what may happen to it on its way."""
        self._stray(self._way.read(0.0))
        if not self._way.connected:
            return 0.0
        text = message.content.text if message is not None else self._dialect.heartbeat()
        whole, bare = self._wire(self._frame(text)), self._wire(self._dialect.bare(text))
        box = self._box
        sent = transmission(whole, bare, self._faults, self._rng, packed=box.b32, parity=box.seven_even)
        if message is None and not sent.fault.startswith(("cut", "noise")):
            sent = Transmission((whole,))
        self._tries += 1
        self._sends += 1
        self._copies = sent.copies
        written = self._write(sent)
        more: dict[str, object] = {"fault": sent.fault, "bytes": b"".join(sent.parts).hex()} if sent.fault else {}
        if written < sum(map(len, sent.parts)):
            more["written"] = written
        if message is None:
            self.counts["beats"] += 1
            self._ledger.write("beat", **{"try": self._tries}, **more)
        else:
            self.counts["sends"] += 1
            self._ledger.write("send", n=message.serial, **{"try": self._tries}, **more)
        now = time.monotonic()
        self._outstanding = _Outstanding(message, now, now + self._box.ack_wait_s)
        self._rest_heartbeat(now)
        if sent.closes and self._way.can_close:
            self._way.close("fault: half a message")
        return self._box.ack_wait_s

    def _write(self, sent: Transmission) -> int:
        written = self._way.write(sent.parts[0])
        for part in sent.parts[1:]:
            time.sleep(sent.pause_s)
            if early := self._way.read(0.0):
                self.counts["early"] += 1
                self._ledger.write("early", hex=early.hex(), after=sent.parts[0].hex())
            written += self._way.write(part)
        return written

    def _rest_heartbeat(self, now: float) -> None:
        """Any traffic puts the next heartbeat off."""
        self._beat_at = now + (self._box.heartbeat_s or float("inf"))

    def _unanswered(self, now: float) -> None:
        """Count a try without an answer: the next turn repeats it, or the computer is absent."""
        out = self._outstanding
        if out is None:
            return
        self._outstanding = None
        self.counts["unanswered"] += 1
        number = out.message.serial if out.message is not None else 0
        self._ledger.write("unanswered", n=number, **{"try": self._tries})
        if self._absent:
            self._tries = 0
            return
        if self._tries >= self._box.tries:
            self._declare_absent("no answer")
        elif out.message is None:
            self._beat_at = now

    def _declare_absent(self, why: str) -> None:
        self._absent = True
        self._tries = 0
        self.counts["absent"] += 1
        self._ledger.write("absent", why=why, waiting=len(self._queue) + (self._current is not None))
        self._say(f"BUZZ: the computer is absent ({why})")
        if self._box.redial_when_absent and self._way.can_close:
            self._way.close("the computer is absent")
        if not self._box.heartbeat_s:
            # Without heartbeats nothing could end the absence. The receiver tries the message again after its wait.
            self._present()

    def _present(self) -> None:
        self._absent = False
        self._tries = 0
        self._ledger.write("present")
        self._say("the computer is present")

    # --- answers ------------------------------------------------------------------------------------------------------

    def _stray(self, data: bytes) -> None:
        if data:
            self.counts["strays"] += len(data)
            self._ledger.write("stray", hex=data.hex())

    def _heard(self, data: bytes) -> None:
        """Take the first answer of what came: only one message is outstanding, so the rest answers nothing."""
        now = time.monotonic()
        self._rest_heartbeat(now)
        if self._box.supervisory and self._box.supervisory in data:
            data = data.replace(self._box.supervisory, b"")
            self.counts["asked"] += 1
            self._beat_at = now
        answers = self._answers.feed(data)
        for place, (answer, raw) in enumerate(answers):
            if self._outstanding is None or not answer:
                self._stray(raw)
                continue
            self._answered(answer, self._outstanding, now)
            self._stray(b"".join(later for _, later in answers[place + 1 :]))
            return

    def _answered(self, answer: int, out: _Outstanding, now: float) -> None:
        number = out.message.serial if out.message is not None else 0
        fields: dict[str, object] = {"n": number, "try": self._tries, "wait": round(now - out.since, 6)}
        if answer == NAK:
            self.counts["naks"] += 1
            self._ledger.write("nak", **fields)
            self._nak(out, now)
            return
        assert answer == ACK
        self._heard_at = now
        if self._rng.random() < self._faults.lost_ack:
            self.counts["lost_acks"] += 1
            self._ledger.write("ack", **fields, lost=True)
            if self._box.lost_ack_wait_s is not None:
                deadline = min(out.deadline, now + self._box.lost_ack_wait_s)
                self._outstanding = out._replace(deadline=deadline)
            return
        self._ledger.write("ack", **fields)
        self._outstanding = None
        if self._sends > 1 or self._copies > 1:
            self._settled_at = now + self._box.settle_s
        self._tries = self._sends = 0
        if out.message is not None:
            self.counts["acknowledged"] += 1
            self._current = None
            self._calls.acknowledged(out.message, now)
        elif self._absent:
            self._present()

    def _nak(self, out: _Outstanding, now: float) -> None:
        """Send again at once; it counts as a try, and a message with too many NAKs is dropped."""
        self._outstanding = None
        if out.message is None:
            if self._absent:
                self._tries = 0
            elif self._tries >= self._box.tries:
                self._declare_absent("NAK")
            else:
                self._beat_at = now
            return
        self._naks += 1
        if self._naks >= self._box.naks:
            self.counts["dropped"] += 1
            self._ledger.write("dropped", n=out.message.serial, naks=self._naks)
            self._say(f"message {out.message.serial} is dropped after {self._naks} NAKs")
            self._current = None
            self._tries = 0
        elif self._tries >= self._box.tries:
            self._declare_absent("NAK")
