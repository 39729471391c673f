"""The two contracts of decoders: bytes and verdicts in, values and bytes out.

``Decoder`` reads a stream or a datagram: each connection or datagram has one of its own. ``MessageDecoder`` reads
messages that their transport delivers whole, such as a broker; it keeps nothing between two messages. Neither raises an
error for what a peer sent, and neither holds a socket, a clock or a logger.
The code of an event is what ``codes.code_of`` makes of what a device sent: operators read it at their terminals. For
decoders of third parties the registry sees to it (``coded.py``).
The text of a ``Reject`` is logged, so it names no account and repeats nothing of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from vetlla.domain.signals import AccountId, Key

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.signals import Item, Signal, Verdict

KeyLookup: TypeAlias = Callable[[AccountId], Sequence[Key]]
"""Keys that may open this account's frames: the current one first, the outgoing one behind it during a rotation."""


class Decoder(Protocol):
    """Reads a stream or a datagram."""

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return what they complete. Never raises for what a peer sent."""
        ...

    def finish(self) -> list[Item]:
        """Say that the stream ended: a remainder becomes a Reject, or the alarm that had come by then."""
        ...

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the peer's acknowledgement for the store's verdict; b"" says nothing."""
        ...


class Message(NamedTuple):
    """One message, as its transport delivers it."""

    topic: str
    """Where it was published."""
    payload: bytes
    retained: bool = False
    """The broker had kept it: its device sent it earlier."""


class MessageDecoder(Protocol):
    """Reads messages that their transport delivers whole."""

    def read(self, message: Message) -> list[Item]:
        """Return what one message says. Never raises for what a peer sent."""
        ...

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the receipt for the store's verdict; b"" says nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One line of the registry: a protocol of streams or datagrams."""

    name: str
    summary: str
    make: Callable[[KeyLookup], Decoder]
    max_pending: int
    """Bytes a decoder may hold of an unfinished frame."""
    transports: tuple[str, ...] = ("tcp", "udp")
    """What it is spoken over; a datagram has a decoder of its own, and knows no login that came in another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDescription:
    """One line of the registry: a protocol of messages."""

    name: str
    summary: str
    make: Callable[[KeyLookup], MessageDecoder]
    recorded: Callable[[bytes], list[Message]]
    """Returns the messages of a recording, as the usual tools write one."""


AnyDescription: TypeAlias = Description | MessageDescription
