"""Brings the codes of third parties' decoders into our form, because a decoder may pass on any text of a stranger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vetlla.domain.signals import Signal
from vetlla.protocols.codes.tables import code_of
from vetlla.protocols.decoder import MessageDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.signals import Item
    from vetlla.protocols.decoder import AnyDescription, Decoder, Message, MessageDecoder


class _Coded:
    """A third party's decoder, with codes that are safe to show at an operator's terminal."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.answer = decoder.answer

    def feed(self, data: bytes) -> list[Item]:
        return _coded(self._decoder.feed(data))

    def finish(self) -> list[Item]:
        return _coded(self._decoder.finish())


class _CodedMessages:
    """A third party's decoder of messages, with codes that are safe to show at an operator's terminal."""

    def __init__(self, decoder: MessageDecoder) -> None:
        self._decoder = decoder
        self.answer = decoder.answer

    def read(self, message: Message) -> list[Item]:
        return _coded(self._decoder.read(message))


def coded(description: AnyDescription) -> AnyDescription:
    """Return the protocol with decoders whose codes are safe to show at an operator's terminal."""
    if isinstance(description, MessageDescription):
        make_reader = description.make
        return replace(description, make=lambda keys: _CodedMessages(make_reader(keys)))
    make, tune = description.make, description.tune
    if tune is None:
        return replace(description, make=lambda keys: _Coded(make(keys)))
    return replace(
        description, make=lambda keys: _Coded(make(keys)), tune=lambda given: lambda keys: _Coded(tune(given)(keys))
    )


def _coded(items: Sequence[Item]) -> list[Item]:
    return [
        item._replace(event=item.event._replace(code=code_of(item.event.code))) if isinstance(item, Signal) else item
        for item in items
    ]
