"""A receiver that keeps nothing: the public decoder behind real sockets, and a verdict for everything it reads."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from tests.rigs.recordings import STREAMS
from vetlla.domain.signals import STORED, AccountId, Key, Reject, Signal, Verdict

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Sequence

    from vetlla.protocols.decoder import Decoder


class Peer:
    """What arrived, and how it is answered.

    ``verdict`` decides, ``garble`` may spoil the answer (b"": none), ``on_signal`` hears how many signals there are.
    """

    def __init__(self, keys: dict[str, Key], protocol: str = "dc09") -> None:
        self.signals: list[Signal] = []
        self.rejects: list[Reject] = []
        self.port = 0
        self.verdict: Callable[[Signal], Verdict] = lambda _: STORED
        self.garble: Callable[[bytes], bytes] = lambda answer: answer
        self.on_signal: Callable[[int], None] = lambda _: None
        self._keys = keys
        self._protocol = protocol
        self.connections = 0
        self.ended = 0

    def decoder(self) -> Decoder:
        def lookup(caller: AccountId) -> Sequence[Key]:
            return (self._keys[caller.account],) if caller.account in self._keys else ()

        return STREAMS[self._protocol].make(lookup)

    def answers(self, decoder: Decoder, data: bytes, *, whole: bool = False) -> bytes:
        answers = b""
        for item in [*decoder.feed(data), *(decoder.finish() if whole else ())]:
            if isinstance(item, Signal):
                self.signals.append(item)
                self.on_signal(len(self.signals))
                answers += self.garble(decoder.answer(item, self.verdict(item), datetime.now(UTC)))
            elif isinstance(item, Reject):
                self.rejects.append(item)
        return answers


class _Stream(asyncio.Protocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._decoder = peer.decoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._peer.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer.ended += 1

    def data_received(self, data: bytes) -> None:
        if answers := self._peer.answers(self._decoder, data):
            self._transport.write(answers)


class _Datagram(asyncio.DatagramProtocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if answers := self._peer.answers(self._peer.decoder(), data, whole=True):
            self._transport.sendto(answers, addr)


@asynccontextmanager
async def listening(
    keys: dict[str, Key] | None = None, tls: ssl.SSLContext | None = None, protocol: str = "dc09"
) -> AsyncIterator[Peer]:
    """Listen on one port of 127.0.0.1, TCP and UDP; ``keys`` by account."""
    peer = Peer(keys or {}, protocol)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Stream(peer), "127.0.0.1", 0, ssl=tls, backlog=256)
    peer.port = server.sockets[0].getsockname()[1]
    udp, _ = await loop.create_datagram_endpoint(lambda: _Datagram(peer), local_addr=("127.0.0.1", peer.port))
    try:
        yield peer
    finally:
        udp.close()
        server.close()
