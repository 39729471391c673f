"""One TCP or TLS connection: when its bytes are read, when it has its turn, and how it ends.

A peer that does not read its answers, or to which too many are owed, is not read. Every frame that came is answered
before the connection closes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog

from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners.accept import Accepted
from vetlla.receiver.listeners.tls import names_in
from vetlla.receiver.session import Peer, StreamSession
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.domain.clock import Instant
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.listeners.turns import Turns
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.listen import Listen

log = structlog.get_logger()

TURN_BYTES = 4_096
"""Bytes that one connection gives to its decoder in one turn of the loop: a hundred reports, or some 30 ms of junk.
Further bytes wait for the next turns, so that other connections have theirs."""
UNPROVEN_TURN_BYTES = 256
"""The same for a connection that has sent no report of a registered account: a first report. Junk costs up to 2 us a
byte, and a thousand connections may send it in one turn of the loop."""
UNPROVEN_LEFT = 4_608
"""Bytes of such a connection that may wait for their turns: the longest frame of DC-09. Further bytes are not read, and
the connection ends after those that wait. A terminal that is registered then repeats its report."""
UNREAD_LEFT = 65_536
"""Bytes of an unproven connection that may wait before its first turn. A terminal with a backlog is known after its
first report, and then all of the backlog is read."""
LINGER_S = 60.0
"""How long a connection that is to be closed waits until its last answers leave; no terminal waits longer for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the connections of one listener share."""

    listen: Listen
    transport: str
    """``tcp`` or ``tls``."""
    silence_s: float | None
    """Set if line receivers connect here: the silence after which a connection is closed. One connection brings the
    calls of many homes for months, and a receiver may be silent until its first heartbeat is due."""
    services: SessionServices
    make_decoder: Callable[[], Decoder]
    turns: Turns
    linger_s: float
    connections: set[TcpConnection]
    """The connections that are set up."""


class TcpConnection(Accepted):
    """One peer's connection."""

    _transport: asyncio.Transport
    _session: StreamSession
    # Attributes that most connections never change are set on the class; to set them for each one costs 1 us.
    _timer: asyncio.TimerHandle | None = None
    _last = 0.0
    _left = b""
    """Bytes that were read and wait for their turn."""
    _at_end = False
    """The peer has sent all; the bytes that are left are processed first."""
    _had_turn = False
    _is_queued = False
    _is_cut = False
    """More bytes came than an unproven connection may leave waiting; it ends after those that wait."""
    is_gone = False
    """The peer is gone, and its place in the budget was given back."""
    _full = False
    """Too many frames wait for their answer; nothing is read until all answers have left."""
    _clogged = False
    """The peer does not read its answers; nothing is read until it does."""
    _is_proven = False
    """The peer has sent a report of a registered account."""
    _first_bytes = _turn_bytes = UNPROVEN_TURN_BYTES
    """Bytes of a turn before and after the first report. A subclass whose reports are longer gives more."""
    _left_most = UNPROVEN_LEFT
    _ending = False
    """Nothing is read any more; the connection closes when the last answer has left."""

    def __init__(self, shared: Shared, address: tuple[str, int], established: Instant) -> None:
        self._shared = shared
        self._peer = spelled(*address)
        self.host = address[0]
        self.established = established
        self._loop = asyncio.get_running_loop()  # kept, because each query for it costs a system call

    # --- called by asyncio ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session: the connection is set up."""
        shared, services = self._shared, self._shared.services
        self._transport = transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        try:
            decoder = self._make_decoder()
        except Exception:
            # The fault may be in a third party's decoder. The place is given back, and other peers are served.
            log.exception("connection.failed", peer=self._peer)
            transport.abort()
            return
        self.is_made = True
        peer = Peer(
            protocol=shared.listen.protocol,
            listener=shared.listen.name,
            transport=shared.transport,
            address=self._peer,
            send=self._send,
            hang_up=self.hang_up,
            names=self._names(transport) if shared.transport == "tls" else None,
        )
        self._session = StreamSession(services, peer, decoder, None if shared.silence_s else self.established)
        shared.connections.add(self)
        self._watch(shared.silence_s or services.budget.limits.first_frame_timeout_s)

    def _make_decoder(self) -> Decoder:
        return self._shared.make_decoder()

    @property
    def _is_heard(self) -> bool:
        """True after the peer has shown that it speaks the protocol."""
        return self._session.heard

    def _names(self, transport: asyncio.BaseTransport) -> frozenset[str] | None:
        """Return the accounts that the peer's certificate names, in capitals; None if any account is allowed."""
        tls = self._shared.listen.tls
        if tls is None or tls.client_ca is None or tls.client_accounts == "any":
            return None
        return names_in(transport.get_extra_info("peercert") or {})

    def data_received(self, data: bytes) -> None:
        """Process bytes now, or let them wait for their turn."""
        if self._ending:
            return
        self._last = self._loop.time()
        if self._left or len(data) > self._turn_bytes:
            self._put_off(data)
        elif self._is_proven:
            self._feed(data)
        elif self._shared.turns.at_once():
            self._had_turn = True
            self._feed(data)
        else:
            self._put_off(data)

    def _feed(self, data: bytes) -> None:
        session, services = self._session, self._shared.services
        session.feed(data)
        if session.is_known and not self._is_proven:
            self._is_proven, self._turn_bytes = True, TURN_BYTES
            services.budget.prove(self)
        if owed := session.owed:
            limits = services.budget.limits
            if owed > limits.pending_per_connection or services.intake.waiting > limits.intake_waiting:
                self._full = True
                session.on_drained = self._drained
                self._set_reading()

    def _put_off(self, data: bytes) -> None:
        """Keep bytes that are too many for one turn; nothing further is read until they are processed."""
        is_first, self._left = not self._left, self._left + data
        if len(self._left) > self._turn_bytes:
            self._set_reading()
        if not is_first:
            return
        if self._is_proven:
            self.take_turn()
        else:
            self._await_turn()

    def take_turn(self) -> None:
        """Process as many of the waiting bytes as one turn allows."""
        self._is_queued = False
        if self._full:
            return  # it goes on when all answers have left
        data, self._left = self._left[: self._turn_bytes], self._left[self._turn_bytes :]
        self._had_turn = True
        if data and not self._ending:
            self._feed(data)
        if self._ending:
            self._left = b""  # the receiver has hung up
        elif self._left:
            self._await_turn()
        elif self._at_end:
            self._finish()
        elif self._is_cut:
            self.hang_up(Refusal.UNPROVEN)
        else:
            self._set_reading()

    def _await_turn(self) -> None:
        if self._is_queued:
            return
        self._is_queued = True
        if self._is_proven:
            self._loop.call_soon(self.take_turn)
            return
        most = self._left_most if self._had_turn else UNREAD_LEFT
        if len(self._left) > most:
            self._left, self._is_cut = self._left[:most], True
        self._shared.turns.ask(self)

    @property
    def is_first(self) -> bool:
        """True if the first bytes wait for their turn, and are not longer than a report."""
        return not self._had_turn and len(self._left) <= self._first_bytes

    def give_up(self) -> None:
        """Drop the waiting bytes of a stranger that has hung up."""
        self._left, self._ending = b"", True
        self._shared.services.counters.connections_refused[Refusal.UNPROVEN] += 1
        self._part()

    def eof_received(self) -> bool:
        """Answer all frames before closing, because a terminal may shut its side and wait for the ACK."""
        self._end_in_turn()
        # asyncio's TLS cannot be half closed; the terminal will repeat what was not answered yet.
        is_owed = not self.is_gone and (not self._ending or self._session.owed)
        return bool(is_owed and self._shared.transport == "tcp")

    def pause_writing(self) -> None:
        """Read nothing while the peer does not read its answers."""
        self._clogged = True
        self._set_reading()

    def resume_writing(self) -> None:
        """Read again, because the peer has read its answers."""
        self._clogged = False
        self._set_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """Give the peer's place back, and process what it had sent before it left."""
        if self._timer is not None:
            self._timer.cancel()
        if self.is_gone or not self.is_made:
            return
        self.is_gone = self._at_end = True
        self._shared.connections.discard(self)
        budget = self._shared.services.budget
        if not self._is_proven:
            budget.prove(self)
        budget.disconnect(self.host)
        self._full = False
        if self._ending:
            self._part()
        else:
            self._end_in_turn()

    def _part(self) -> None:
        """End the session of a peer that is gone."""
        if not self._ending:
            self._session.finish()
        self._ending = True
        # Session and connection refer to each other. Cutting the link here frees both without the collector.
        del self._session

    def _finish(self) -> None:
        """Process the input as complete, then drain."""
        if self.is_gone:
            self._part()
        else:
            self._session.finish()
            self.drain()

    # --- reading and ending -----------------------------------------------------------------------------------------

    def hang_up(self, why: Refusal) -> None:
        """End the connection, and count the reason."""
        if not self._ending:
            self._shared.services.counters.connections_refused[why] += 1
            if why is Refusal.IDLE:
                self._end_in_turn()
            else:
                self.drain()

    def end(self) -> None:
        """Process all that the peer has sent, then drain, because its last bytes may hold an alarm."""
        if self._ending:
            return
        if self._left:
            self._at_end = True
        else:
            self._finish()

    def _end_in_turn(self) -> None:
        """Do the same in the turn of a stranger, because the bytes take time and a crowd may hang up at once."""
        if self._ending:
            return
        self._at_end = True
        if self._is_proven and not self._left:
            self._finish()
        else:
            self._await_turn()

    def drain(self) -> None:
        """Stop reading; close when the last answer has left."""
        if self._ending:
            return
        self._ending = True
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self._session.on_drained = self._drained
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._session.owed or self._transport.get_write_buffer_size():
            self._timer = self._loop.call_later(self._shared.linger_s, self._transport.abort)
        if not self._session.owed:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection."""
        if self.is_made:
            self._transport.abort()
        else:
            super().abort()

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():  # uvloop raises if the peer left while its frame was committed
            self._transport.write(data)

    def _drained(self) -> None:
        if self._ending:
            self._transport.close()
            return
        self._session.on_drained = None
        self._full = False
        if self._left:
            self._await_turn()
        else:
            self._set_reading()

    def _set_reading(self) -> None:
        if self._ending or self._transport.is_closing():
            return
        if self._full or self._clogged or self._left:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _watch(self, seconds: float) -> None:
        # One timer per connection checks when it fires, instead of a timer that is set again with every frame.
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        patience_s = self._shared.silence_s or self._shared.services.budget.limits.idle_timeout_s
        quiet = self._loop.time() - self._last
        if not self._is_heard or quiet >= patience_s:
            self.hang_up(Refusal.IDLE)
        else:
            self._watch(patience_s - quiet)
