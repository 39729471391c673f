"""The line between a home and the receiver: it sends a stream or datagrams, and returns complete replies."""

from __future__ import annotations

import asyncio
import ssl
import sys
import termios
import time
from collections import deque
from fcntl import ioctl
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from vetlla.domain.errors import LinkError, UsageError
from vetlla.domain.plainfile import open_file
from vetlla.simulator.scenario import Transport

if TYPE_CHECKING:
    from vetlla.simulator.dialects.dialect import Cut
    from vetlla.simulator.scenario import Scenario

T = TypeVar("T", asyncio.Transport, asyncio.DatagramTransport)

HUNG_UP = "the receiver hung up"
MAX_PENDING = 4096
"""No answer of any protocol is longer. More bytes without an end are passed on as they are, and count as malformed."""
LOOK_S = 0.001
"""Pause between two checks whether the receiver's machine took all bytes. A timer cannot do less."""


class Inbox:
    """The replies of one line, in order, for one reader."""

    def __init__(self) -> None:
        self._replies: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False

    def put(self, reply: bytes) -> None:
        """Add a reply."""
        self._replies.append(reply)
        self._wake()

    def end(self) -> None:
        """Record that no further reply can come."""
        self._ended = True
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether the line is gone."""
        return self._ended

    async def get(self, until: float) -> bytes | None:
        """Return the next reply, or None once ``time.monotonic()`` passes ``until``. LinkError without a line."""
        if not self._replies and not self._ended:
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            # asyncio.timeout would do the same at three times the cost, for every frame.
            timer = loop.call_later(max(0.0, until - time.monotonic()), self._wake)
            try:
                await waiter
            finally:
                timer.cancel()
                self._waiter = None
        if self._replies:
            return self._replies.popleft()
        if self._ended:
            raise LinkError(HUNG_UP)
        return None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Line(Protocol):
    """The methods of a line that a home needs."""

    inbox: Inbox

    def send(self, data: bytes) -> None:
        """Send bytes. Raises LinkError if the line is gone."""
        ...

    async def is_taken(self, until: float) -> bool:
        """Return True once the receiver's machine has every byte, or False at ``until``. LinkError without a line."""
        ...

    def hang_up(self) -> None:
        """Close the line normally, so that bytes already sent still arrive."""
        ...

    def break_off(self) -> None:
        """Close at once, as when the network fails. Bytes that were not sent yet are dropped."""
        ...


class _Connected(asyncio.BaseProtocol, Generic[T]):
    """What lines of both kinds do with their transport."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self._transport: T | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the line's transport."""
        self._transport = cast("T", transport)  # uvloop's has the same interface but is not a subclass

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End the inbox, so that its reader gets an error."""
        self.inbox.end()

    def open_transport(self) -> T:
        """Return the transport, to send. Raises LinkError if the line is closed."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise LinkError(HUNG_UP)
        return self._transport

    def hang_up(self) -> None:
        """Close the line normally, so that bytes already sent still arrive."""
        assert self._transport is not None
        self._transport.close()


class StreamLine(_Connected[asyncio.Transport], asyncio.Protocol):
    """One TCP or TLS connection. It cuts the received bytes into replies."""

    def __init__(self, cut: Cut) -> None:
        super().__init__()
        self._cut = cut
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        """Cut the received bytes into replies."""
        replies, pending = self._cut(self._pending + data)
        for reply in replies:
            self.inbox.put(reply)
        if len(pending) > MAX_PENDING:
            self.inbox.put(pending)
            pending = b""
        self._pending = pending

    def send(self, data: bytes) -> None:
        """Send bytes. Raises LinkError if the receiver hung up."""
        self.open_transport().write(data)

    async def is_taken(self, until: float) -> bool:
        """Return True once the other machine's TCP acknowledged every byte, or False at ``until``."""
        assert self._transport is not None
        while not self.inbox.ended:
            if not self._transport.get_write_buffer_size() and not self._unacknowledged():
                return True
            if time.monotonic() > until:
                return False
            await asyncio.sleep(LOOK_S)
        raise LinkError(HUNG_UP)

    def _unacknowledged(self) -> int:
        """Return the number of bytes in the kernel that the peer has not acknowledged (Linux, ``SIOCOUTQ``)."""
        assert self._transport is not None
        descriptor = self._transport.get_extra_info("socket").fileno()
        return 0 if descriptor < 0 else int.from_bytes(ioctl(descriptor, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def break_off(self) -> None:
        """Close at once."""
        assert self._transport is not None
        self._transport.abort()
        self.inbox.end()


class DatagramLine(_Connected[asyncio.DatagramTransport], asyncio.DatagramProtocol):
    """One UDP socket. A datagram is one frame, in both directions."""

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        """Add a reply."""
        self.inbox.put(data)

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002 - asyncio's signature
        """End the inbox, because nothing listens at that port now and the frame is lost."""
        self.inbox.end()

    def send(self, data: bytes) -> None:
        """Send one datagram. Raises LinkError if the socket is closed."""
        self.open_transport().sendto(data)

    async def is_taken(self, until: float) -> bool:  # noqa: ARG002 - the contract's
        """Return True: a datagram without an answer counts as sent when it left, because UDP shows nothing else."""
        if self.inbox.ended:
            raise LinkError(HUNG_UP)
        return True

    def break_off(self) -> None:
        """Close the socket."""
        self.hang_up()
        self.inbox.end()


async def dial(scenario: Scenario, transport: Transport) -> Line:
    """Open a line to the scenario's receiver. Raises LinkError if it does not answer within the time-out."""
    loop = asyncio.get_running_loop()
    secured = trust(scenario.trusted) if transport is Transport.TLS else None
    try:
        async with asyncio.timeout(scenario.timeout_s):
            if transport is Transport.UDP:
                return (await loop.create_datagram_endpoint(DatagramLine, remote_addr=(scenario.host, scenario.port)))[
                    1
                ]
            made = await loop.create_connection(
                lambda: StreamLine(scenario.dialect.cut), scenario.host, scenario.port, ssl=secured
            )
            return made[1]
    except OSError as error:  # TimeoutError and ssl.SSLError are subclasses
        raise LinkError(f"no receiver at {scenario.host}:{scenario.port} ({transport})") from error


@lru_cache
def trust(certificate: str | None) -> ssl.SSLContext:
    """Return a TLS context that demands this certificate (a PEM file), or accepts any. UsageError if unreadable."""
    try:
        if certificate is not None:
            open_file(Path(certificate)).close()  # ssl itself would wait for the writer of a pipe
        context = ssl.create_default_context(cafile=certificate)
    except OSError as error:  # ssl.SSLError is a subclass
        raise UsageError(
            f"{certificate}: {error.strerror or error}", remedy="name a certificate in a PEM file"
        ) from error
    context.check_hostname = False  # homes dial receivers by address
    if certificate is None:
        context.verify_mode = ssl.CERT_NONE
    return context
