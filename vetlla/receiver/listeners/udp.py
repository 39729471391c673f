"""UDP: one datagram, one decoder; the answer goes to the datagram's source. A datagram holds one frame as a rule."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from vetlla.receiver.counters import Refusal
from vetlla.receiver.session import Peer, Session
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.session import Ground
    from vetlla.settings.model import Listen


DATAGRAM_MAX = 8_192
"""Bytes of a datagram that are read: twice the longest frame of any protocol. What stands behind them is no report."""


class UdpListener(asyncio.DatagramProtocol):
    """One bound datagram socket."""

    transport = "udp"
    _transport: asyncio.DatagramTransport | None = None
    """None before it takes datagrams."""

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
        if self._stopped:
            return
        if ground.intake.waiting > ground.budget.limits.intake_waiting:
            self._hang_up(Refusal.NOT_READY)  # not taken: the terminal repeats it
            return

        def send(answer: bytes) -> None:
            if self._transport is not None and not self._transport.is_closing():
                self._transport.sendto(answer, address)

        listen = self.listen
        peer = Peer(listen.protocol, listen.name, self.transport, spelled(*address[:2]), send, self._hang_up)
        session = Session(ground, peer, self._make_decoder(), ground.clock.now(), forgeable=True)
        session.feed(data[:DATAGRAM_MAX])
        session.finish()

    def stop(self) -> None:
        """Take no more; what was taken is still answered."""
        self._stopped = True

    def abort(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
        else:
            self._socket.close()

    def _hang_up(self, why: Refusal) -> None:
        """Count it: a datagram has no connection to be closed."""
        self._ground.counters.connections_refused[why] += 1
