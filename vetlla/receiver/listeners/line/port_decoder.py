"""The decoder of one port: the protocol's decoder, and the rules of the port for what it returns.

Several receivers number their lines and accounts alike, so a port may give its reports another receiver number and
digits before their accounts. Messages of the receiver itself get the account under which the receiver is supervised.
Each frame is a sign of life of the receiver and of the telephone line that brought it. The session takes this sign like
any other report, and it is not answered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from vetlla.domain.previous_run import END_MARKS
from vetlla.domain.signals import FROM_FIRST_BYTE, T2_FROM, AccountId, Event, Kind, Phase, Reason, Reject, Reply, Signal
from vetlla.protocols.codes.tables import CONTACT_ID, SIA_DCS
from vetlla.protocols.framing.line_receiver import NAK, SYSTEM
from vetlla.protocols.framing.parity import parity_seen

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.clock import Clock
    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.listeners.line.state import PortState
    from vetlla.settings.line import Line

log = structlog.get_logger()

_SIGN: Final = "sign of life"
"""Code of a sign of life that no device sent: the port makes it."""
MESSAGE_MIN: Final = 9
"""Bytes of the shortest message that a receiver sends (Ademco 685, 3x1)."""
COPY: Final = "copy"
"""Detail of the second copy of a message in one read. It is not answered: the receiver may take a second ACK for that
of its next message, because an ACK has no number. It is a repetition, so this detail is never stored."""
_NOT_READ: Final = frozenset({Kind.UNREADABLE, Kind.UNKNOWN})
_LONG: Final = frozenset({CONTACT_ID.system, SIA_DCS.system})
"""Systems of codes whose messages are so long and regular that the end of another message never looks like one."""


class PortDecoder:
    """Decodes one connection of a port."""

    def __init__(self, line: Line, decoder: Decoder, state: PortState, clock: Clock) -> None:
        """Take the port, a new decoder of its protocol, and the state that it keeps up to date."""
        self._line = line
        self._decoder = decoder
        self._state = state
        self._clock = clock
        self._refuses = False
        """True if the message is refused whose events are read now."""
        self._doubted = b""
        """The message that was refused last because it may be cut."""
        self._has_begun = False
        """True after the first bytes were read."""
        self._supervised = frozenset(name.upper() for name in line.lines)

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes; return the items that they complete, with the rules of the port."""
        items = self._decoder.feed(data)
        if items:
            items = self._with_rules(items)
            self._has_begun = True
            if any(isinstance(item, Reject) for item in items):
                self._look_at_parity(data)
        return items

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the last items, with the rules of the port."""
        return self._with_rules(self._decoder.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the acknowledgement of a frame; nothing for a sign of life that this port made."""
        if signal.event.code == _SIGN or COPY in signal.details:
            return b""
        return self._decoder.answer(signal, verdict, now)

    def _with_rules(self, items: list[Item]) -> list[Item]:
        ruled: list[Item] = []
        before = b""
        after_damage = False
        for item in items:
            was_damaged, after_damage = after_damage, isinstance(item, Reject)
            if isinstance(item, Signal) and self._is_refused(item, after_damage=was_damaged):
                ruled += self._refused(item) if item.part == item.parts else ()
            elif isinstance(item, Signal):
                if item.part == 1:
                    ruled += self._signs(item)
                details = {**item.details, T2_FROM: FROM_FIRST_BYTE}
                if item.part == item.parts:
                    raw = item.raw.strip(END_MARKS)
                    if raw == before:
                        details[COPY] = "yes"
                    before = raw
                ruled.append(item._replace(id=self._known_as(item.id), details=details))
            elif isinstance(item, Reject):
                self._state.damaged += 1
                ruled.append(item if item.id is None else replace(item, id=self._known_as(item.id)))
            else:
                ruled.append(item)
        return _without_idle_refusals(ruled)

    def _is_refused(self, signal: Signal, *, after_damage: bool) -> bool:
        """Return True for all events of a message that may be cut; its first event decides."""
        if signal.part == 1:
            self._refuses = self._may_be_cut(signal, after_damage=after_damage)
        return self._refuses

    def _may_be_cut(self, signal: Signal, *, after_damage: bool) -> bool:
        """Return True if these bytes may be the end of a message whose beginning is missing or damaged.

        The beginning may have come before a serial port was open. The same bytes again are taken, because a receiver
        may send something before each message.
        """
        is_opening = not self._has_begun and self._line.serial is not None
        if not (is_opening or after_damage) or signal.event.kind is Kind.HEARTBEAT or signal.raw == self._doubted:
            return False
        return signal.event.kind in _NOT_READ or signal.event.system not in _LONG or SYSTEM in signal.details

    def _refused(self, signal: Signal) -> list[Item]:
        """Refuse what may be the end of a message: its ACK would be taken for that of the whole message."""
        self._state.damaged += 1
        self._doubted = signal.raw
        text = f"{len(signal.raw)} bytes may be the end of a message whose beginning is missing or damaged"
        reject = Reject(protocol=signal.protocol, reason=Reason.TRUNCATED, raw=signal.raw, text=text)
        return [reject, Reply(data=NAK)]

    def _known_as(self, who: AccountId) -> AccountId:
        """Return the caller as the service knows it."""
        receiver, line, account = who
        known_as = f"{self._line.account_prefix}{account}" if account else self._line.account
        return AccountId(self._line.receiver or receiver, line, known_as)

    def _signs(self, signal: Signal) -> list[Item]:
        """Return the sign of life of the receiver, and of its telephone line, in the first signal of a frame."""
        state = self._state
        state.frames += 1
        state.heard_us = self._clock.now().utc_us
        receiver, line, account = signal.id
        is_line = line.upper() in self._supervised
        if not account and not is_line and signal.event.kind is Kind.HEARTBEAT:
            return []  # the signal is this sign itself
        kind = Kind.PRESENCE if is_line else Kind.HEARTBEAT
        event = Event(kind, Phase.STATUS, _SIGN, signal.protocol)
        who = AccountId(self._line.receiver or receiver, line, self._line.account)
        return [Signal(signal.protocol, who, event, b"", device=line if is_line else "")]

    def _look_at_parity(self, data: bytes) -> None:
        seen = parity_seen(data)
        if seen and not self._state.parity:
            self._state.parity = seen
            log.warning("line.parity_suspected", line=self._line.name, parity=seen)


def _without_idle_refusals(items: list[Item]) -> list[Item]:
    """Leave out a NAK that refuses no message: a message follows it in this read, or too few bytes came to be one.

    The receiver would send its message again at once. Then one of two ACKs would count for its next message.
    """
    kept: list[Item] = []
    for at, item in enumerate(items):
        if isinstance(item, Reply):
            refused = items[at - 1] if at else None
            is_noise = isinstance(refused, Reject) and len(refused.raw) < MESSAGE_MIN
            if is_noise or any(isinstance(later, Signal) for later in items[at + 1 :]):
                continue
        kept.append(item)
    return kept
