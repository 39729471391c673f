"""UDP: each datagram has its own decoder, and the answer goes to its source. As a rule it holds one frame."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from vetlla.receiver.counters import Refusal
from vetlla.receiver.session import Peer, StreamSession
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.listen import Listen


DATAGRAM_MAX = 8_192
"""Bytes of a datagram that are read: twice the longest frame of any protocol. Bytes after them belong to no report."""


TURN_BYTES = 4_096
"""Bytes that are read in one turn of the loop: a few dozen reports, or some 10 ms of junk. The rest waits in the
socket, so that connections have their turns."""


class UdpListener:
    """One bound datagram socket."""

    transport = "udp"

    def __init__(
        self, listen: Listen, services: SessionServices, make_decoder: Callable[[], Decoder], bound: socket.socket
    ) -> None:
        self.listen = listen
        self.host, self.port = bound.getsockname()[:2]
        self._services = services
        self._make_decoder = make_decoder
        self._socket = bound

    async def start(self) -> None:
        """Take datagrams."""
        self._socket.setblocking(False)  # noqa: FBT003 - the socket's signature
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        taken = 0
        while taken < TURN_BYTES:
            try:
                data, address = self._socket.recvfrom(DATAGRAM_MAX)
            except BlockingIOError:
                return
            except OSError:
                return  # an earlier answer reached no one; the kernel reports that once
            self._serve(data, address)
            taken += len(data)

    def _serve(self, data: bytes, address: tuple[str, int]) -> None:
        """Serve one datagram as a stream that begins and ends with it."""
        services = self._services
        if services.intake.waiting > services.budget.limits.intake_waiting:
            self._hang_up(Refusal.NOT_READY)  # not taken, so the terminal repeats it
            return

        def send(answer: bytes) -> None:
            with suppress(OSError):  # a full buffer, or a closed socket: the terminal repeats its report
                self._socket.sendto(answer, address)

        listen = self.listen
        peer = Peer(listen.protocol, listen.name, self.transport, spelled(*address[:2]), send, self._hang_up)
        session = StreamSession(services, peer, self._make_decoder(), services.clock.now(), forgeable=True)
        session.feed(data)
        session.finish()

    def stop(self) -> None:
        """Stop reading; what was read is still answered."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)

    def abort(self) -> None:
        """Close the socket."""
        self.stop()
        self._socket.close()

    def _hang_up(self, why: Refusal) -> None:
        """Count the reason; a datagram has no connection to close."""
        self._services.counters.connections_refused[why] += 1
