"""A TCP port that a line receiver dials as a wire: one peer at a time.

A newer connection replaces the older one. A receiver that lost its power leaves a connection without an end, and its
next call must not wait until the kernel finds that out. The port
aborts the older connection, so that its unsent bytes do not hold it open.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import LinkError
from vetlla.links.wire.tcp import TcpWire

if TYPE_CHECKING:
    from vetlla.links.wire.contract import Wire, WireUser

REPLACED: Final = "a newer connection replaced it"
BACKLOG: Final = 8
"""Connections that the kernel keeps until they are accepted. One peer is expected."""


class Accepting:
    """A port that is open until it is stopped."""

    def __init__(self, host: str, port: int, user: WireUser) -> None:
        """Take where to listen; port 0 lets the kernel choose one."""
        self._host, self._port = host, port
        self._user = user
        self._server: asyncio.Server | None = None
        self._accepted: _Accepted | None = None

    @property
    def wire(self) -> Wire | None:
        """The wire while a peer is connected."""
        return self._accepted

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, once started."""
        assert self._server is not None
        host, port, *_ = self._server.sockets[0].getsockname()
        return host, port

    async def start(self) -> None:
        """Listen. Raises LinkError if the port cannot be used."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Accepted(self), self._host, self._port, backlog=BACKLOG, reuse_address=True
            )
        except OSError as error:
            raise LinkError(
                f"cannot listen on {self._host}:{self._port}: {error.strerror or error}",
                remedy="see with `ss -ltnp` whether another program has the port, or choose another one",
            ) from error

    async def stop(self) -> None:
        """Close the port and the connection."""
        if self._server is not None:
            self._server.close()
        if self._accepted is not None:
            self._accepted.close()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    # --- what the connections tell ----------------------------------------------------------------------------------

    def opened(self, wire: _Accepted) -> None:
        """Take a new connection in place of the older one."""
        if self._accepted is not None:
            self._accepted.break_off(REPLACED)
        self._accepted = wire
        self._user.opened(wire)

    def received(self, data: bytes) -> None:
        """Pass on bytes of the connection."""
        self._user.received(data)

    def closed(self, why: str) -> None:
        """Pass on the end of the connection."""
        self._accepted = None
        self._user.closed(why)


class _Accepted(TcpWire):
    """A connection that a peer opened."""

    def __init__(self, port: Accepting) -> None:
        super().__init__("", self)
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        host, number, *_ = transport.get_extra_info("peername") or ("?", 0)
        self.address = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
        super().connection_made(transport)

    def break_off(self, why: str) -> None:
        """Close at once, because the peer may be gone and would never take what waits for it."""
        self._end(why)
        self._transport.abort()

    # --- as a user of itself, it passes on to its port --------------------------------------------------------------

    def opened(self, _: Wire) -> None:
        self._port.opened(self)

    def received(self, data: bytes) -> None:
        self._port.received(data)

    def closed(self, why: str) -> None:
        self._port.closed(why)
