"""TCP and TLS: a connection carries many frames, a segment may hold several, and a frame may take many segments."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vetlla.receiver.listeners.accept import ACCEPT_AGAIN_S, CLEAR_S, HANDSHAKE_S, Acceptor
from vetlla.receiver.listeners.connection import LINGER_S, Shared, TcpConnection
from vetlla.receiver.listeners.in_clear import ReportInClear
from vetlla.receiver.listeners.turns import GONE_MAX, Turns

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from vetlla.domain.clock import Instant
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.listen import Listen


class TcpBounds(NamedTuple):
    """The bounds of a listener that a test makes smaller. Each constant tells its unit and its reason."""

    accept_again_s: float = ACCEPT_AGAIN_S
    handshake_s: float = HANDSHAKE_S
    clear_s: float = CLEAR_S
    linger_s: float = LINGER_S
    gone_max: int = GONE_MAX


class TcpListener:
    """One listening socket and its connections."""

    def __init__(
        self,
        listen: Listen,
        services: SessionServices,
        make_decoder: Callable[[], Decoder],
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        *,
        silence_s: float | None = None,
        make_connection: Callable[[Shared, tuple[str, int], Instant], TcpConnection] = TcpConnection,
        bounds: TcpBounds = TcpBounds(),
    ) -> None:
        self.listen = listen
        self.transport = "tls" if tls else "tcp"
        self.host, self.port = listening.getsockname()[:2]
        self.connections: set[TcpConnection] = set()
        self.turns = Turns(gone_max=bounds.gone_max)
        shared = Shared(
            listen=listen,
            transport=self.transport,
            silence_s=silence_s,
            services=services,
            make_decoder=make_decoder,
            turns=self.turns,
            linger_s=bounds.linger_s,
            connections=self.connections,
        )
        self._acceptor = Acceptor(
            listening,
            tls,
            services,
            partial(make_connection, shared),
            partial(ReportInClear, listen, services, make_decoder),
            handshake_s=bounds.handshake_s,
            clear_s=bounds.clear_s,
            again_s=bounds.accept_again_s,
        )

    async def start(self) -> None:
        """Accept connections."""
        self._acceptor.start()

    def use_tls(self, context: ssl.SSLContext | None) -> None:
        """Use this context for new connections; open ones keep theirs."""
        self._acceptor.tls = context

    def stop(self) -> None:
        """Stop accepting and reading; what was read is still answered."""
        self._acceptor.close()
        for connection in list(self.connections):
            connection.end()

    def abort(self) -> None:
        """Drop all connections that are left."""
        for connection in list(self.connections):
            connection.abort()
