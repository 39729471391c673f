"""Third parties' decoders, whose codes are brought into our form: they may pass on any text that a stranger sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vetlla.domain.signals import Signal
from vetlla.protocols.codes.tables import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.decoder import Decoder, Description, KeyLookup


class _Coded:
    """A decoder whose events have codes that an operator's terminal may show."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def feed(self, data: bytes) -> list[Item]:
        return _coded(self._decoder.feed(data))

    def finish(self) -> list[Item]:
        return _coded(self._decoder.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        return self._decoder.answer(signal, verdict, now)


def coded(description: Description) -> Description:
    """Return a protocol with decoders of that kind."""

    def make(keys: KeyLookup) -> Decoder:
        return _Coded(description.make(keys))

    return replace(description, make=make)


def _coded(items: Sequence[Item]) -> list[Item]:
    return [
        item._replace(event=item.event._replace(code=code_of(item.event.code))) if isinstance(item, Signal) else item
        for item in items
    ]
