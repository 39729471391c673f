"""Reads a SIP message from its bytes (RFC 3261, 7), with every tolerance that no other reading contradicts.

Line ends may be LF alone, names of headers may be short and in any case, blanks may stand before the colon, lines may
be folded. A line that is no header is kept and costs nothing else. So a request of an odd terminal is read, and
``checking`` decides whether it can be served. Only bytes without the first line of a SIP message are damage.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.sip.message import NO_HEADER, Headers, Ping, Request, Response
from vetlla.protocols.sip.values import read_number

Piece: TypeAlias = Request | Response | Ping | Damage

NAME: Final = "sip"
MAX_HEAD: Final = 16_384
"""Bytes of a message before its body. The head of a request that went through five proxies has about 3,000."""
MAX_BODY: Final = 65_536
"""Bytes of a body. A report of a terminal has at most 2,000."""

_COMPACT: Final = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
    "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
    "n": "identity-info", "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
    "x": "session-expires", "y": "identity",
}  # fmt: skip
"""Short forms of names (registry of SIP header fields of IANA)."""
_USUAL: Final = (
    "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Type", "Content-Length", "User-Agent",
    "Server", "Allow", "Accept", "Supported", "Require", "Route", "Record-Route", "Expires", "Date", "Authorization",
    "WWW-Authenticate", "Proxy-Authenticate", "Proxy-Authorization", "Subject", "Event", "Warning", "Retry-After",
)  # fmt: skip
_NAMES: Final = {name: name.lower() for name in _USUAL} | _COMPACT
"""Spellings that need no further look; the others are the same in lower case."""

HEAD_END: Final = re.compile(rb"\n\r?\n")
"""What ends the head, from the end of its last line on."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+", re.ASCII)
_FOLD: Final = re.compile(r"\n[ \t]++")
_VERSION: Final = re.compile(r"SIP/([0-9]{1,9}\.[0-9]{1,9})", re.ASCII | re.IGNORECASE)
_STATUS: Final = re.compile(r"SIP/2\.0[ \t]++([1-6][0-9]{2})(?:[ \t]++(.*))?", re.ASCII | re.IGNORECASE)
_KEEP_ALIVE: Final = b"\r\n\0 \t"
"""Bytes of which datagrams are made that only keep a NAT's binding."""


def read_datagram(data: bytes) -> Piece:
    """Return the message of a datagram. Its body ends where Content-Length says, else with the datagram (18.3)."""
    if not data.strip(_KEEP_ALIVE):
        return Ping(b"")
    data = data.lstrip(b"\r\n")
    end = HEAD_END.search(data, 0, MAX_HEAD)
    if end is None and len(data) > MAX_HEAD:
        return Damage(Reason.TOO_LONG, data[:MAX_HEAD], f"the head of the message does not end in {MAX_HEAD} bytes")
    head, body = (data, b"") if end is None else (data[: end.start()], data[end.end() :])
    message = read_head(head)
    if isinstance(message, Damage):
        return message._replace(raw=data)
    length = body_length(message.headers)
    if length is None or length == len(body):
        return message._replace(body=body) if body else message
    return message._replace(body=body[:length], missing=max(0, length - len(body)))


def read_head(head: bytes) -> Request | Response | Damage:
    """Return the message of a head, without its body: the bytes before the empty line, or before its line end."""
    text = head.removesuffix(b"\r").decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    if "\r" in text or "\0" in text:
        text = text.replace("\r", " ").replace("\0", " ")  # an answer repeats values, and these would end its line
    first, _, rest = text.partition("\n")
    headers = _headers(rest)
    status = _STATUS.fullmatch(first.rstrip())
    if status is not None:
        return Response(int(status[1]), status[2] or "", headers)
    method, _, behind = first.strip().partition(" ")
    uri, _, version = behind.rpartition(" ")
    known = _VERSION.fullmatch(version)
    if known is None or _TOKEN.fullmatch(method) is None:
        return Damage(Reason.MALFORMED, head, "the first line is not that of a SIP message")
    return Request(method, uri.strip(), headers, b"", known[1])


def body_length(headers: Headers) -> int | None:
    """Return the length that the headers give the body; None if they give none, or none that can be believed."""
    return None if headers.contradicts("content-length") else read_number(headers.first("content-length"))


def _headers(text: str) -> Headers:
    headers = Headers()
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        key = _NAMES.get(name)
        if key is None:
            key = name.strip(" \t").lower()
            key = _COMPACT.get(key, key)
            if not colon or _TOKEN.fullmatch(key) is None:
                if line:
                    headers.setdefault(NO_HEADER, []).append(line)
                continue
        value = value.strip(" \t")
        if key in headers:
            headers[key].append(value)
        else:
            headers[key] = [value]
    return headers
