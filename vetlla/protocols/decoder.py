"""The contract of a decoder, which takes bytes and verdicts and returns values and bytes.

Each connection and each datagram has a decoder of its own. It never raises because of what a peer sent, and it holds no
socket, clock or logger. The code of an event is made by ``code_of``, because operators read it at their terminals. For
decoders of third parties the registry calls it (``foreign_codes.py``).
The text of a ``Reject`` is logged, so it names no account and repeats none of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from vetlla.domain.signals import AccountId, Key

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.signals import Item, Signal, Verdict

KeyLookup: TypeAlias = Callable[[AccountId], Sequence[Key]]
"""Returns the keys that may open an account's frames: the current key and, during a rotation, then the outgoing one."""


class Decoder(Protocol):
    """The methods of the decoder of a wire format."""

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete. Never raises."""
        ...

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the rest as a Reject, or as an alarm if one can be read from it."""
        ...

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the acknowledgement that the peer gets for this verdict; b"" if it gets none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A protocol in the registry."""

    name: str
    summary: str
    make: Callable[[KeyLookup], Decoder]
    max_pending: int
    """Bytes of an unfinished frame that a decoder may hold."""
    transports: tuple[str, ...] = ("tcp", "udp")
    """Transports that carry it. A datagram has a decoder of its own, which knows no login from another datagram."""
