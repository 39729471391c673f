"""Decides whether a request can be served, and says with which status if not (RFC 3261, 8.2; RFC 4475).

What can be understood in one way only is served, because the request may be a call for help. So these are no
objection: no Max-Forwards (RFC 2543 did not know it) or one of zero, which concerns proxies alone; no tag in From
(8.2.6.2); a body without Content-Length over UDP. A challenge and the user in the Request-URI are the listener's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.printable import printable
from vetlla.protocols.sip.message import VERSION
from vetlla.protocols.sip.reading import body_length
from vetlla.protocols.sip.uri import read_uri
from vetlla.protocols.sip.values import read_address, read_sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.protocols.sip.message import Request

ACK: Final = "ACK"
"""The only method that gets no answer."""
IDENTITY: Final = "identity"
"""Encoding of a body that is not packed."""
_SINGLE: Final = ("to", "from", "call-id", "cseq", "content-length")
"""Headers that a request has once (RFC 4475, 3.3.8 and 3.3.9)."""


class Objection(NamedTuple):
    """Why a request is not served, as its answer says it."""

    status: int
    phrase: str
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that the answer has besides the usual ones."""


class Abilities(NamedTuple):
    """What a server can do."""

    methods: tuple[str, ...]
    """In the order in which Allow names them."""
    schemes: frozenset[str] = frozenset({"sip", "sips"})
    """Schemes of addresses that it serves."""
    extensions: frozenset[str] = frozenset()
    """Option tags that a request may require."""
    types: tuple[str, ...] = ()
    """Types of bodies that it reads, in lower case, the usual one first; none: it reads all. A body without a type is
    taken for the usual one."""

    @property
    def allow(self) -> tuple[str, str]:
        """The header that names the methods."""
        return "Allow", ", ".join(self.methods)


def objection(request: Request, abilities: Abilities) -> Objection | None:
    """Return why a request cannot be served; None if it can be. An ACK gets no answer, whatever this returns."""
    if request.version != VERSION:
        return Objection(505, "Version Not Supported")
    fault = next(_faults(request), None)
    if fault is not None:
        return Objection(400, fault)
    return next(_limits(request, abilities), None)


def _limits(request: Request, abilities: Abilities) -> Iterator[Objection]:
    """Yield what a well-formed request asks for and this server cannot do."""
    if request.method not in abilities.methods and request.method != ACK:
        yield Objection(405, "Method Not Allowed", (abilities.allow,))
    uri = read_uri(_bare(request.uri))
    if uri is None:
        yield Objection(400, "Request-URI is no address")
    elif uri.scheme not in abilities.schemes:
        yield Objection(416, "Unsupported URI Scheme")
    unknown = [tag for tag in request.headers.every("require") if tag.lower() not in abilities.extensions]
    if unknown:
        # The answer repeats them, and a header must not hold what could end it.
        shown = ", ".join(printable(tag) for tag in unknown)
        yield Objection(420, "Bad Extension", (("Unsupported", shown),))
    if not request.body:
        return
    given = request.headers.first("content-type").partition(";")[0].strip().lower()
    if abilities.types and given and given not in abilities.types:
        yield Objection(415, "Unsupported Media Type", (("Accept", abilities.types[0]),))
    if request.headers.first("content-encoding").lower() not in {"", IDENTITY}:
        yield Objection(415, "Unsupported Content-Encoding", (("Accept-Encoding", IDENTITY),))


def _faults(request: Request) -> Iterator[str]:
    """Yield what makes a request malformed, as the phrase of the answer: an engineer reads it at the terminal."""
    headers = request.headers
    for name in _SINGLE:
        if headers.contradicts(name):
            yield f"{name} came twice with different values"
    if headers.via is None:
        yield "via is missing or wrong"
    for name in ("from", "to"):
        if read_address(headers.first(name)) is None:
            yield f"{name} is missing or wrong"
    if not headers.first("call-id"):
        yield "call-id is missing"
    sequence = read_sequence(headers.first("cseq"))
    if sequence is None or sequence.method != request.method:
        yield "cseq is missing, too high, or has another method"
    if request.missing:
        yield f"{request.missing} bytes of the body are missing"
    if "content-length" in headers and body_length(headers) is None:
        yield "content-length is no number"


def _bare(uri: str) -> str:
    """Return the address of a Request-URI that stands in angle brackets (RFC 4475, 3.1.2.7)."""
    return uri[1:-1] if uri.startswith("<") and uri.endswith(">") else uri
