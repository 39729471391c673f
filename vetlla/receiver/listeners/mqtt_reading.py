"""What one MQTT message may say: one thing, in the name of the terminal that its topic names.

The broker holds a terminal to its own topics; what stands in a payload it does not read. A decoder takes recordings of
many messages, so that bytes behind the object of a payload could be another message, in another terminal's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.protocols.codes import MQTT
from vetlla.protocols.mqtt import NAME as PROTOCOL
from vetlla.signals import AccountId, Phase, Reason, Reject, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vetlla.protocols.decoder import Decoder
    from vetlla.signals import Item, Verdict


class Reading:
    """A decoder of one message."""

    def __init__(self, decoder: Decoder, terminal: str, *, retained: bool) -> None:
        """``terminal``: that of the topic; "" where it names none. ``retained``: the broker kept it."""
        self._decoder = decoder
        self._who = AccountId("", "", terminal) if terminal else None
        self._retained = retained
        self._is_read = False

    def feed(self, data: bytes) -> list[Item]:
        """Take the message; return what it says."""
        return self._own(self._decoder.feed(data))

    def finish(self) -> list[Item]:
        """Hear that this was all of it."""
        return self._own(self._decoder.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the receipt."""
        return self._decoder.answer(signal, verdict, now)

    def _own(self, items: Iterable[Item]) -> list[Item]:
        return [self._as_its_own(item) for item in items]

    def _as_its_own(self, item: Item) -> Item:
        if not isinstance(item, Signal | Reject):
            return item
        was_read, self._is_read = self._is_read, True
        if isinstance(item, Reject):
            return Reject(protocol=item.protocol, reason=item.reason, raw=item.raw, text=item.text, id=self._who)
        if was_read or item.id != self._who:
            text = "a message holds one object, and nothing behind it"
            return Reject(protocol=PROTOCOL, reason=Reason.MALFORMED, raw=item.raw, text=text, id=self._who)
        return _kept(item) if self._retained else item


def _kept(signal: Signal) -> Signal:
    """Return what the broker kept: no sign of life, and a loss that was reported when it happened is no alarm again."""
    is_state = signal.event.system == MQTT.system
    return signal._replace(hearsay=True, repeated=is_state and signal.event.phase is Phase.NEW)
