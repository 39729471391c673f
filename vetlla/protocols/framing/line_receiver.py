"""What the dialects of line receivers have in common: answers, and systems that speak for themselves.

A receiver waits for the answer to one message before it sends the next one. It repeats a message without an answer, and
a refused one blocks all homes behind it. So every whole frame is acknowledged when it is on the disk, even one that
could not be understood or that the policy refuses. Only a frame that was damaged on the line is refused.

A frame has no number, so its signals have no identity. The intake recognises a repetition, because a receiver can only
repeat its last frame.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import NOTHING, AccountId, Event, Hangup, Kind, Phase, Reason, Reply, Signal
from vetlla.protocols.framing.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.codes.tables import Report
    from vetlla.protocols.framing.foreign import ForeignProtocolGuard
    from vetlla.protocols.framing.records import Part, Record, Records, Unshaped

ACK: Final = b"\x06"
NAK: Final = b"\x15"
SYSTEM: Final = "system"
"""Detail of a signal of the receiver itself, which belongs to no home; its account is empty."""
ACCOUNT: Final = "account"
"""Detail that names the account to which such a signal refers, if any."""

_PARITY: Final = 0x80
_NOT_READ: Final = frozenset({Kind.UNREADABLE, Kind.UNKNOWN})
_OF_SYSTEMS: Final = frozenset({
    Kind.MAINS_LOST, Kind.BATTERY_LOW, Kind.DEVICE_LOST, Kind.TAMPER, Kind.PATH_TROUBLE, Kind.JAMMING, Kind.FAULT,
    Kind.MANUAL_TEST, Kind.PERIODIC_TEST, Kind.HEARTBEAT, Kind.CONFIGURATION, Kind.RESET, Kind.LISTEN_IN, Kind.UNKNOWN,
})  # fmt: skip
"""Kinds that a receiver can report of itself. Any other kind is a person's, and the receiver's report of it a fault."""


def is_of_system(kind: Kind) -> bool:
    """Return True if a receiver can report this kind of itself."""
    return kind in _OF_SYSTEMS


def of_system(report: Report, system: str, account: str = "") -> Report:
    """Return a receiver's report of itself. It is never a person's alarm, whatever its code means in a home."""
    event = report.event
    if event.kind not in _OF_SYSTEMS:
        event = event._replace(kind=Kind.FAULT)
    details = {**report.details, SYSTEM: system, **({ACCOUNT: account} if account.strip("0") else {})}
    return report._replace(event=event, account="", details=details)


def signals_of(
    protocol: str,
    head: tuple[str, str],
    raw: bytes,
    reports: Sequence[Report],
    *,
    details: Mapping[str, str] = NOTHING,
) -> list[Signal]:
    """Return one signal for each report of a frame; ``head`` is receiver and line."""
    receiver, line = head
    parts = len(reports)
    # Fields are passed by position, because each keyword costs as much as the rest of its line.
    return [
        Signal(
            protocol,
            AccountId(receiver, line, report.account),
            report.event,
            raw,
            report.device,
            report.area,
            report.text,
            "",
            None,
            None,
            None,
            report.measurements,
            {**report.details, **details} if details else report.details,
            repeated=report.repeated,
            part=part,
            parts=parts,
        )
        for part, report in enumerate(reports, 1)
    ]


class LineReceiverDecoder(ABC):
    """Decodes one connection to a receiver, or one serial line; each dialect reads its own frames."""

    def __init__(self, protocol: str, cutter: Records, guard: ForeignProtocolGuard) -> None:
        self._protocol = protocol
        self._cutter = cutter
        self._guard = guard
        self._held: list[Item] = []
        """Damage that came before the first bytes showed the peer's protocol."""
        self._is_over = False
        """True after the first bytes have shown another protocol. Its bytes may look like a receiver's own messages."""

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete."""
        items: list[Item] = []
        taken = 0
        while self._guard.is_waiting and taken < len(data):
            # One by one, so that what is known of the peer at each byte does not depend on how the bytes were cut.
            self._step(data[taken : taken + 1], items)
            taken += 1
        if taken < len(data):
            self._step(data[taken:] if taken else data, items)
        return items

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the last items."""
        items = [*self._guard.finish(), *self._release()]
        for part in self._cutter.finish():
            self._take(part, items)
        return items

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return ACK, also for a report that the policy refuses, because the receiver would block all others for it."""
        return self._framed(ACK, signal.raw) if signal.part == signal.parts else b""

    def _step(self, data: bytes, items: list[Item]) -> None:
        found = self._guard.look(data)
        if found:
            items += found
            self._is_over = self._is_over or isinstance(found[-1], Hangup)
        if self._held and not self._guard.is_waiting:
            items += self._release()
        for part in self._cutter.feed(data):
            self._take(part, items)

    @abstractmethod
    def _read(self, part: Record | Unshaped) -> Sequence[Signal]:
        """Return the signals of a frame; none if its bytes were damaged on the line."""

    def _rescued(self, damage: Damage) -> Sequence[Signal]:  # noqa: ARG002 for dialects that can
        """Return the alarm of a frame that lost its end mark and nothing else; none if the dialect cannot tell."""
        return ()

    def _heartbeat(self, receiver: str, line: str, raw: bytes) -> list[Signal]:
        """Return the heartbeat of the receiver."""
        event = Event(Kind.HEARTBEAT, Phase.STATUS, "", self._protocol)
        return [Signal(self._protocol, AccountId(receiver, line, ""), event, raw, details={SYSTEM: "receiver"})]

    def _framed(self, answer: bytes, raw: bytes) -> bytes:  # noqa: ARG002 for dialects that do
        """Return an answer in the form in which the receiver sent the frame."""
        return answer

    def _take(self, part: Part, items: list[Item]) -> None:
        signals = self._rescued(part) if isinstance(part, Damage) else self._read(part)
        if self._guard.is_foreign:
            if signals and not self._is_doubtful(signals[0]):
                items += signals
        elif signals:
            items += self._release()
            items += signals
        else:
            (self._held if self._guard.is_waiting else items).extend(self._damaged(part))

    def _is_doubtful(self, signal: Signal) -> bool:
        """Return True if another protocol may have sent the bytes of this signal."""
        kind = signal.event.kind
        return kind in _NOT_READ or (self._is_over and not signal.id.account and kind is not Kind.HEARTBEAT)

    def _damaged(self, part: Part) -> list[Item]:
        """Return damage as evidence. A whole frame is refused, so that the receiver repeats it."""
        if isinstance(part, Damage):
            return [part.reject(self._protocol)]
        raw = part.raw
        text = f"{len(raw)} bytes up to an end mark are no frame"
        if any(byte >= _PARITY for byte in raw):
            text += "; some have an eighth bit: compare parity and data bits of both ends (7E1, 8N1)"
        reject = Damage(Reason.MALFORMED, raw, text).reject(self._protocol)
        return [reject, Reply(data=self._framed(NAK, raw))]

    def _release(self) -> list[Item]:
        held, self._held = self._held, []
        return [] if self._guard.is_foreign else held
