"""UDP: one datagram, one frame, one decoder; the answer goes to the datagram's source."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from vetlla.receiver.session import Peer, Session

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.counters import Refusal
    from vetlla.receiver.session import Ground
    from vetlla.settings.model import Listen


class UdpListener(asyncio.DatagramProtocol):
    """One bound datagram socket."""

    transport = "udp"
    _transport: asyncio.DatagramTransport

    def __init__(
        self, listen: Listen, ground: Ground, make_decoder: Callable[[], Decoder], bound: socket.socket
    ) -> None:
        self.listen = listen
        self.host, self.port = bound.getsockname()[:2]
        self._ground = ground
        self._make_decoder = make_decoder
        self._socket = bound
        self._stopped = False

    async def start(self) -> None:
        """Take datagrams."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=self._socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are sent through."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is one in all but its bases

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Serve one datagram as a stream that begins and ends with it."""
        ground = self._ground
        if self._stopped or ground.intake.waiting > ground.budget.limits.intake_waiting:
            return  # not taken: the terminal repeats it
        transport = self._transport
        peer = Peer(
            self.listen.protocol,
            self.listen.name,
            self.transport,
            f"{address[0]}:{address[1]}",
            lambda answer: transport.sendto(answer, address),
            _nothing_to_close,
        )
        session = Session(ground, peer, self._make_decoder(), ground.clock.now())
        session.feed(data)
        session.finish()

    def stop(self) -> None:
        """Take no more; what was taken is still answered."""
        self._stopped = True

    def abort(self) -> None:
        """Close the socket."""
        self._transport.close()


def _nothing_to_close(_: Refusal) -> None:
    """Do nothing: a datagram has no connection."""
