"""The sockets of a door: connections as those of other protocols, and datagrams."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from vetlla.protocols.scaip.decoder import NAME
from vetlla.protocols.sip.answering import respond
from vetlla.protocols.sip.message import Request
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.transactions.server import ServerTransactions
from vetlla.protocols.sip.via import Source
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners.connection import TURN_BYTES, UNREAD_LEFT, TcpConnection
from vetlla.receiver.listeners.sip.dialogue import DatagramDialogue, StreamDialogue
from vetlla.receiver.listeners.sip.server import RETRY
from vetlla.receiver.listeners.udp import UdpListener
from vetlla.receiver.session import Peer, Session
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    import socket

    from vetlla.domain.clock import Instant
    from vetlla.receiver.listeners.connection import Shared
    from vetlla.receiver.listeners.sip.server import SipServer


class SipConnection(TcpConnection):
    """One connection. It stays while SIP comes over it, with reports or without.

    A report has 500 to 2,000 bytes, and a proxy sends those of many terminals at once. Junk costs less than in other
    protocols, because the head of a message is searched for its end alone. So the first turns are larger.
    """

    _first_bytes = _turn_bytes = TURN_BYTES
    _left_most = UNREAD_LEFT

    def __init__(self, server: SipServer, shared: Shared, address: tuple[str, int], established: Instant) -> None:
        super().__init__(shared, address, established)
        self._dialogue = StreamDialogue(server, Source(*address), shared.transport.upper())

    def _make_decoder(self) -> StreamDialogue:
        return self._dialogue

    @property
    def _is_heard(self) -> bool:
        return self._dialogue.is_spoken or self._session.heard


class SipUdpListener(UdpListener):
    """One bound datagram socket."""

    def __init__(self, server: SipServer, bound: socket.socket) -> None:
        super().__init__(server.sip, server.services, self._no_decoder, bound)
        self._server = server
        self._transactions = ServerTransactions(is_reliable=False)

    @staticmethod
    def _no_decoder() -> StreamDialogue:
        raise NotImplementedError("each datagram has its own dialogue")

    def _serve(self, data: bytes, address: tuple[str, int]) -> None:
        """Serve one datagram as one message."""
        services, server, source = self._services, self._server, Source(*address[:2])
        now = services.clock.now()
        self._transactions.expire(now.mono_us)
        piece = read_datagram(data)
        via = piece.headers.via if isinstance(piece, Request) else None
        target = via.answer_to(source) if via is not None else source

        def send(answer: bytes, to: tuple[str, int] = target) -> None:
            with suppress(OSError):  # a full buffer, or a closed socket: the terminal repeats its report
                self._socket.sendto(answer, (to[0], to[1], *address[2:]))

        if services.intake.waiting > services.budget.limits.intake_waiting:
            self._hang_up(Refusal.NOT_READY)
            if isinstance(piece, Request) and piece.headers.via is not None:
                send(respond(piece, 503, tag=server.token(), source=source, headers=(RETRY,)))
            return
        dialogue = DatagramDialogue(server, source, self._transactions, lambda answer: send(answer, source))

        def respond_then_follow(answer: bytes) -> None:
            send(answer)
            dialogue.follow()

        listen = self.listen
        peer = Peer(
            NAME, listen.name, self.transport, spelled(*address[:2]), respond_then_follow, self._hang_up
        )  # fmt: skip
        session = Session(services, peer, dialogue.answer, unserved=dialogue.unserved)
        session.take(dialogue.take(piece), now, now)
