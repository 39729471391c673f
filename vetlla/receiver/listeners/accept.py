"""Accepts connections: many in one turn of the loop, and only within the budgets, which are checked first.

asyncio's own servers accept one connection a turn (libuv), or make the TLS handshake before they show the peer. After
an outage a whole district dials in at once, while connected peers keep each turn long. Measured with 450 connections
that send without pause: the last new one was accepted after 2.8 s.
"""

from __future__ import annotations

import _socket
import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from vetlla.receiver.counters import Refusal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine

    from vetlla.domain.clock import Instant
    from vetlla.receiver.session import SessionServices

log = structlog.get_logger()

ACCEPTS_PER_TURN = 256
"""Connections accepted in one turn of the loop: some 25 ms of work, before connected peers are served again."""
HANDSHAKE_S = 10.0
"""Time a peer has to send its first byte, and then again for its TLS handshake."""
_HANDSHAKE = 0x16
"""First byte of the TLS record that begins a handshake (RFC 8446, 5.1); no frame in clear begins with it."""
CLEAR_MAX = 4_096
"""Most bytes in clear that are read from a peer on a port for TLS."""
CLEAR_S = 1.0
"""Time a peer that sends in clear has for its report after its first byte; a modem may send it in several segments."""
ACCEPT_AGAIN_S = 1.0
"""Pause after the machine could not accept a connection; most likely it has no descriptors left."""


class Accepted(asyncio.Protocol):
    """A connection from the moment it is accepted; asyncio uses it as the protocol when it is set up.

    It holds a place in the budget. ``connection_made`` sets ``is_made``; from then on it gives the place back itself.
    """

    host: str
    """Address of the peer, whose budget the connection uses."""
    established: Instant
    is_made = False
    setting_up: asyncio.Task[object] | None = None

    def abort(self) -> None:
        """Drop the connection while it is being set up. A subclass adds what to do when it is set up."""
        if self.setting_up is not None:
            self.setting_up.cancel()


class _Stream(socket.socket):
    """The socket of a connection.

    Family and type are plain numbers. The library would make them members of an enum at each access, which costs 2 us
    for each connection.
    """

    __slots__ = ()
    family = _socket.socket.family  # type: ignore[assignment]
    type = _socket.socket.type  # type: ignore[assignment]


class InClear(Protocol):
    """Takes what a peer sends in clear to a port for TLS."""

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; return True if nothing more need be read."""

    def end(self) -> None:
        """Handle the bytes. Called once, when all were read."""


class Acceptor:
    """Accepts connections of one listening socket; with a TLS context, each must make its handshake."""

    def __init__(
        self,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        services: SessionServices,
        make_connection: Callable[[tuple[str, int], Instant], Accepted],
        in_clear: Callable[[tuple[str, int], Instant], InClear],
        *,
        handshake_s: float = HANDSHAKE_S,
        clear_s: float = CLEAR_S,
        again_s: float = ACCEPT_AGAIN_S,
    ) -> None:
        self._listening = listening
        self.tls = tls
        """TLS context for new connections; open ones keep theirs."""
        self._services = services
        self._make_connection = make_connection
        """Takes the peer's address, which already has its place in the budget, and the instant of the set-up."""
        self._in_clear = in_clear
        """Takes the address and the instant of the set-up of a peer that sends in clear to a port for TLS."""
        self._handshake_s = handshake_s
        self._clear_s = clear_s
        self._again_s = again_s
        self._setting_up: set[Accepted] = set()
        self._again: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept connections."""
        self._again = None
        asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def close(self) -> None:
        """Stop accepting, and drop the connections that are not set up yet."""
        if self._again is not None:
            self._again.cancel()
        if self._listening.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
        for connection in self._setting_up:
            if not connection.is_made:
                connection.abort()

    def _accept(self) -> None:
        loop, listening = asyncio.get_running_loop(), self._listening
        family, kind, proto = listening.family, listening.type, listening.proto
        for _ in range(ACCEPTS_PER_TURN):
            try:
                # The library's own accept() does not return a _Stream.
                descriptor, address = listening._accept()  # type: ignore[attr-defined]  # noqa: SLF001
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue  # the peer hung up before it was accepted
            except OSError as error:
                log.error("accept.failed", why=error.strerror or str(error))  # noqa: TRY400 - a fault of the machine
                loop.remove_reader(self._listening)
                self._again = loop.call_later(self._again_s, self.start)
                return
            stream = _Stream(family, kind, proto, descriptor)
            stream.settimeout(0)  # asyncio needs it non-blocking
            self._admit(stream, address[:2])

    def _admit(self, stream: socket.socket, address: tuple[str, int]) -> None:
        services, host, loop = self._services, address[0], asyncio.get_running_loop()
        refusal = services.budget.connect(host)
        if refusal is not None:
            services.counters.connections_refused[refusal] += 1
            stream.close()
            return
        connection = self._make_connection(address, services.clock.now())
        set_up: Coroutine[None, None, object] = (
            self._set_up_tls(self.tls, stream, address, connection)
            if self.tls
            else loop.connect_accepted_socket(lambda: connection, stream)
        )
        connection.setting_up = task = loop.create_task(set_up)
        self._setting_up.add(connection)
        task.add_done_callback(partial(self._over, stream, connection))
        services.budget.hold(connection)

    def _over(self, stream: socket.socket, connection: Accepted, task: asyncio.Task[object]) -> None:
        # This is also called for a task that was cancelled before its first step.
        self._setting_up.discard(connection)
        connection.setting_up = None
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, OSError):  # ssl.SSLError and TimeoutError are among them
                self._services.counters.connections_refused[Refusal.TLS] += 1
            else:
                log.error("connection.failed", peer=connection.host, exc_info=error)
        if not connection.is_made:
            self._services.budget.prove(connection)
            self._services.budget.disconnect(connection.host)
            stream.close()

    async def _set_up_tls(
        self, tls: ssl.SSLContext, stream: socket.socket, address: tuple[str, int], connection: Accepted
    ) -> None:
        if await _speaks_in_clear(stream, self._handshake_s):
            await _overhear(stream, self._in_clear(address, connection.established), self._clear_s)
            self._services.counters.connections_refused[Refusal.TLS] += 1
            return
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: connection, stream, ssl=tls, ssl_handshake_timeout=self._handshake_s
        )


async def _speaks_in_clear(stream: socket.socket, within_s: float) -> bool:
    """Return False if a peer begins a handshake. Raises OSError if the peer sends nothing in time."""
    loop = asyncio.get_running_loop()
    spoke = asyncio.Event()
    loop.add_reader(stream, spoke.set)
    try:
        async with asyncio.timeout(within_s):
            await spoke.wait()
    finally:
        loop.remove_reader(stream)
    first = stream.recv(1, socket.MSG_PEEK)
    if not first:
        raise ConnectionAbortedError
    return first[0] != _HANDSHAKE


async def _overhear(stream: socket.socket, heard: InClear, within_s: float) -> None:
    """Read what a peer sends in clear, until ``heard`` has enough, the peer ends, or its time is over."""
    loop, left = asyncio.get_running_loop(), CLEAR_MAX
    try:
        async with asyncio.timeout(within_s):
            while left and (data := await loop.sock_recv(stream, left)) and not heard.feed(data):
                left -= len(data)
    finally:
        heard.end()  # also after a reset, or when the peer is dropped to make room
