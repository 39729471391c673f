"""Reads recordings: SIP messages one after the other, as a capture's text has them, or the body of one alone."""

from __future__ import annotations

import re
from typing import Final

from vetlla.protocols.decoder import Message
from vetlla.protocols.sip.message import Request
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.values import read_address

_START: Final = re.compile(
    rb"^(?:[A-Z]{3,10} [^\r\n]{1,500} SIP/2\.0|SIP/2\.0 [1-6][0-9]{2}[^\r\n]*)\r?$", re.MULTILINE
)
"""First line of a SIP message."""


def messages(recording: bytes) -> list[Message]:
    """Return the bodies of the MESSAGE requests of a recording, with the address of each sender."""
    starts = [found.start() for found in _START.finditer(recording)]
    if not starts:
        return [Message("", recording)] if recording.strip() else []
    ends = [*starts[1:], len(recording)]
    pieces = [read_datagram(recording[start:end]) for start, end in zip(starts, ends, strict=True)]
    found = [sent(piece) for piece in pieces if isinstance(piece, Request) and piece.method == "MESSAGE"]
    before = recording[: starts[0]]
    return [Message("", before), *found] if before.strip() else found


def sent(request: Request) -> Message:
    """Return the body of a request, and the address of its sender."""
    address = read_address(request.headers.first("from"))
    return Message(address.uri if address is not None else "", request.body)
