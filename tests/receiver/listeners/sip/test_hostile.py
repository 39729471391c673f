"""Whatever comes to a door for SIP raises no error, and no request is left without an end."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from tests.rigs.sip.door import report, sip_door
from tests.rigs.sip.messages import request_bytes, sip_recordings
from vetlla.domain.signals import STORED, Signal
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.transactions.server import ServerTransactions
from vetlla.protocols.sip.via import Source
from vetlla.receiver.listeners.sip.dialogue import DatagramDialogue, StreamDialogue

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.signals import Item

NOW = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
TRIES = 3_000
SOURCE = Source("192.0.2.9", 40_000)
ODD = (
    b"\0",
    b"\x01",
    b"\xff",
    b"\xed\xa0\x80",
    b"\r\n",
    b"\n",
    b";",
    b"<",
    b'"',
    b"@",
    b":",
    b"%00",
    b"%ff",
    b"99999999999",
)


def bent(chance: Random, data: bytes) -> bytes:
    """Return a message with some damage."""
    message = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(message) + 1)
        match chance.randrange(3):
            case 0:
                message[at:at] = chance.choice(ODD)
            case 1:
                del message[at : at + chance.randint(1, 8)]
            case _:
                message[at : at + 1] = bytes((chance.randrange(256),))
    return bytes(message)


def originals() -> list[bytes]:
    """Return recorded messages, and reports that a home sends."""
    good = [
        request_bytes(body=report(), sender=f'"Name" <sip:{user}@[2001:db8::1]:5070>;tag=1')
        for user in ("26317", "a%40b")
    ]
    others = [
        request_bytes(method, receiver="<sip:26317@a>", headers=("Contact: <sip:x@y>;expires=99", "Require: gruu"))
        for method in ("REGISTER", "OPTIONS", "INVITE")
    ]
    others += [one.replace(b"Require: gruu\r\n", b"") for one in others]
    return [one.data for one in sip_recordings()] + (good + others) * 10


async def test_no_message_raises(tmp_path: Path) -> None:
    """Recorded messages with damage, over a connection and as datagrams; each report can be answered or refused."""
    chance, messages = Random(15), originals()
    async with sip_door(tmp_path) as opened:
        known = ServerTransactions(is_reliable=False)
        answered = 0
        for _ in range(TRIES):
            data = bent(chance, chance.choice(messages))
            stream = StreamDialogue(opened.server, SOURCE, "TCP")
            datagram = DatagramDialogue(opened.server, SOURCE, known, lambda _: None)
            items: list[tuple[StreamDialogue | DatagramDialogue, Item]]
            items = [(stream, item) for item in [*stream.feed(data), *stream.finish()]]
            items += [(datagram, item) for item in datagram.take(read_datagram(data))]
            for dialogue, item in items:
                if isinstance(item, Signal):
                    fails = chance.random() < 0.1
                    answer = dialogue.unserved(item) if fails else dialogue.answer(item, STORED, NOW)
                    answered += answer.startswith(b"SIP/2.0 503 " if fails else b"SIP/2.0 200 ")
                    datagram.follow()
            assert not stream._exchanges
            assert not datagram._exchanges
        assert answered > TRIES / 10
        opened.server.answers.close()
