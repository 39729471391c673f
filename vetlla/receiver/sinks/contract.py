"""The contract of a delivery: what a sink needs from the code that speaks with one kind of peer.

A delivery knows its peer and nothing else: no journal, no position, no filter, no pause between attempts. The sink
calls ``deliver`` with signals in order, and calls it again with the same ones until the peer has taken them. It makes
one call at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vetlla.domain.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.onward import Onward


class PeerAwayError(LinkError):
    """The peer cannot be reached, or takes nothing now; the same signals are sent again later.

    ``after_s`` is the time in seconds after which the peer wants the next attempt, if it said so.
    """

    def __init__(self, message: str, *, remedy: str = "", after_s: float = 0.0) -> None:
        super().__init__(message, remedy=remedy)
        self.after_s = after_s


class RefusedContentError(LinkError):
    """The peer will not take these signals, however often they are sent.

    For several signals the sink finds out by itself which one is meant: it sends fewer at once.
    """


class SinkDelivery(Protocol):
    """Hands signals over to one peer."""

    @property
    def at_once(self) -> int:
        """Most signals of one call of ``deliver``: 1 for a peer that takes one message at a time."""

    @property
    def address(self) -> str:
        """The peer for people, without secrets: ``city.example:443``, ``/dev/ttyS0``."""

    async def begin(self) -> None:
        """Do what the peer expects before the first signal: a line receiver sends heartbeats. Raises LinkError."""

    async def deliver(self, records: Sequence[Onward]) -> int:
        """Return how many of the first signals the peer has taken for good: at least one.

        Connect first if there is no connection. A signal with ``test`` or ``replayed`` must be recognisable as such to
        the peer, as far as its protocol allows. Raises PeerAwayError if the peer took none, RefusedContentError if it
        refuses the first one. Raises ConfigError if a file of its settings cannot be used, which counts as a peer that
        is away. The call may be cancelled; what was under way then is sent again.
        """

    async def close(self) -> None:
        """Close the connection, if there is one. Called when the sink stops."""
