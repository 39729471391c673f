"""Accepting connections: many in one turn of the loop, and within the budgets before anything is spent on them.

asyncio's own servers accept one connection a turn (libuv) or make the TLS handshake before they show whom with. After
an outage a district dials in at once, while those who are connected already keep each turn long: measured with 450
connections that send without pause, the last newcomer was accepted after 2.8 s.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import structlog

from vetlla.receiver.counters import Refusal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from vetlla.clock import Instant
    from vetlla.receiver.session import Ground

log = structlog.get_logger()

ACCEPTS_PER_TURN = 256
"""Connections taken in one turn of the loop: some 25 ms of work, and then those who are connected have theirs."""
HANDSHAKE_S = 10.0
"""Time a peer has to say its first byte, and then for its TLS handshake."""
_HANDSHAKE = 0x16
"""First byte of the TLS record that begins a handshake (RFC 8446, 5.1); no frame in clear begins so."""
CLEAR_MAX = 4_096
"""Bytes in clear that are looked at."""
ACCEPT_AGAIN_S = 1.0
"""Pause after the machine could not accept a connection: it has no descriptors left, most likely."""


class _Handshake:
    """A connection that is being set up."""

    def __init__(self, host: str, established: Instant, task: asyncio.Task[None]) -> None:
        self.host = host
        self.established = established
        self._task = task

    def abort(self) -> None:
        """Drop the connection."""
        self._task.cancel()


class Acceptor:
    """Accepts connections of one listening socket; with a TLS context, lets each make its handshake."""

    def __init__(
        self,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        ground: Ground,
        make_protocol: Callable[[str, Instant], asyncio.Protocol],
        in_clear: Callable[[tuple[str, int], Instant, bytes], None],
    ) -> None:
        self._listening = listening
        self.tls = tls
        """For connections that are set up from now on; those that stand keep theirs."""
        self._ground = ground
        self._make_protocol = make_protocol
        """From the peer's host, whose budget is taken already, and the instant at which the connection was set up."""
        self._in_clear = in_clear
        """Told of a peer that speaks in clear where TLS is spoken: address, set-up, and what it said."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept connections."""
        self._again = None
        asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def close(self) -> None:
        """Accept no more, and drop whoever is not set up yet."""
        if self._again is not None:
            self._again.cancel()
        if self._listening.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
        for task in self._tasks:
            task.cancel()

    def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(ACCEPTS_PER_TURN):
            try:
                connection, address = self._listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue  # hung up before it was its turn
            except OSError as error:
                log.error("accept.failed", why=error.strerror or str(error))  # noqa: TRY400 - the machine's trouble
                loop.remove_reader(self._listening)
                self._again = loop.call_later(ACCEPT_AGAIN_S, self.start)
                return
            connection.settimeout(0)  # asyncio wants it non-blocking
            self._admit(connection, address[:2])

    def _admit(self, connection: socket.socket, address: tuple[str, int]) -> None:
        host = address[0]
        refusal = self._ground.budget.connect(host)
        if refusal is not None:
            self._ground.counters.connections_refused[refusal] += 1
            connection.close()
            return
        established = self._ground.clock.now()
        task = asyncio.get_running_loop().create_task(self._set_up(connection, address, established))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.tls:  # a handshake takes time
            handshake, budget = _Handshake(host, established, task), self._ground.budget
            budget.hold(handshake)
            task.add_done_callback(lambda _: budget.prove(handshake))

    async def _set_up(self, connection: socket.socket, address: tuple[str, int], established: Instant) -> None:
        ground, loop = self._ground, asyncio.get_running_loop()
        host = address[0]
        handshake_s = HANDSHAKE_S if self.tls else None
        try:
            if self.tls and (said := await _said_in_clear(connection)):
                self._in_clear(address, established, said)
                raise ConnectionRefusedError
            protocol = self._make_protocol(host, established)
            await loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self.tls, ssl_handshake_timeout=handshake_s
            )
        except OSError:  # ssl.SSLError, ConnectionError and TimeoutError are among them
            ground.counters.connections_refused[Refusal.TLS] += 1
            ground.budget.disconnect(host)
            connection.close()
        except asyncio.CancelledError:
            ground.budget.disconnect(host)
            connection.close()
            raise


async def _said_in_clear(connection: socket.socket) -> bytes:
    """Return what a peer says in clear; b"" when it begins a handshake. Raises OSError when it says nothing in time."""
    loop = asyncio.get_running_loop()
    spoke = asyncio.Event()
    loop.add_reader(connection, spoke.set)
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            await spoke.wait()
    finally:
        loop.remove_reader(connection)
    first = connection.recv(1, socket.MSG_PEEK)
    if not first:
        raise ConnectionAbortedError
    return b"" if first[0] == _HANDSHAKE else connection.recv(CLEAR_MAX)
