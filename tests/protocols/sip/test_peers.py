"""SIPp and Kamailio, which are not ours, against a small server that is made of our parts alone.

The server takes reports over UDP and TCP, loses some answers on purpose, and answers each report by a MESSAGE of its
own (fact sheet of telecare over IP, 1.1).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING, cast

from tests.rigs.sip.messages import RECEIVER, request_bytes
from tests.rigs.sip.servers import SIPP_OK, call_with_sipp, running_kamailio
from vetlla.protocols.scaip.answer import AnswerStatus, ScaipAnswer, write_answer
from vetlla.protocols.scaip.request import read_requests
from vetlla.protocols.sip.answering import respond, write_request
from vetlla.protocols.sip.checking import objection
from vetlla.protocols.sip.message import Request, Response
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.stream import StreamCutter
from vetlla.protocols.sip.transactions.client import ClientTransaction, response_key
from vetlla.protocols.sip.transactions.server import ServerTransactions, key_of
from vetlla.protocols.sip.via import COOKIE, Source, Via

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.protocols.sip.reading import Piece
    from vetlla.protocols.sip.stream import StreamPiece

CALLS = 30
BODY = "<mrq><ref>[call_number]</ref><cid>26317</cid><dty>0003</dty><stc>0010</stc><crd>gsm:</crd></mrq>"
REPORT = f"""
<send retrans="500"><![CDATA[
MESSAGE sip:arc@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:26317@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:arc@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 MESSAGE
Content-Type: application/scaip+xml
Content-Length: [len]

{BODY}
]]></send>
<recv response="200"/>
<pause milliseconds="300"/>
"""
TAKEN = '<recv request="MESSAGE"/>' + SIPP_OK


class Server(asyncio.DatagramProtocol):
    """A receiver without a store: UDP by itself, TCP by a ``Connection`` each."""

    def __init__(self, *, loses: bool) -> None:
        self.reports: list[str] = []
        """The references of the reports that were taken, each once."""
        self.repeated = 0
        self.asked: dict[tuple[str, str], ClientTransaction] = {}
        """Our answers that were sent, by their transactions."""
        self.told = 0
        """Our answers that the peer took."""
        self.vias: list[int] = []
        self._loses = loses
        self._known = ServerTransactions(is_reliable=False)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        source, transport = Source(*addr), self._transport
        piece = read_datagram(data)
        self.take(piece, source, "UDP", lambda sent: transport.sendto(sent, addr))

    def take(self, piece: Piece | StreamPiece, source: Source, way: str, send: Callable[[bytes], None]) -> None:
        now_us = time.monotonic_ns() // 1_000
        if isinstance(piece, Response):
            key = response_key(piece)
            assert key is not None
            self.told += self.asked[key].take(piece, now_us) and piece.status == 200
            return
        assert isinstance(piece, Request), piece
        assert objection(piece, RECEIVER) is None
        before = self._known.begin(key_of(piece))
        if before is not None:
            self.repeated += 1
            send(before.answer)
            return
        (report,) = read_requests(piece.body)
        self.reports.append(report.ref)
        self.vias.append(len(piece.headers.every("via")))
        answer = respond(piece, 200, tag=f"t{report.ref}", source=source)
        self._known.answered(key_of(piece), answer, now_us)
        if not (self._loses and len(self.reports) % 2):
            send(answer)
        self._tell(report.ref, source, way, send, now_us)

    def _tell(self, ref: str, source: Source, way: str, send: Callable[[bytes], None], now_us: int) -> None:
        via = Via(way, "127.0.0.1", 5060, {"branch": f"{COOKIE}{ref}", "rport": ""})
        uri = f"sip:26317@{source.host}:{source.port};transport={way.lower()}"
        data = write_request(
            "MESSAGE", uri, via=via, sender=f"<sip:arc@127.0.0.1>;tag=a{ref}", receiver="<sip:26317@127.0.0.1>",
            call_id=f"answer-{ref}", sequence=1, headers=(("Content-Type", "application/scaip+xml"),),
            body=write_answer(ScaipAnswer(ref, AnswerStatus.ACCEPTED)),
        )  # fmt: skip
        self.asked[via.branch, "MESSAGE"] = ClientTransaction(
            (via.branch, "MESSAGE"), now_us, is_reliable=way == "TCP"
        )  # fmt: skip
        send(data)


class Connection(asyncio.Protocol):
    """One connection of a server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._cutter = StreamCutter()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        source = Source(*self._transport.get_extra_info("peername"))
        for piece in self._cutter.feed(data):
            self._server.take(piece, source, "TCP", self._transport.write)


async def listening(server: Server) -> tuple[asyncio.DatagramTransport, int]:
    """Let a server listen over UDP; return its port, too."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    return transport, transport.get_extra_info("sockname")[1]


async def test_sipp_over_udp_with_lost_answers(tmp_path: Path) -> None:
    """Each second answer is lost once. Every report is taken once, and every answer of ours is confirmed."""
    server = Server(loses=True)
    transport, port = await listening(server)
    status = await call_with_sipp(tmp_path, port, REPORT, TAKEN, calls=CALLS, tcp=False)
    transport.close()
    assert status == 0
    assert sorted(server.reports, key=int) == [str(number) for number in range(1, CALLS + 1)]
    assert server.repeated >= CALLS // 2
    assert server.told == CALLS


async def test_sipp_over_tcp(tmp_path: Path) -> None:
    """All reports come over one connection, and our answers go back over it."""
    server = Server(loses=False)
    listener = await asyncio.get_running_loop().create_server(lambda: Connection(server), "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        status = await call_with_sipp(tmp_path, port, REPORT, TAKEN, calls=CALLS, tcp=True)
    assert status == 0
    assert sorted(server.reports, key=int) == [str(number) for number in range(1, CALLS + 1)]
    assert (server.repeated, server.told) == (0, CALLS)


async def test_kamailio_in_front_with_tls(tmp_path: Path) -> None:
    """A terminal reports over TLS to the edge, which passes it on over UDP; the answer finds its way back."""
    server = Server(loses=False)
    transport, port = await listening(server)
    with running_kamailio(tmp_path, behind=port) as edge:
        context = ssl.create_default_context(cafile=edge.authority)
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.secure, ssl=context)
        body = BODY.replace("[call_number]", "7").encode()
        writer.write(request_bytes(via="SIP/2.0/TLS 10.0.0.7:5061;branch=z9hG4bK1;rport", body=body))
        cutter = StreamCutter()
        pieces: list[StreamPiece] = []
        async with asyncio.timeout(10):
            while len(pieces) < 1:
                pieces += cutter.feed(await reader.read(4_096))
        writer.close()
    transport.close()
    (answer,) = pieces
    assert isinstance(answer, Response)
    assert (answer.status, answer.headers.first("cseq")) == (200, "1 MESSAGE")
    assert (server.reports, server.vias) == (["7"], [2])
    top = answer.headers.via
    assert top is not None
    assert (top.host, top.parameters["received"]) == ("10.0.0.7", "127.0.0.1")
