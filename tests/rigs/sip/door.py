"""A receiver's door for SIP with the real core, and terminals that dial it over real sockets."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.rigs.core import PATIENCE_S, Core, core, small, until
from tests.rigs.sip.messages import request_bytes
from vetlla.domain.accounts import Account
from vetlla.domain.signals import VerdictOutcome
from vetlla.protocols.scaip.decoder import ScaipDecoder
from vetlla.protocols.sip.answering import respond
from vetlla.protocols.sip.message import Request, Response
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.stream import StreamCutter
from vetlla.protocols.sip.via import Source
from vetlla.receiver.listeners.bind import bind
from vetlla.receiver.listeners.sip.dialogue import StreamDialogue
from vetlla.receiver.listeners.sip.listeners import SipConnection, SipUdpListener
from vetlla.receiver.listeners.sip.server import SipServer
from vetlla.receiver.listeners.sip.told import Answers
from vetlla.receiver.listeners.tcp import TcpListener
from vetlla.receiver.listeners.tls import server_context
from vetlla.receiver.session import SessionServices
from vetlla.settings.sip import Sip

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vetlla.protocols.sip.stream import StreamPiece
    from vetlla.settings.listen import Tls

ACCOUNT = "26317"
HOME = (Account(account=ACCOUNT),)


def report(ref: str = "1", *, cid: str = ACCOUNT, rest: str = "") -> bytes:
    """Return the body of an alarm."""
    return f"<mrq><ref>{ref}</ref><cid>{cid}</cid><dty>0003</dty><stc>0010</stc>{rest}</mrq>".encode()


class SipTerminal:
    """A terminal over UDP or a connection. Each request has a call id and branch of its own, unless one is given."""

    def __init__(self, way: str, reader: asyncio.StreamReader | None, writer: asyncio.StreamWriter | None) -> None:
        self.way = way
        self._reader = reader
        self._writer = writer
        self._cutter = StreamCutter()
        self._pieces: list[StreamPiece] = []
        self._made = 0
        self.socket: socket.socket | None = None

    def request(self, body: bytes = b"", method: str = "MESSAGE", **values: Any) -> bytes:  # noqa: ANN401 - those of a request
        """Return a new request."""
        self._made += 1
        return request_bytes(
            method,
            **{
                "via": f"SIP/2.0/{self.way} 198.51.100.7:5060;branch=z9hG4bK{id(self):x}{self._made};rport",
                "call_id": f"{id(self):x}-{self._made}",
                "body": body,
                **values,
            },
        )

    def send(self, data: bytes) -> None:
        """Send bytes."""
        if self.socket is not None:
            self.socket.send(data)
        else:
            assert self._writer is not None
            self._writer.write(data)

    async def next(self) -> Any:  # noqa: ANN401 - a request or a response
        """Return the next message that comes."""
        async with asyncio.timeout(PATIENCE_S):
            if self.socket is not None:
                return read_datagram(await asyncio.get_running_loop().sock_recv(self.socket, 65_536))
            assert self._reader is not None
            while not self._pieces:
                data = await self._reader.read(65_536)
                assert data, "the receiver has closed the connection"
                self._pieces += self._cutter.feed(data)
            return self._pieces.pop(0)

    async def response(self) -> Response:
        """Return the next message, which must be a response."""
        message = await self.next()
        assert isinstance(message, Response), message
        return message

    async def answer(self, *, status: int = 200) -> Request:
        """Return the next message, which must be a MESSAGE, and confirm it."""
        message = await self.next()
        assert isinstance(message, Request), message
        if status:
            self.send(respond(message, status, tag="t1", source=Source("127.0.0.1", 5060)))
        return message

    async def ended(self) -> bool:
        """Wait until the receiver closes the connection."""
        assert self._reader is not None
        async with asyncio.timeout(PATIENCE_S):
            while await self._reader.read(65_536):
                pass
        return True

    def hang_up(self) -> None:
        """End the connection, or close the socket."""
        if self.socket is not None:
            self.socket.close()
        elif self._writer is not None:
            self._writer.transport.abort()


class SipDoor:
    """A listening door."""

    def __init__(self, rig: Core, sip: Sip, whole_us: int | None) -> None:
        self.core = rig
        services = SessionServices(rig.intake, rig.budget, rig.counters, rig.clock)
        self.server = SipServer(sip, services, ScaipDecoder(lambda _: ()))
        if whole_us is not None:
            self.server.answers = Answers(services, whole_us=whole_us)
        bound = bind(sip)
        self.tcp = TcpListener(
            sip,
            services,
            lambda: StreamDialogue(self.server, Source("", 0), "TLS"),
            bound["tcp"],
            server_context(sip.tls) if sip.tls else None,
            make_connection=partial(SipConnection, self.server),
        )
        self.udp = SipUdpListener(self.server, bound["udp"]) if "udp" in bound else None
        self.terminals: list[SipTerminal] = []

    def stored(self, outcome: VerdictOutcome = VerdictOutcome.STORED) -> int:
        """Return how many reports were stored."""
        return self.core.counters.signals["scaip", outcome]

    async def dial(self, way: str, tls: ssl.SSLContext | None = None) -> SipTerminal:
        """Return a terminal over UDP, TCP or TLS."""
        if way == "UDP":
            terminal = SipTerminal(way, None, None)
            assert self.udp is not None
            terminal.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            terminal.socket.settimeout(0)
            terminal.socket.connect(("127.0.0.1", self.udp.port))
        else:
            terminal = SipTerminal(way, *await asyncio.open_connection("127.0.0.1", self.tcp.port, ssl=tls))
        self.terminals.append(terminal)
        return terminal


@asynccontextmanager
async def sip_door(
    directory: Path,
    *,
    accounts: tuple[Account, ...] = HOME,
    tls: Tls | None = None,
    whole_us: int | None = None,
    limits: dict[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401 - those of the table
) -> AsyncIterator[SipDoor]:
    """Run a door with the real core during the block."""
    sip = Sip(host="127.0.0.1", port=0, tls=tls, **settings)
    async with core(directory, settings=small(directory, limits=limits or {}), accounts=accounts) as rig:
        opened = SipDoor(rig, sip, whole_us)
        await opened.tcp.start()
        if opened.udp is not None:
            await opened.udp.start()
        try:
            yield opened
        finally:
            rig.journal.gate.set()
            for terminal in opened.terminals:
                terminal.hang_up()
            opened.tcp.stop()
            opened.tcp.abort()
            if opened.udp is not None:
                opened.udp.abort()
            opened.server.answers.close()
            await until(lambda: rig.counters.connections_open == 0)
