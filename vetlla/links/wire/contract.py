"""What a wire is, and what uses it. A wire carries bytes both ways, and knows nothing about frames."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias


class Wire(Protocol):
    """A wire that is open now."""

    @property
    def address(self) -> str:
        """The device, or HOST:PORT of the peer."""

    def write(self, data: bytes) -> None:
        """Send bytes. A wire that was closed meanwhile drops them."""

    def close(self) -> None:
        """Close it. Its user is told by ``closed``, once."""


class WireUser(Protocol):
    """Takes what comes from a wire. All methods are called in the event loop, and never after ``closed``."""

    def opened(self, wire: Wire, /) -> None:
        """Take the wire: it is open."""

    def received(self, data: bytes, /) -> None:
        """Take the next bytes."""

    def closed(self, why: str, /) -> None:
        """Take the end of the wire. ``why`` says what closed it; it is empty if this side did."""


Opener: TypeAlias = Callable[[WireUser], Awaitable[Wire]]
"""Opens a wire for a user. Raises LinkError if it cannot be opened now; another attempt may succeed."""
