"""TLS: connections whose handshake is made within the budgets, unlike the one a server makes before it shows them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from vetlla.receiver.counters import Refusal

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Coroutine

    from vetlla.clock import Instant
    from vetlla.receiver.session import Ground

log = structlog.get_logger()

HANDSHAKE_S = 10.0
"""Time a peer has for its handshake."""
ACCEPT_AGAIN_S = 1.0
"""Pause after the machine could not accept a connection: it has no descriptors left, most likely."""


class TlsServer:
    """Accepts connections of one listening socket and lets each make its handshake."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        ground: Ground,
        make_protocol: Callable[[str, Instant], asyncio.Protocol],
    ) -> None:
        self._listening = listening
        self._context = context
        self._ground = ground
        self._make_protocol = make_protocol
        """From the peer's host, whose budget is taken already, and the instant at which the connection was set up."""
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Accept connections."""
        self._run(self._accept())

    def close(self) -> None:
        """Accept no more, and drop whoever has not finished the handshake."""
        for task in self._tasks:
            task.cancel()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        with self._listening:
            while True:
                try:
                    connection, address = await asyncio.get_running_loop().sock_accept(self._listening)
                except OSError as error:
                    log.error("accept.failed", why=error.strerror or str(error))  # noqa: TRY400 - the machine's trouble
                    await asyncio.sleep(ACCEPT_AGAIN_S)
                    continue
                refusal = self._ground.budget.connect(address[0])
                if refusal is None:
                    self._run(self._shake_hands(connection, address[0]))
                else:
                    self._ground.counters.connections_refused[refusal] += 1
                    connection.close()

    async def _shake_hands(self, connection: socket.socket, host: str) -> None:
        ground, loop = self._ground, asyncio.get_running_loop()
        protocol = self._make_protocol(host, ground.clock.now())
        try:
            await loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError:  # ssl.SSLError, ConnectionError and TimeoutError are among them
            ground.counters.connections_refused[Refusal.TLS] += 1
            ground.budget.disconnect(host)
        except asyncio.CancelledError:
            ground.budget.disconnect(host)
            raise
