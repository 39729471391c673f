"""One MQTT message as the session reads it: what it says, and whether the broker had kept it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.signals import Phase, Signal
from vetlla.protocols.codes.tables import MQTT
from vetlla.protocols.mqtt.decoder import answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict


class Reading:
    """A decoder of one message, whose topic is known: it is fed the payload."""

    def __init__(self, read: Callable[[str, bytes], list[Item]], topic: str, *, retained: bool) -> None:
        """``retained``: the broker kept the message."""
        self._read = read
        self._topic = topic
        self._retained = retained

    def feed(self, data: bytes) -> list[Item]:
        """Take the payload; return what the message says."""
        items = self._read(self._topic, data)
        return [_kept(item) if isinstance(item, Signal) else item for item in items] if self._retained else items

    def finish(self) -> list[Item]:
        """Return nothing, because a payload is whole."""
        return []

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return the receipt."""
        return answer(signal, verdict)


def _kept(signal: Signal) -> Signal:
    """Return what the broker kept: no sign of life, and a loss that was reported when it happened is no alarm again."""
    is_state = signal.event.system == MQTT.system
    return signal._replace(hearsay=True, repeated=is_state and signal.event.phase is Phase.NEW)
