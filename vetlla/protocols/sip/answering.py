"""Writes responses and requests (RFC 3261, 7, 8.1.1 and 8.2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.protocols.sip.checking import ACK
from vetlla.protocols.sip.values import read_address, split_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.protocols.sip.message import Headers, Request
    from vetlla.protocols.sip.via import Source, Via

PHRASES: Final = {
    100: "Trying", 180: "Ringing", 200: "OK", 202: "Accepted", 302: "Moved Temporarily", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 413: "Request Entity Too Large",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension", 423: "Interval Too Brief",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 486: "Busy Here", 488: "Not Acceptable Here", 500: "Server Internal Error",
    501: "Not Implemented", 503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
    513: "Message Too Large",
}  # fmt: skip
"""The usual phrase of each status (RFC 3261, 21)."""
MAX_FORWARDS: Final = 70
"""Proxies through which a request of ours may go (8.1.1.6)."""
UDP_MOST: Final = 1_300
"""Bytes above which a request goes over a connection instead of UDP (18.1.1)."""

_ECHOED: Final = (("from", "From"), ("call-id", "Call-ID"), ("cseq", "CSeq"))


def respond(
    request: Request,
    status: int,
    phrase: str = "",
    *,
    tag: str,
    source: Source,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """Return the response to a request; b"" for an ACK, which gets none.

    It repeats Via, From, To, Call-ID and CSeq (8.2.6.2). ``tag`` marks us in To if the request did not, and ``source``
    is where the request came from. A 2xx to MESSAGE may have no body and no Contact (RFC 3428, 7): give neither.
    """
    if request.method == ACK:
        return b""
    came = request.headers
    lines = [f"SIP/2.0 {status} {phrase or PHRASES.get(status, '')}"]
    lines += [f"Via: {value}" for value in _vias(came, source)]
    lines += [f"{name}: {came[key][0]}" for key, name in _ECHOED if key in came]
    if "to" in came:
        to = came["to"][0]
        lines.append(f"To: {to}" if _is_tagged(to) else f"To: {to};tag={tag}")
    return _written(lines, headers, body)


def write_request(
    method: str,
    uri: str,
    *,
    via: Via,
    sender: str,
    receiver: str,
    call_id: str,
    sequence: int,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """Return a request. ``sender`` is the value of From, with its tag, and ``receiver`` that of To.

    Raises ValueError if a value has a line end or another control character, which would begin another header.
    """
    lines = [f"{method} {uri} SIP/2.0"]
    given = [
        ("Via", via.text()),
        ("Max-Forwards", str(MAX_FORWARDS)),
        ("From", sender),
        ("To", receiver),
        ("Call-ID", call_id),
        ("CSeq", f"{sequence} {method}"),
    ]
    _check(uri)
    return _written(lines, (*given, *headers), body)


def _written(lines: list[str], headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    for name, value in headers:
        _check(value)
        lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


def _check(value: str) -> None:
    if not value.isprintable() and any(ord(one) < 0x20 or ord(one) == 0x7F for one in value):
        raise ValueError("the value of a header has a control character")


def _vias(headers: Headers, source: Source) -> list[str]:
    """Return the values of Via with what we know in the topmost one."""
    values, via = headers.get("via", []), headers.via
    if via is None:
        return values
    others = split_list(values[0])[1:]
    return [", ".join((via.received_from(source).text(), *others)), *values[1:]]


def _is_tagged(to: str) -> bool:
    if "tag" not in to.lower():
        return False
    address = read_address(to)
    return address is not None and "tag" in address.parameters
