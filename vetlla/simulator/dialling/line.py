"""The wire between a home and the receiver: a stream or datagrams out, whole replies in."""

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
from typing import TYPE_CHECKING, Protocol, cast

from vetlla.domain.errors import LinkError, UsageError
from vetlla.domain.plainfile import open_file
from vetlla.simulator.scenario import Transport

if TYPE_CHECKING:
    from vetlla.simulator.dialects.dialect import Cut
    from vetlla.simulator.scenario import Scenario

HUNG_UP = "the receiver hung up"
MAX_PENDING = 4096
"""No answer of any protocol is longer: whatever grows beyond it is handed on as it is, to be judged malformed."""
LOOK_S = 0.001
"""Between two looks at what the receiver's machine has not taken yet: what a timer can do."""


class Inbox:
    """Replies of one line, in order, for one reader."""

    def __init__(self) -> None:
        self._replies: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False

    def put(self, reply: bytes) -> None:
        """Add a reply."""
        self._replies.append(reply)
        self._wake()

    def end(self) -> None:
        """Say that nothing more can come."""
        self._ended = True
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether the line is gone."""
        return self._ended

    async def get(self, until: float) -> bytes | None:
        """Return the next reply, or None once ``time.monotonic()`` passes ``until``. LinkError: the line is gone."""
        if not self._replies and not self._ended:
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            # asyncio.timeout would do the same for three times the price, once per frame.
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
    """What a home needs of a line."""

    inbox: Inbox

    def send(self, data: bytes) -> None:
        """Put bytes on the wire. LinkError: it is gone."""
        ...

    async def is_taken(self, until: float) -> bool:
        """Wait until the receiver's machine has every byte; False: not by then. LinkError: the line is gone."""
        ...

    def hang_up(self) -> None:
        """Close in order: what was sent still arrives."""
        ...

    def break_off(self) -> None:
        """Close at once, as when the network fails: what was not sent yet never leaves."""
        ...


class StreamLine(asyncio.Protocol):
    """One TCP or TLS connection; cuts what comes back into replies."""

    def __init__(self, cut: Cut) -> None:
        self.inbox = Inbox()
        self._cut = cut
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but ancestry

    def data_received(self, data: bytes) -> None:
        """Cut what came into replies."""
        replies, pending = self._cut(self._pending + data)
        for reply in replies:
            self.inbox.put(reply)
        if len(pending) > MAX_PENDING:
            self.inbox.put(pending)
            pending = b""
        self._pending = pending

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell the reader."""
        self.inbox.end()

    def send(self, data: bytes) -> None:
        """Put bytes on the wire. LinkError: the receiver hung up."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise LinkError(HUNG_UP)
        self._transport.write(data)

    async def is_taken(self, until: float) -> bool:
        """Wait for the other machine's TCP to acknowledge all."""
        assert self._transport is not None
        while not self.inbox.ended:
            if not self._transport.get_write_buffer_size() and not self._unacknowledged():
                return True
            if time.monotonic() > until:
                return False
            await asyncio.sleep(LOOK_S)
        raise LinkError(HUNG_UP)

    def _unacknowledged(self) -> int:
        """Return the bytes in the kernel that the other side has not acknowledged (Linux, ``SIOCOUTQ``)."""
        assert self._transport is not None
        descriptor = self._transport.get_extra_info("socket").fileno()
        return 0 if descriptor < 0 else int.from_bytes(ioctl(descriptor, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def hang_up(self) -> None:
        """Close in order: what was sent still arrives."""
        assert self._transport is not None
        self._transport.close()

    def break_off(self) -> None:
        """Close at once."""
        assert self._transport is not None
        self._transport.abort()
        self.inbox.end()


class DatagramLine(asyncio.DatagramProtocol):
    """One UDP socket: a datagram is a frame, both ways."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        """Take a reply."""
        self.inbox.put(data)

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002 - asyncio's signature
        """Nobody listens at that port just now: the frame is lost, as any datagram may be."""
        self.inbox.end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell the reader."""
        self.inbox.end()

    def send(self, data: bytes) -> None:
        """Put one datagram on the wire. LinkError: the socket is closed."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise LinkError(HUNG_UP)
        self._transport.sendto(data)

    async def is_taken(self, until: float) -> bool:  # noqa: ARG002 - the contract's
        """Nobody can know: a datagram that nothing answers counts as told when it left."""
        if self.inbox.ended:
            raise LinkError(HUNG_UP)
        return True

    def hang_up(self) -> None:
        """Close the socket."""
        assert self._transport is not None
        self._transport.close()

    def break_off(self) -> None:
        """Close the socket."""
        self.hang_up()
        self.inbox.end()


async def dial(scenario: Scenario, transport: Transport) -> Line:
    """Open a line to the scenario's receiver. LinkError: it does not answer within the scenario's time-out."""
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
    except OSError as error:  # TimeoutError and ssl.SSLError are kinds of it
        raise LinkError(f"no receiver at {scenario.host}:{scenario.port} ({transport})") from error


@lru_cache
def trust(certificate: str | None) -> ssl.SSLContext:
    """Return what a TLS line demands: this certificate (a PEM file), or none. UsageError if it cannot be read."""
    try:
        if certificate is not None:
            open_file(Path(certificate)).close()  # ssl itself would wait for the writer of a pipe
        context = ssl.create_default_context(cafile=certificate)
    except OSError as error:  # ssl.SSLError is a kind of it
        raise UsageError(
            f"{certificate}: {error.strerror or error}", remedy="name a certificate in a PEM file"
        ) from error
    context.check_hostname = False  # receivers are dialled by address
    if certificate is None:
        context.verify_mode = ssl.CERT_NONE
    return context
