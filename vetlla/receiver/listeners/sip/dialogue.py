"""The SIP of one connection or one datagram: requests become reports, and verdicts become responses and answers.

A request is answered 200 when the reports in it have their verdicts, and not before. Then the answer of the protocol
goes to where the request came from, as a MESSAGE of its own or, with ``reply = "inline"``, in the 200.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from vetlla.domain.signals import Hangup, Kind, Reason, Reject, Reply, Signal
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.framing.foreign import recognise
from vetlla.protocols.scaip.decoder import NAME
from vetlla.protocols.scaip.recording import sent
from vetlla.protocols.sip.answering import respond, write_request
from vetlla.protocols.sip.checking import ACK, objection
from vetlla.protocols.sip.message import Ping, Request, Response
from vetlla.protocols.sip.stream import StreamCutter, Uncut
from vetlla.protocols.sip.transactions.server import ServerTransactions, key_of
from vetlla.protocols.sip.uri import read_uri
from vetlla.protocols.sip.values import read_address
from vetlla.protocols.sip.via import COOKIE, Via
from vetlla.receiver.listeners.sip.server import ABILITIES, ACCEPT, MESSAGE, RETRY, TYPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.sip.reading import Piece
    from vetlla.protocols.sip.stream import StreamPiece
    from vetlla.protocols.sip.transactions.server import Key
    from vetlla.protocols.sip.uri import Uri
    from vetlla.protocols.sip.via import Source
    from vetlla.receiver.listeners.sip.server import SipServer

SIP: Final = "SIP"
"""Title of this protocol in the table of protocols that are recognised."""
_UNESCAPED: Final = "+-_.!~*'()&=$,"
"""Characters of a user that need no escape (RFC 3261, 25.1)."""
NOTHING: Final = Reply(data=b"")
"""What a piece gives that needs no answer. It ends the communication that began with its first byte."""


class Exchange:
    """One MESSAGE whose reports wait for their verdicts."""

    __slots__ = ("bodies", "has_failed", "key", "request", "waiting")

    def __init__(self, request: Request, key: Key, waiting: int) -> None:
        self.request = request
        self.key = key
        self.waiting = waiting
        self.bodies: list[tuple[Signal, bytes]] = []
        """Each report, and the body of its answer."""
        self.has_failed = False
        """True if one of the reports could not be kept."""


class Dialogue:
    """Serves what comes from one address. ``take`` returns the items of each piece."""

    def __init__(self, server: SipServer, source: Source, way: str, transactions: ServerTransactions) -> None:
        """Take the transport in capitals, as Via spells it: UDP, TCP or TLS."""
        self.is_spoken = False
        """True after a SIP message has come."""
        self._server = server
        self._source = source
        self._way = way
        self._transactions = transactions
        self._exchanges: dict[int, tuple[Signal, Exchange]] = {}
        """By the identity of the report's object, which lives as long as its entry here."""

    def take(self, piece: Piece | StreamPiece) -> list[Item]:
        """Return the items of one piece of what came."""
        match piece:
            case Request():
                self.is_spoken = True
                return self._request(piece)
            case Response():
                self.is_spoken = True
                self._server.answers.take(piece)
                return [NOTHING]
            case Ping():
                return [Reply(data=piece.answer)]
            case Uncut():
                return self._uncut(piece)
            case Damage():
                return [damaged(piece)]

    def closing(self, signal: Signal, verdict: Verdict, now: datetime) -> tuple[bytes, list[bytes]]:
        """Take the verdict of a report; return the response to its request, and the answers that follow it.

        Both are empty until the last report of the request has its verdict.
        """
        _, exchange = self._exchanges[id(signal)]
        exchange.bodies.append((signal, self._server.decoder.answer(signal, verdict, now)))
        del self._exchanges[id(signal)]
        return self._close(exchange)

    def failed(self, signal: Signal) -> tuple[bytes, list[bytes]]:
        """Take that a report could not be kept; return the same as ``closing``."""
        _, exchange = self._exchanges.pop(id(signal))
        exchange.has_failed = True
        return self._close(exchange)

    def repeater(self, data: bytes) -> Callable[[], None] | None:
        """Return what sends an answer again; None over a connection."""
        raise NotImplementedError

    # --- requests ---------------------------------------------------------------------------------------------------

    def _request(self, request: Request) -> list[Item]:
        key = key_of(request)
        before = self._transactions.begin(key)
        if before is not None:
            return [Reply(data=before.answer)]
        if request.method == ACK:
            self._transactions.dropped(key)
            return [NOTHING]
        found = objection(request, ABILITIES)
        if found is not None:
            answer = self._final(request, key, found.status, found.phrase, headers=found.headers)
            return [*self._unserved(request, found.phrase), Reply(data=answer)]
        if not self._server.may_come_from(self._source.host):
            text = "it came from an address that is not in accept_from"
            return [*self._unserved(request, text), Reply(data=self._final(request, key, 403))]
        if request.method != MESSAGE:
            status, headers = self._server.plain(request, self._source, self._way)
            return [Reply(data=self._final(request, key, status, headers=headers))]
        return self._message(request, key)

    def _message(self, request: Request, key: Key) -> list[Item]:
        items = self._server.decoder.read(sent(request))
        signals = [item for item in items if isinstance(item, Signal)]
        if not signals:
            return [*items, Reply(data=self._final(request, key, 415, headers=(ACCEPT,)))]
        exchange = Exchange(request, key, len(signals))
        for signal in signals:
            self._exchanges[id(signal)] = (signal, exchange)
        return items

    def _unserved(self, request: Request, text: str) -> list[Item]:
        """Return the evidence of a MESSAGE that is refused: at a known home it may have been a call for help."""
        if request.method != MESSAGE:
            return []
        message = sent(request)
        named = (one.id for one in self._server.decoder.read(message) if isinstance(one, Signal | Reject))
        who = next((one for one in named if one is not None and one.account), None)
        text = f"the MESSAGE was refused: {text}"
        return [
            Reject(
                protocol=NAME, reason=Reason.UNSUPPORTED, raw=request.body, text=text, id=who, kind=Kind.UNREADABLE
            )
        ]  # fmt: skip

    def _uncut(self, piece: Uncut) -> list[Item]:
        items: list[Item] = []
        if piece.request is not None:
            items += self._unserved(piece.request, piece.damage.text)
            tag = self._server.token()
            items.append(Reply(data=respond(piece.request, piece.status, piece.phrase, tag=tag, source=self._source)))
        reject = damaged(piece.damage)
        return [reject, *items, Hangup(text=reject.text)]

    # --- responses and answers --------------------------------------------------------------------------------------

    def _close(self, exchange: Exchange) -> tuple[bytes, list[bytes]]:
        exchange.waiting -= 1
        if exchange.waiting:
            return b"", []
        request, key = exchange.request, exchange.key
        if exchange.has_failed:
            # It is not remembered, so that a repetition is served if something can be kept by then.
            self._transactions.dropped(key)
            return respond(request, 503, tag=self._server.token(), source=self._source, headers=(RETRY,)), []
        bodies = [(signal, body) for signal, body in exchange.bodies if body]
        if self._server.sip.reply == "inline":
            body = b"".join(body for _, body in bodies)
            return self._final(request, key, 200, headers=(("Content-Type", TYPE),), body=body), []
        return self._final(request, key, 200), [self._answer(request, signal, body) for signal, body in bodies]

    def _final(
        self,
        request: Request,
        key: Key,
        status: int,
        phrase: str = "",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> bytes:
        """Return the final response to a request, and keep it for the repetitions of the request."""
        answer = respond(
            request, status, phrase, tag=self._server.token(), source=self._source, headers=headers, body=body
        )
        self._transactions.answered(key, answer, self._server.services.clock.now().mono_us)
        return answer

    def _answer(self, request: Request, signal: Signal, body: bytes) -> bytes:
        """Return an answer as a request of ours, which waits for its confirmation from now on."""
        server = self._server
        token = server.token()
        branch = f"{COOKIE}{token}"
        uri, ours, theirs, via = self._parties(request, branch)
        data = write_request(
            MESSAGE,
            uri,
            via=via,
            sender=f"<{ours}>;tag={token}",
            receiver=f"<{theirs}>",
            call_id=token,
            sequence=1,
            headers=(("Content-Type", TYPE),),
            body=body,
        )
        # The source of a datagram may be forged, and eleven repetitions would flood a third party.
        is_known = server.services.intake.book.find(signal.id) is not None
        server.answers.sent(branch, signal.id.account, self.repeater(data) if is_known else None)
        return data

    def _parties(self, request: Request, branch: str) -> tuple[str, str, str, Via]:
        """Return the address of a request of ours, those of us and of the terminal, and our Via.

        Without a proxy it goes to the packet's source: a terminal behind a NAT has no other address. A proxy that the
        request came through finds the terminal by the address in From.
        """
        called = read_uri(request.uri)
        address = read_address(request.headers.first("from"))
        given = read_uri(address.uri) if address is not None else None
        us, host = _user_and_host(called, "arc", self._server.sip.host)
        place = f"[{self._source.host}]" if ":" in self._source.host else self._source.host
        user, theirs = _user_and_host(given, "terminal", place)
        direct = f"sip:{user}@{place}:{self._source.port};transport={self._way.lower()}"
        is_proxied = len(request.headers.every("via")) > 1
        via = Via(self._way, host, called.port if called is not None else None, {"branch": branch, "rport": ""})
        return f"sip:{user}@{theirs}" if is_proxied else direct, f"sip:{us}@{host}", f"sip:{user}@{theirs}", via


def _user_and_host(uri: Uri | None, user: str, host: str) -> tuple[str, str]:
    """Return user and host of an address as a request can have them; those given for what it does not have."""
    if uri is None:
        return user, host
    escaped = quote(uri.user, safe=_UNESCAPED, errors="surrogateescape")
    return escaped or user, uri.host if uri.host and uri.host.isprintable() else host


class StreamDialogue(Dialogue):
    """The SIP of one connection, as a decoder of its bytes."""

    def __init__(self, server: SipServer, source: Source, way: str) -> None:
        super().__init__(server, source, way, ServerTransactions(is_reliable=True))
        self._cutter = StreamCutter()

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes."""
        return [item for piece in self._cutter.feed(data) for item in self.take(piece)]

    def finish(self) -> list[Item]:
        """Take the end of the connection."""
        damage = self._cutter.finish()
        return [] if damage is None else [damaged(damage)]

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the response and the answers: on a connection they follow each other."""
        response, answers = self.closing(signal, verdict, now)
        return b"".join((response, *answers))

    def unserved(self, signal: Signal) -> bytes:
        """Return the response to a report of which nothing could be kept."""
        return self.failed(signal)[0]

    def repeater(self, data: bytes) -> None:
        """Return None: a connection repeats by itself."""


class DatagramDialogue(Dialogue):
    """The SIP of one datagram."""

    def __init__(
        self,
        server: SipServer,
        source: Source,
        transactions: ServerTransactions,
        send: Callable[[bytes], None],
    ) -> None:
        """Take what sends a datagram to the source."""
        super().__init__(server, source, "UDP", transactions)
        self._send = send
        self._after: list[bytes] = []

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the response; ``follow`` sends the answers after it."""
        response, self._after = self.closing(signal, verdict, now)
        return response

    def unserved(self, signal: Signal) -> bytes:
        """Return the response to a report of which nothing could be kept."""
        return self.failed(signal)[0]

    def follow(self) -> None:
        """Send the answers: the response was sent."""
        after, self._after = self._after, []
        for data in after:
            self._send(data)

    def repeater(self, data: bytes) -> Callable[[], None]:
        """Return what sends an answer again."""
        return partial(self._send, data)


def damaged(damage: Damage) -> Reject:
    """Return the evidence of bytes that are no SIP. A device of another protocol is named, and what to do about it."""
    foreign = recognise(damage.raw, SIP)
    if foreign is None:
        return Reject(protocol=NAME, reason=damage.reason, raw=damage.raw, text=damage.text)
    text = f"this is {foreign.name}, not {SIP}: {foreign.hint}"
    return Reject(protocol=NAME, reason=foreign.reason, raw=damage.raw, text=text)
