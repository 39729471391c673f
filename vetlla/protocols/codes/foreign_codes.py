"""Brings the codes of third parties' decoders into our form, because they may pass on any text of a stranger."""

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
    """A third party's decoder, with codes that an operator's terminal may show."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def feed(self, data: bytes) -> list[Item]:
        return _coded(self._decoder.feed(data))

    def finish(self) -> list[Item]:
        return _coded(self._decoder.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        return self._decoder.answer(signal, verdict, now)


def coded(description: Description) -> Description:
    """Return the protocol with decoders whose codes an operator's terminal may show."""

    def make(keys: KeyLookup) -> Decoder:
        return _Coded(description.make(keys))

    return replace(description, make=make)


def _coded(items: Sequence[Item]) -> list[Item]:
    return [
        item._replace(event=item.event._replace(code=code_of(item.event.code))) if isinstance(item, Signal) else item
        for item in items
    ]
