"""How a line is reached: a serial port, a TCP connection that this side opens, or one that the peer opens."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vetlla.links.wire.accepting import Accepting
from vetlla.links.wire.keeping import KeptOpen
from vetlla.links.wire.serial_port import SerialPort, open_serial
from vetlla.links.wire.tcp import connect_tcp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from vetlla.domain.errors import LinkError
    from vetlla.links.wire.contract import Opener, WireUser


class Connect(NamedTuple):
    """The peer listens, and this side connects to it."""

    host: str
    port: int


class Accept(NamedTuple):
    """This side listens, and the peer connects to it. Port 0 lets the kernel choose one."""

    host: str
    port: int


Way: TypeAlias = SerialPort | Connect | Accept


def opener(way: SerialPort | Connect) -> Opener:
    """Return what opens a wire that this side opens."""
    return partial(open_serial, way) if isinstance(way, SerialPort) else partial(connect_tcp, *way)


@asynccontextmanager
async def kept_open(way: Way, user: WireUser, failed: Callable[[LinkError], None]) -> AsyncIterator[tuple[str, int]]:
    """Keep a line open for a user while the context lasts; give host and port, or the device and 0.

    ``failed`` is called after each attempt that failed. Raises LinkError if a port to accept on cannot be used.
    """
    if isinstance(way, Accept):
        accepting = Accepting(*way, user)
        await accepting.start()
        try:
            yield accepting.address
        finally:
            await accepting.stop()
        return
    kept = KeptOpen(opener(way), user, failed)
    kept.start()
    try:
        yield (way.device, 0) if isinstance(way, SerialPort) else way
    finally:
        await kept.stop()
