"""What a tool may answer to a line receiver while it listens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import STORED, Kind, Reply, Signal
from vetlla.protocols.captures.guessing import DIALECTS

if TYPE_CHECKING:
    from vetlla.protocols.decoder import Decoder

_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The answers of line receivers' dialects have no time in them."""


class Everything:
    """Acknowledges every whole frame of a dialect, as if it had been stored, and refuses damaged ones."""

    def __init__(self, protocol: str) -> None:
        """Take the name of a dialect."""
        self._decoder = DIALECTS[protocol].make(lambda _: ())

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return what to answer."""
        return b"".join(_answers(self._decoder, data, is_heartbeat=False))


class HeartbeatsOnly:
    """Acknowledges heartbeats of any dialect, and nothing else: alarms stay in the receiver."""

    def __init__(self) -> None:
        self._decoders = [one.make(lambda _: ()) for one in DIALECTS.values()]

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return what to answer."""
        found = [b"".join(_answers(decoder, data, is_heartbeat=True)) for decoder in self._decoders]
        return max(found, key=len)


def _answers(decoder: Decoder, data: bytes, *, is_heartbeat: bool) -> list[bytes]:
    answers = []
    for item in decoder.feed(data):
        if isinstance(item, Signal) and (not is_heartbeat or item.event.kind is Kind.HEARTBEAT):
            answers.append(decoder.answer(item, STORED, _NOW))
        elif isinstance(item, Reply) and not is_heartbeat:
            answers.append(item.data)
    return answers
