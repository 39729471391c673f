"""SIP messages as values: what came, with the names of headers in one spelling and the values as they were written."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.sip.values import split_list
from vetlla.protocols.sip.via import read_via

if TYPE_CHECKING:
    from vetlla.protocols.sip.via import Via

VERSION: Final = "2.0"
NO_HEADER: Final = ""
"""Name under which lines are kept that are no header."""


class Headers(dict[str, list[str]]):
    """The values of each header, in their order. A name is in lower case and in its long form: ``call-id`` for ``i``.

    A value is the text behind the colon, unfolded and without blanks around it. One value may hold several, with commas
    between them. Bytes that are no UTF-8 are surrogates, so that an answer repeats them as they came.
    """

    def first(self, name: str) -> str:
        """Return the first value; "" without one."""
        values = self.get(name)
        return values[0] if values else ""

    def every(self, name: str) -> list[str]:
        """Return the values of a header that is a list, cut at its commas (RFC 3261, 7.3.1)."""
        return [one for value in self.get(name, ()) for one in split_list(value)]

    @cached_property
    def via(self) -> Via | None:
        """The topmost Via, which is the last sender's; None if there is none that can be read."""
        value = self.first("via")
        return read_via(next(iter(split_list(value)), ""))

    def contradicts(self, name: str) -> bool:
        """Return True if a header came several times with different values."""
        values = self.get(name, ())
        return len(values) > 1 and len(set(values)) > 1


class Request(NamedTuple):
    """A request."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""
    version: str = VERSION
    missing: int = 0
    """Bytes of the body that its Content-Length counts and that did not come."""


class Response(NamedTuple):
    """A response: an answer to a request."""

    status: int
    """From 100 to 699."""
    phrase: str
    headers: Headers
    body: bytes = b""
    missing: int = 0
    """Bytes of the body that its Content-Length counts and that did not come."""


class Ping(NamedTuple):
    """A keep-alive: an empty line twice over a connection (RFC 5626, 3.5.1), or a datagram without a message."""

    answer: bytes
    """What the peer gets for it; b"" if it gets nothing."""
