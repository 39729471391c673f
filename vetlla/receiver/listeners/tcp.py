"""TCP and TLS: many frames per connection, several per segment, one per many segments."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from vetlla.receiver.counters import Refusal
from vetlla.receiver.session import Peer, Session

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.session import Ground
    from vetlla.settings.model import Listen

TLS_HANDSHAKE_S = 10.0
"""Time a peer has for its handshake."""


class TcpListener:
    """One listening socket and its connections."""

    def __init__(
        self,
        listen: Listen,
        ground: Ground,
        make_decoder: Callable[[], Decoder],
        listening: socket.socket,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.listen = listen
        self.transport = "tls" if tls else "tcp"
        self.host, self.port = listening.getsockname()[:2]
        self.ground = ground
        self.make_decoder = make_decoder
        self.connections: set[_Connection] = set()
        self._socket = listening
        self._tls = tls
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections."""
        handshake = TLS_HANDSHAKE_S if self._tls else None
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), sock=self._socket, ssl=self._tls, ssl_handshake_timeout=handshake
        )

    def stop(self) -> None:
        """Accept and read no more; what was read is still answered."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.drain()

    def abort(self) -> None:
        """Drop whatever connection is left."""
        for connection in list(self.connections):
            connection.abort()


class _Connection(asyncio.Protocol):
    """One peer's connection."""

    _transport: asyncio.Transport
    _session: Session

    def __init__(self, listener: TcpListener) -> None:
        self._listener = listener
        self._host = ""
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._paused = False
        self._ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listener, ground = self._listener, self._listener.ground
        established = ground.clock.now()
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases
        host, port = (transport.get_extra_info("peername") or ("?", 0))[:2]
        refusal = ground.budget.connect(host)
        if refusal is not None:
            self._ending = True
            ground.counters.connections_refused[refusal] += 1
            self._transport.abort()
            return
        self._host = host
        peer = Peer(
            listener.listen.protocol,
            listener.listen.name,
            listener.transport,
            f"{host}:{port}",
            self._transport.write,
            self._hang_up,
        )
        self._session = Session(ground, peer, listener.make_decoder(), established)
        listener.connections.add(self)
        self._watch(ground.budget.limits.first_frame_timeout_s)

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        session, ground = self._session, self._listener.ground
        self._last = asyncio.get_running_loop().time()
        session.feed(data)
        limits = ground.budget.limits
        if session.owed and (
            session.owed > limits.pending_per_connection or ground.intake.waiting > limits.intake_waiting
        ):
            self._pause()

    def eof_received(self) -> bool:
        """Answer what is owed before closing: a terminal may shut its side and wait for the ACK."""
        if not self._ending:
            self._session.finish()
            self.drain()
        return bool(self._ending and self._host and self._session.owed)

    def connection_lost(self, _: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._host:
            if not self._ending:
                self._session.finish()
            self._ending = True
            self._listener.connections.discard(self)
            self._listener.ground.budget.disconnect(self._host)
            self._host = ""

    def drain(self) -> None:
        """Read no more; close when the last answer has left."""
        self._ending = True
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self._session.on_drained = self._transport.close
        if not self._session.owed:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def _hang_up(self, why: Refusal) -> None:
        if not self._ending:
            self._listener.ground.counters.connections_refused[why] += 1
            self.drain()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()
            self._session.on_drained = self._resume

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._session.on_drained = None
            if not self._ending:
                self._transport.resume_reading()

    def _watch(self, seconds: float) -> None:
        # One timer per connection that looks when it fires, instead of one set anew with every frame.
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        limits = self._listener.ground.budget.limits
        quiet = asyncio.get_running_loop().time() - self._last
        if not self._session.heard or quiet >= limits.idle_timeout_s:
            self._hang_up(Refusal.IDLE)
        else:
            self._watch(limits.idle_timeout_s - quiet)
