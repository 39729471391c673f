"""A port that Vetlla opens: a serial port, or a TCP connection to a receiver. It stays open until the daemon stops.

A receiver that gets no answer repeats its message, and no other receiver can take its calls. So the port is not closed
because of what came through it; after too much damage the decoder only begins again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from vetlla.links.wire.keeping import FIRST_RETRY_S, RETRY_MAX_S, KeptOpen
from vetlla.links.wire.way import Accept, opener
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners.line.ways import way_of
from vetlla.receiver.session import Peer, StreamSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.domain.errors import LinkError
    from vetlla.links.wire.contract import Wire
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.listeners.line.state import PortState
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.line import Line

log = structlog.get_logger()

TURN_BYTES: Final = 4_096
"""Bytes that are read in one turn of the loop: a hundred messages, or some 10 ms of noise."""
WAITING_MAX: Final = 65_536
"""Bytes that may wait for their turns. A receiver sends one message at a time, so a peer with more is no receiver."""


class PortBounds(NamedTuple):
    """The bounds of a port that a test makes smaller. Each constant tells its unit and its reason."""

    first_retry_s: float = FIRST_RETRY_S
    retry_max_s: float = RETRY_MAX_S
    silence_s: float | None = None
    """Silence after which a TCP connection is made again; None takes that after which the receiver is lost."""


class LinePort:
    """One port that is kept open."""

    def __init__(
        self,
        line: Line,
        services: SessionServices,
        make_decoder: Callable[[], Decoder],
        state: PortState,
        *,
        bounds: PortBounds = PortBounds(),
    ) -> None:
        self.line = line
        self.state = state
        self.transport = "serial" if line.serial is not None else "tcp"
        self._services = services
        self._make_decoder = make_decoder
        self._wire: Wire | None = None
        self._session: StreamSession | None = None
        self._waiting = b""
        self._silence_s = bounds.silence_s or float(line.interval_s * line.allowed_misses)
        self._watch: asyncio.TimerHandle | None = None
        self._heard_s = 0.0
        way = way_of(line)
        assert not isinstance(way, Accept)  # a receiver connects to that one: it is a TCP listener
        self._kept = KeptOpen(
            opener(way), self, self._failed, first_retry_s=bounds.first_retry_s, retry_max_s=bounds.retry_max_s
        )

    async def start(self) -> None:
        """Open the port in a task of its own, so that the receiver does not wait for it."""
        self._kept.start()

    def stop(self) -> None:
        """Take no further bytes; what was read is still answered."""
        self._end_session()

    async def close(self) -> None:
        """Close the port."""
        self._end_session()
        await self._kept.stop()

    # --- what the wire tells ----------------------------------------------------------------------------------------

    def opened(self, wire: Wire) -> None:
        """Begin a session: the port is open."""
        state = self.state
        self._wire = wire
        state.open, state.why = True, ""
        state.openings += 1
        log.info("line.opened", line=self.line.name, place=wire.address)
        self._services.intake.last_frames.opened(self.line.name, self._services.clock.now().mono_us)
        self._begin_session()
        if self.line.connect is not None:
            # TCP does not notice that a peer has vanished, and a new connection may reach it.
            loop = asyncio.get_running_loop()
            self._heard_s = loop.time()
            self._watch = loop.call_later(self._silence_s, self._look)

    def received(self, data: bytes) -> None:
        """Give bytes to the session, some in each turn of the loop."""
        if self._session is None:
            return
        self._heard_s = asyncio.get_running_loop().time()
        if self._waiting or len(data) > TURN_BYTES:
            is_first, self._waiting = not self._waiting, self._waiting + data
            if len(self._waiting) > WAITING_MAX:
                self._hang_up(Refusal.BOGUS)
            elif is_first:
                self._take_turn()
        else:
            self._session.feed(data)

    def closed(self, why: str) -> None:
        """End the session, with what the receiver had sent before."""
        self._wire = None
        if self._watch is not None:
            self._watch.cancel()
        self._end_session()
        self.state.open, self.state.why = False, why or "closed"
        if why:
            log.warning("line.closed", line=self.line.name, why=why)

    def _failed(self, error: LinkError) -> None:
        why = error.args[0]
        if self.state.why != why:  # once for each cause, and not with each attempt
            log.error("line.cannot_open", line=self.line.name, why=why, remedy=error.remedy)
        self.state.why = why

    # --- the session ------------------------------------------------------------------------------------------------

    def _begin_session(self) -> None:
        line = self.line
        peer = Peer(line.protocol, line.name, self.transport, line.place, self._send, self._hang_up)
        self._session = StreamSession(self._services, peer, self._make_decoder(), None)

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            if self._waiting:
                session.feed(self._waiting)
                self._waiting = b""
            session.finish()

    def _take_turn(self) -> None:
        if self._session is None:
            return
        data, self._waiting = self._waiting[:TURN_BYTES], self._waiting[TURN_BYTES:]
        self._session.feed(data)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _send(self, data: bytes) -> None:
        if self._wire is not None:
            self._wire.write(data)

    def _hang_up(self, why: Refusal) -> None:
        """Begin with a new decoder. A report without a verdict is not answered, so that the receiver repeats it."""
        self._services.counters.connections_refused[why] += 1
        if why is Refusal.NOT_READY or self._session is None:
            return
        log.warning("line.begun_again", line=self.line.name, why=why.value)
        self._waiting = b""
        self._session = None
        asyncio.get_running_loop().call_soon(self._begin_again)

    def _begin_again(self) -> None:
        if self._wire is not None and self._session is None:
            self._begin_session()

    def _look(self) -> None:
        """Make the connection again if the receiver has been silent for too long."""
        loop = asyncio.get_running_loop()
        quiet_s = loop.time() - self._heard_s
        if quiet_s < self._silence_s:
            self._watch = loop.call_later(self._silence_s - quiet_s, self._look)
        elif self._wire is not None:
            log.warning("line.silent", line=self.line.name, seconds=round(quiet_s))
            self._wire.close()
