"""Asks a SIP server what it can do (OPTIONS; RFC 3261, 11), over UDP, TCP or TLS.

It proves that the server answers by this way. It is no report of a terminal: a receiver stores nothing for it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import LinkError
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.sip.answering import write_request
from vetlla.protocols.sip.digest.client import Credentials, authorization, challenge_of
from vetlla.protocols.sip.message import Response
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.stream import StreamCutter, Uncut
from vetlla.protocols.sip.transactions.client import ClientTransaction
from vetlla.protocols.sip.via import COOKIE, Via
from vetlla.settings.secret import read_secret
from vetlla.settings.section import host_and_port
from vetlla.simulator.probing.attempt import acknowledged, failed, timed_out
from vetlla.simulator.probing.signals import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.protocols.sip.reading import Piece
    from vetlla.protocols.sip.stream import StreamPiece
    from vetlla.settings.probes import SipComponent
    from vetlla.simulator.probing.attempt import Attempt, Prober

METHOD: Final = "OPTIONS"
GOODBYE_S: Final = 1.0
"""Longest wait for the end of a connection that we close (TLS says goodbye). It is not a part of the probe's time."""
WAITING_MOST: Final = 64
"""Most messages of a server that wait to be looked at. It sends one answer, and repeats it at most."""
CHALLENGES_MOST: Final = 2
"""Most challenges that are met in one try: the second one says that the nonce of the first one was too old."""


class _Question(NamedTuple):
    """What stays the same in all requests of a try."""

    component: SipComponent
    uri: str
    sender: str
    call_id: str


class _Wire(asyncio.Protocol, asyncio.DatagramProtocol):
    """A connection, or a socket of datagrams: what comes from the server, in its order."""

    def __init__(self, cutter: StreamCutter | None) -> None:
        """Take the cutter of a connection; None for datagrams."""
        self.inbox: asyncio.Queue[Response | LinkError] = asyncio.Queue(WAITING_MOST)
        self.is_reliable = cutter is not None
        self._cutter = cutter
        self._transport: asyncio.Transport | asyncio.DatagramTransport | None = None
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport | asyncio.DatagramTransport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._cutter is not None
        self._take(self._cutter.feed(data))

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        self._take([read_datagram(data)])

    def error_received(self, exc: Exception) -> None:
        self._put(LinkError(f"no SIP server there: {_why(exc)}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._put(LinkError(f"the connection broke: {_why(exc)}" if exc else "the connection was closed unanswered"))

    def send(self, data: bytes) -> None:
        """Send a request."""
        if self.is_reliable:
            cast("asyncio.Transport", self._transport).write(data)
        else:
            cast("asyncio.DatagramTransport", self._transport).sendto(data)

    async def close(self) -> None:
        """Close it in order, or, if the server does not take part in that, at once."""
        assert self._transport is not None
        self._transport.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), GOODBYE_S)
        self._transport.abort()

    def via(self, transport: str) -> Via:
        """Return the Via of a new request."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        host = host.partition("%")[0]
        parameters = {"branch": COOKIE + token_hex(12), "rport": ""}
        return Via(transport.upper(), f"[{host}]" if ":" in host else host, port, parameters)

    def _take(self, pieces: Iterable[Piece | StreamPiece]) -> None:
        for piece in pieces:
            if isinstance(piece, Response):
                self._put(piece)
            elif isinstance(piece, Damage | Uncut):
                self._put(LinkError("what came is no SIP message"))

    def _put(self, item: Response | LinkError) -> None:
        if not self.inbox.full():
            self.inbox.put_nowait(item)


def options(component: SipComponent) -> Prober:
    """Return what asks a SIP server once. Raises ConfigError for a file that cannot be used."""
    name, secret = f"component {component.name}", component.password_file
    password = read_secret(secret, name) if secret else ""
    credentials = Credentials(component.username, password) if component.username else None
    tls = tls_context(component.ca, name) if component.transport == "tls" else None

    async def probe() -> Attempt:
        for _ in range(component.tries):
            try:
                async with asyncio.timeout(component.timeout_s):
                    return await _try(component, credentials, tls)
            except TimeoutError:
                continue
            except LinkError as error:
                return failed(str(error.args[0]))
            except OSError as error:  # ssl.SSLError is a subclass
                return failed(f"no connection to {component.to} ({component.transport}): {_why(error)}")
        return timed_out(component.timeout_s, component.tries)

    return probe


async def _try(component: SipComponent, credentials: Credentials | None, tls: ssl.SSLContext | None) -> Attempt:
    """Ask over a connection of its own."""
    wire = await _connected(component, tls)
    try:
        return await _exchange(wire, component, credentials)
    finally:
        await wire.close()


async def _exchange(wire: _Wire, component: SipComponent, credentials: Credentials | None) -> Attempt:
    """Ask, and meet the server's challenges."""
    by = "" if component.transport == "udp" else f";transport={component.transport}"
    uri = component.uri or f"sip:{component.to}{by}"
    question = _Question(component, uri, f"<{component.sender}>;tag={token_hex(6)}", token_hex(16))
    proof: tuple[tuple[str, str], ...] = ()
    response = await _asked(wire, question, 1, proof)
    for sequence in range(2, CHALLENGES_MOST + 2):
        challenge = None if response.status in component.status else challenge_of(response)
        if credentials is None or challenge is None or (proof and not challenge.is_stale):
            break
        proof = (authorization(challenge, credentials, METHOD, uri, cnonce=token_hex(8)),)
        response = await _asked(wire, question, sequence, proof)
    if response.status in component.status:
        return acknowledged()
    expected = " or ".join(str(one) for one in component.status)
    refused = ", the user or the password is wrong" if proof and response.status in {401, 407} else ""
    return failed(f"status {response.status} {response.phrase}, expected {expected}{refused}")


async def _connected(component: SipComponent, tls: ssl.SSLContext | None) -> _Wire:
    found = host_and_port(component.to)
    assert found is not None, "the settings have checked it"
    loop = asyncio.get_running_loop()
    if component.transport == "udp":
        return (await loop.create_datagram_endpoint(lambda: _Wire(None), remote_addr=found))[1]
    return (await loop.create_connection(lambda: _Wire(StreamCutter()), *found, ssl=tls))[1]


async def _asked(wire: _Wire, question: _Question, sequence: int, proof: tuple[tuple[str, str], ...]) -> Response:
    """Return the final answer to a new request. Raises LinkError; the caller bounds the time."""
    via = wire.via(question.component.transport)
    request = write_request(
        METHOD,
        question.uri,
        via=via,
        sender=question.sender,
        receiver=f"<{question.uri}>",
        call_id=question.call_id,
        sequence=sequence,
        headers=(("Accept", "application/sdp"), ("User-Agent", "vetlla-probe"), *proof),
    )
    transaction = ClientTransaction((via.branch, METHOD), _now_us(), is_reliable=wire.is_reliable)
    wire.send(request)
    while (due_us := transaction.due_us) is not None:
        try:
            async with asyncio.timeout(max(0, due_us - _now_us()) / SECOND_US):
                answer = await wire.inbox.get()
        except TimeoutError:
            if transaction.tick(_now_us()):
                wire.send(request)
            continue
        if isinstance(answer, LinkError):
            raise answer
        if transaction.take(answer, _now_us()):
            return answer
    raise TimeoutError


def _now_us() -> int:
    return time.monotonic_ns() // 1_000


def _why(error: Exception) -> str:
    """Return what an error says, without the words that only Python's developers need."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate: {error.verify_message}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
