"""Reads recordings of MQTT, which are lines ``TOPIC SP PAYLOAD`` as ``mosquitto_sub -v`` prints them."""

from __future__ import annotations

import re
from typing import Final

from vetlla.protocols.decoder import Message

_TOPIC: Final = re.compile(rb"^tc/[0-9]", re.MULTILINE)
"""Beginning of the first line of a message. Other lines continue its payload, which may hold line ends."""
_LINE_ENDS: Final = b"\r\n"


def messages(recording: bytes) -> list[Message]:
    """Return the messages of a recording, in order. Bytes before the first topic are a message without a topic."""
    starts = [found.start() for found in _TOPIC.finditer(recording)]
    if not starts or recording[: starts[0]].strip():
        starts.insert(0, 0)
    ends = [*starts[1:], len(recording)]
    parts = (recording[start:end] for start, end in zip(starts, ends, strict=True))
    return [_message(part) for part in parts if part.strip()]


def _message(lines: bytes) -> Message:
    lines = lines.strip(_LINE_ENDS)
    topic, _, payload = lines.partition(b" ") if _TOPIC.match(lines) else (b"", b"", lines)
    return Message(topic.decode("utf-8", "surrogateescape"), payload)
