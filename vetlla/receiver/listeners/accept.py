"""Accepting connections: many in one turn of the loop, and within the budgets before anything is spent on them.

asyncio's own servers accept one connection a turn (libuv) or make the TLS handshake before they show whom with. After
an outage a district dials in at once, while those who are connected already keep each turn long: measured with 450
connections that send without pause, the last newcomer was accepted after 2.8 s.
"""

from __future__ import annotations

import asyncio
import socket
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from vetlla.receiver.counters import Refusal
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from vetlla.domain.clock import Instant
    from vetlla.receiver.budget import Budget
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
CLEAR_S = 1.0
"""Time a peer that speaks in clear has for its report after its first byte: a modem may send it in several segments."""
ACCEPT_AGAIN_S = 1.0
"""Pause after the machine could not accept a connection: it has no descriptors left, most likely."""


class Accepted(asyncio.Protocol):
    """The protocol of a connection. It calls ``made`` in ``connection_made``: its place is its own from then on."""

    @abstractmethod
    def abort(self) -> None:
        """Drop the connection."""


class InClear(Protocol):
    """What a peer says in clear at a port for TLS."""

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; return True if nothing more need be read."""

    def end(self) -> None:
        """Do what is to be done with it. Called once, when all was read."""


class _Handshake:
    """A connection that is being set up. It holds the place in the budget until the connection itself does."""

    def __init__(self, budget: Budget, host: str, established: Instant) -> None:
        self.host = host
        self.established = established
        self.is_made = False
        """The connection stands, and gives its place back when it ends."""
        self.is_held = False
        """It is among those that may have to make room: its handshake takes time."""
        self._budget = budget
        self._task: asyncio.Task[None] | None = None

    def begin(self, task: asyncio.Task[None]) -> None:
        """Take what sets the connection up."""
        self._task = task

    def made(self) -> None:
        """Leave the place to the connection, which calls this when it stands."""
        self.is_made = True
        if self.is_held:
            self._budget.prove(self)

    def abort(self) -> None:
        """Drop the connection."""
        if self._task is not None:
            self._task.cancel()


class Acceptor:
    """Accepts connections of one listening socket; with a TLS context, lets each make its handshake."""

    def __init__(
        self,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        ground: Ground,
        make_protocol: Callable[[tuple[str, int], Instant, Callable[[], None]], Accepted],
        in_clear: Callable[[tuple[str, int], Instant], InClear],
    ) -> None:
        self._listening = listening
        self.tls = tls
        """For connections that are set up from now on; those that stand keep theirs."""
        self._ground = ground
        self._make_protocol = make_protocol
        """From the peer's address, whose budget is taken already, the instant of the set-up, and what the protocol
        calls when it takes that place over."""
        self._in_clear = in_clear
        """From the address and the set-up of a peer that speaks in clear where TLS is spoken."""
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
        handshake = _Handshake(self._ground.budget, host, self._ground.clock.now())
        task = asyncio.get_running_loop().create_task(self._set_up(connection, address, handshake))
        handshake.begin(task)
        self._tasks.add(task)
        task.add_done_callback(partial(self._over, connection, handshake))
        if self.tls:
            handshake.is_held = True
            self._ground.budget.hold(handshake)

    def _over(self, connection: socket.socket, handshake: _Handshake, task: asyncio.Task[None]) -> None:
        # Called of a task, too, that was cancelled before its first step.
        self._tasks.discard(task)
        if not handshake.is_made:
            self._ground.budget.prove(handshake)
            self._ground.budget.disconnect(handshake.host)
            connection.close()

    async def _set_up(self, connection: socket.socket, address: tuple[str, int], handshake: _Handshake) -> None:
        protocol = None
        try:
            if self.tls and await _speaks_in_clear(connection):
                await _overhear(connection, self._in_clear(address, handshake.established))
                self._ground.counters.connections_refused[Refusal.TLS] += 1
                return
            protocol = self._make_protocol(address, handshake.established, handshake.made)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol, connection, ssl=self.tls, ssl_handshake_timeout=HANDSHAKE_S if self.tls else None
            )
        except (OSError, asyncio.CancelledError) as error:  # ssl.SSLError and TimeoutError are among them
            # It may have been dropped in the very turn in which it was made: its end gives the place back.
            if protocol is not None and handshake.is_made:
                protocol.abort()
            if isinstance(error, asyncio.CancelledError):
                raise
            self._ground.counters.connections_refused[Refusal.TLS] += 1
        except Exception:
            # The mistake may be a third party's. Others are served.
            log.exception("connection.failed", peer=spelled(*address))


async def _speaks_in_clear(connection: socket.socket) -> bool:
    """Return False if a peer begins a handshake. Raises OSError when it says nothing in time."""
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
    return first[0] != _HANDSHAKE


async def _overhear(connection: socket.socket, heard: InClear) -> None:
    """Read what a peer says in clear, until that is enough, the peer has said all, or its time is over."""
    loop, left = asyncio.get_running_loop(), CLEAR_MAX
    try:
        async with asyncio.timeout(CLEAR_S):
            while left and (data := await loop.sock_recv(connection, left)) and not heard.feed(data):
                left -= len(data)
    finally:
        heard.end()  # of a peer that resets the connection, or has to make room, what came until then
