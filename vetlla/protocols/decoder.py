"""The two contracts of decoders, which take bytes and verdicts and return values and bytes.

``Decoder`` reads a stream or a datagram; each connection or datagram gets its own decoder. ``MessageDecoder`` reads
messages that their transport, such as a broker, delivers whole; it keeps nothing between two messages. Neither raises
an error because of what a peer sent, and neither holds a socket, a clock or a logger.
The code of an event is made by ``code_of``, because operators read it at their terminals. For decoders of third parties
the registry calls it (``foreign_codes.py``).
The text of a ``Reject`` is logged, so it names no account and repeats none of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId, Key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vetlla.domain.signals import Item, Signal, Verdict

KeyLookup: TypeAlias = Callable[[AccountId], Sequence[Key]]
"""Returns the keys that may open an account's frames: the current key and, during a rotation, then the outgoing one."""


class Decoder(Protocol):
    """Reads a stream or a datagram."""

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete. Never raises for bad bytes."""
        ...

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the rest as a Reject, or as an alarm if one can be read from it."""
        ...

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the acknowledgement that the peer gets for this verdict; b"" if it gets none."""
        ...


class Message(NamedTuple):
    """One message, as its transport delivers it."""

    topic: str
    """Where it was published."""
    payload: bytes
    retained: bool = False
    """True if the broker had kept it, so that its device sent it earlier."""


class MessageDecoder(Protocol):
    """Reads messages that their transport delivers whole."""

    def read(self, message: Message) -> list[Item]:
        """Return the items of one message. Never raises because of what a peer sent."""
        ...

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the receipt that the peer gets for this verdict; b"" if it gets none."""
        ...


LINE = "line"
"""Transport of line receivers: a serial port, or TCP in either direction. A [[listen]] table has no such port, because
it also watches the receiver's heartbeats, and may have to connect to it."""


class PortOption(NamedTuple):
    """A setting of a port that its peer's frames do not show, or not always."""

    name: str
    values: tuple[str, ...]
    """All values that it may have."""
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A protocol of streams or datagrams in the registry."""

    name: str
    summary: str
    make: Callable[[KeyLookup], Decoder]
    max_pending: int
    """Bytes of an unfinished frame that a decoder may hold."""
    transports: tuple[str, ...] = ("tcp", "udp")
    """Transports that carry it. A datagram has a decoder of its own, which knows no login from another datagram."""
    options: tuple[PortOption, ...] = ()
    """Settings of a port that this protocol has."""
    tune: Callable[[Mapping[str, str]], Callable[[KeyLookup], Decoder]] | None = None
    """Returns a ``make`` for a port with some of these options, by name."""

    def tuned(self, given: Mapping[str, str]) -> Description:
        """Return the protocol as a port with these options speaks it. Raises UsageError for an option it has not."""
        known = {option.name: option.values for option in self.options}
        for name, value in given.items():
            if name not in known:
                remedy = f"use one of: {', '.join(known)}" if known else "leave the options out"
                raise UsageError(f"{self.name} has no option {name!r}", remedy=remedy)
            if value not in known[name]:
                remedy = f"use one of: {', '.join(known[name])}"
                raise UsageError(f"the option {name} of {self.name} cannot be {value!r}", remedy=remedy)
        return replace(self, make=self.tune(given)) if given and self.tune is not None else self


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDescription:
    """A protocol of messages in the registry."""

    name: str
    summary: str
    make: Callable[[KeyLookup], MessageDecoder]
    recorded: Callable[[bytes], list[Message]]
    """Returns the messages of a recording, as the usual tools write one."""


AnyDescription: TypeAlias = Description | MessageDescription
