"""SIP messages for tests: those of ``fixtures/sip``, and requests that tests make.

``datagram`` is the text of a whole datagram. ``expect`` names what must be read from it. The message is a request
unless there is a ``status``, a ``ping`` or a ``damage``; ``from`` and ``to`` are display name, address and tag; ``via``
is the topmost one; ``objection`` is status and phrase of the answer, or null for a request that is served.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vetlla.protocols.sip.checking import Abilities
from vetlla.protocols.sip.message import Request
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.via import Source

FOLDER = Path(__file__).parents[3] / "fixtures" / "sip"
METHODS = ("MESSAGE", "OPTIONS", "REGISTER", "INVITE", "ACK", "BYE", "CANCEL")
TYPES = ("application/scaip+xml", "application/xml", "text/plain")
RECEIVER = Abilities(METHODS, types=TYPES)
"""What a receiver of alarms can do."""
SOURCE = Source("203.0.113.9", 40_000)
"""Where requests of tests come from: not where their Via says."""


@dataclass(frozen=True, slots=True)
class SipRecording:
    name: str
    data: bytes
    expect: dict[str, Any]


def sip_recordings() -> list[SipRecording]:
    """Return all of them."""
    files = sorted(FOLDER.glob("*.json"))
    read = [(file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return [SipRecording(name, one["datagram"].encode(), one["expect"]) for name, one in read]


def request_bytes(
    method: str = "MESSAGE",
    *,
    uri: str = "sip:arc@192.0.2.1",
    via: str = "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK7a01;rport",
    sender: str = "<sip:26317@198.51.100.7>;tag=81",
    receiver: str = "<sip:arc@192.0.2.1>",
    call_id: str = "4711@198.51.100.7",
    sequence: str = "",
    headers: tuple[str, ...] = (),
    body: bytes = b"",
) -> bytes:
    """Return a request of a terminal."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via}",
        "Max-Forwards: 70",
        f"From: {sender}",
        f"To: {receiver}",
        f"Call-ID: {call_id}",
        f"CSeq: {sequence or f'1 {method}'}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_request(data: bytes) -> Request:
    """Return the request of a datagram."""
    request = read_datagram(data)
    assert isinstance(request, Request), request
    return request
