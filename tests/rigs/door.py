"""A listening receiver, and terminals that dial it over real connections."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.rigs.core import Core, core, small, until
from vetlla.domain.signals import AccountId, Key
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.receiver.listeners.bind import bind
from vetlla.receiver.listeners.tcp import TcpBounds, TcpListener
from vetlla.receiver.listeners.tls import server_context
from vetlla.receiver.listeners.udp import UdpListener
from vetlla.receiver.session import SessionServices
from vetlla.settings.listen import Listen, Tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from vetlla.domain.accounts import Account
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.receiver.counters import Refusal


def frame(number: int = 1, account: str = "1234") -> bytes:
    who = AccountId("", "0", account)
    data = f"#{account}|1101 00 001".encode()
    return dc09_frame.build("ADM-CID", f"{number:04}", who, data, timestamp=None, key=None)


def ack(number: int = 1, account: str = "1234") -> bytes:
    return dc09_frame.envelope(f'"ACK"{number:04}L0#{account}[]'.encode(), binary_crc=False)


def keyless(_: AccountId) -> Sequence[Key]:
    return ()


class Door:
    """A listening receiver."""

    def __init__(self, rig: Core, listen: Listen, keys: KeyLookup, bounds: TcpBounds) -> None:
        self.core = rig
        self.bound = bind(listen)
        services = SessionServices(rig.intake, rig.budget, rig.counters, rig.clock)
        context = server_context(listen.tls) if listen.tls else None
        self.tcp = TcpListener(listen, services, lambda: Dc09Decoder(keys), self.bound["tcp"], context, bounds=bounds)
        udp = self.bound.get("udp")
        self.udp = UdpListener(listen, services, lambda: Dc09Decoder(keys), udp) if udp else None
        self.terminals: list[Terminal] = []

    def refused(self, why: Refusal) -> int:
        """Return the number of connections that were refused or closed for a reason."""
        return self.core.counters.connections_refused[why]

    async def dial(self, **options: Any) -> Terminal:  # noqa: ANN401 - those of open_connection
        """Return a connected terminal, which is dropped at the end."""
        where = () if "sock" in options else ("127.0.0.1", self.tcp.port)
        terminal = Terminal(*await asyncio.open_connection(*where, **options))
        self.terminals.append(terminal)
        return terminal


class Terminal:
    """A terminal at the other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes at once."""
        self.writer.write(data)

    async def hear(self, data: bytes) -> None:
        """Expect exactly these bytes next."""
        assert await self.reader.readexactly(len(data)) == data

    async def ended(self) -> bytes:
        """Return the bytes that come until the receiver closes or resets the connection."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def hang_up(self) -> None:
        """Drop the connection with a reset, as after a power cut of the terminal."""
        if not self.writer.transport.is_closing():
            wire: socket.socket = self.writer.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def torn_off(opened: Door) -> list[bytes]:
    """Return the kept bytes of incomplete frames."""
    return [bytes(row["raw"]) for row in opened.core.read("SELECT raw FROM rejects WHERE reason = 'truncated'")]


@asynccontextmanager
async def door(
    directory: Path,
    *,
    tls: Tls | None = None,
    accounts: Sequence[Account] = (),
    keys: KeyLookup = keyless,
    bounds: TcpBounds = TcpBounds(),
    **sections: dict[str, Any],
) -> AsyncIterator[Door]:
    listen = Listen(protocol="dc09", host="127.0.0.1", port=0, tls=tls)
    async with core(directory, settings=small(directory, **sections), accounts=accounts) as rig:
        opened = Door(rig, listen, keys, bounds)
        await opened.tcp.start()
        if opened.udp:
            await opened.udp.start()
        try:
            yield opened
        finally:
            rig.journal.gate.set()
            for terminal in opened.terminals:
                terminal.hang_up()
            opened.tcp.stop()
            opened.tcp.abort()
            if opened.udp:
                opened.udp.stop()
                opened.udp.abort()
            await until(lambda: rig.counters.connections_open == 0)


def dialled_udp(opened: Door) -> socket.socket:
    """Return a datagram socket that receives only from the receiver's address."""
    dialled = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dialled.settimeout(0)
    assert opened.udp
    dialled.connect(("127.0.0.1", opened.udp.port))
    return dialled


def received(dialled: socket.socket) -> bytes:
    """Return the next datagram, or b"" if none is there."""
    try:
        return dialled.recv(2048)
    except BlockingIOError:
        return b""
