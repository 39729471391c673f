"""A TCP connection to a line receiver as a wire: newer receivers listen on an automation port, and we connect to it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, cast

from vetlla.domain.errors import LinkError

if TYPE_CHECKING:
    from vetlla.links.wire.contract import WireUser

CONNECT_S: Final = 10.0
"""Time that a connection has to be set up. A receiver in the same network needs milliseconds."""
UNSENT_MAX: Final = 65_536
"""Bytes that may wait until the peer takes them. An answer has 1 to 5 bytes, so a peer with more of them is stuck."""


async def connect_tcp(host: str, port: int, user: WireUser, *, connect_s: float = CONNECT_S) -> TcpWire:
    """Connect to a peer for a user. Raises LinkError."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(connect_s):
            _, wire = await loop.create_connection(lambda: TcpWire(address, user), host, port)
    except TimeoutError as error:
        raise LinkError(f"{address} does not answer", remedy="see whether it is switched on and reachable") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise LinkError(
            f"{address} cannot be reached: {why}", remedy="compare address and port with the receiver's settings"
        ) from error
    return wire


class TcpWire(asyncio.Protocol):
    """A TCP connection that is open."""

    _transport: asyncio.Transport

    def __init__(self, address: str, user: WireUser) -> None:
        """Take the user, who is told when the connection is set up."""
        self.address = address
        self._user = user
        self._is_open = False
        self._is_over = False

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if not self._is_open or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNSENT_MAX:
            self._end("it does not read its answers")
            self._transport.abort()

    def close(self) -> None:
        """Send what was written, and close the connection."""
        self._end("")
        self._transport.close()

    # --- called by asyncio ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        # The kernel finds a peer that vanished, even when nothing is sent for hours.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._is_open = True
        self._user.opened(self)

    def data_received(self, data: bytes) -> None:
        """Give bytes to the user."""
        if self._is_open:
            self._user.received(data)

    def eof_received(self) -> bool:
        """Close our side, too."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the user."""
        why = (error.strerror if isinstance(error, OSError) else "") or (str(error) if error else "")
        self._end(why or "the peer closed the connection")

    def _end(self, why: str) -> None:
        self._is_open = False
        if not self._is_over:
            self._is_over = True
            self._user.closed(why)
