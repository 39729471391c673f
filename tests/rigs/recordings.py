"""The recordings in ``fixtures/<protocol>/``: one JSON file each, with the expected items and answers.

``frame_hex`` is exactly one frame, ``body`` the same as text, and ``stream_hex`` any bytes of a connection.
``expect_items`` names fields as ``vetlla decode --json`` prints them, and ``raw`` is compared if it is given.
``expect_answer_hex``, or ``expect_answers`` as text, lists the exact answers to the stored frames. Encrypted answers
are random and have no entry. ``before_hex`` has earlier bytes of the connection that a frame needs, such as a login
that names the device; their items are not expected. ``long_pad`` means that the key's terminals put a whole block of
pad in front.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vetlla.domain.signals import AccountId, Item, Key, Signal
from vetlla.protocols.decoder import Description, MessageDescription
from vetlla.protocols.registry import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.protocols.decoder import Decoder, MessageDecoder

FIXTURES = Path(__file__).parents[2] / "fixtures"

STREAMS = {name: one for name, one in PROTOCOLS.items() if isinstance(one, Description)}
"""Protocols of streams and datagrams."""
MESSAGES = {name: one for name, one in PROTOCOLS.items() if isinstance(one, MessageDescription)}
"""Protocols of messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    protocol: str
    name: str
    before: bytes
    data: bytes
    is_frame: bool
    keys: Sequence[Key]
    expect_items: list[dict[str, Any]]
    expect_answers: list[bytes] | None

    @property
    def is_good(self) -> bool:
        """Whether it is exactly one complete frame with a report."""
        return self.is_frame and all(item["item"] == "signal" for item in self.expect_items)

    @property
    def whole(self) -> bytes:
        """All bytes that a new connection must bring, including those before."""
        return self.before + self.data

    def decoder(self) -> Decoder | MessageDecoder:
        """Return a decoder that has read what came before."""
        if self.protocol in MESSAGES:
            return MESSAGES[self.protocol].make(self.keys_of)
        decoder = STREAMS[self.protocol].make(self.keys_of)
        decoder.feed(self.before)
        return decoder

    def keys_of(self, _: AccountId) -> Sequence[Key]:
        return self.keys


@cache
def recordings(protocol: str) -> tuple[Recording, ...]:
    return tuple(_read(protocol, path) for path in sorted((FIXTURES / protocol).glob("*.json")))


def good(protocol: str) -> list[Recording]:
    """Return the recordings of a protocol that are one complete frame with a report."""
    return [recording for recording in recordings(protocol) if recording.is_good]


def decode(decoder: Decoder | MessageDecoder, chunks: Iterable[bytes]) -> list[Item]:
    """Return all that a connection gives, from its first byte to its end; or all messages of a recording."""
    if hasattr(decoder, "read"):
        protocol = next(one for one in MESSAGES.values() if isinstance(decoder, type(one.make(lambda _: ()))))
        return [item for message in protocol.recorded(b"".join(chunks)) for item in decoder.read(message)]
    items = [item for chunk in chunks for item in decoder.feed(chunk)]
    return items + decoder.finish()


def signals(items: Iterable[Item]) -> list[Signal]:
    return [item for item in items if isinstance(item, Signal)]


def _keys(case: dict[str, Any]) -> list[Key]:
    if "key_hex" not in case:
        return []
    return [Key(name="recorded", secret=bytes.fromhex(case["key_hex"]), long_pad=case.get("long_pad", False))]


def _read(protocol: str, path: Path) -> Recording:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert case["id"] == path.stem
    answers = case.get("expect_answer_hex")
    texts = case.get("expect_answers")
    return Recording(
        protocol=protocol,
        name=path.stem,
        before=bytes.fromhex(case.get("before_hex", "")),
        data=case["body"].encode() if "body" in case else bytes.fromhex(case.get("frame_hex") or case["stream_hex"]),
        is_frame="frame_hex" in case or "body" in case,
        keys=_keys(case),
        expect_items=case["expect_items"],
        expect_answers=[text.encode() for text in texts]
        if texts is not None
        else None
        if answers is None
        else [bytes.fromhex(answer) for answer in answers],
    )
