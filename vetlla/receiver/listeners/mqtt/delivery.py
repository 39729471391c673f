"""Messages of one MQTT connection, from their receipt to their acknowledgement; each has a session of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

import structlog

from vetlla.links.mqtt import NO_SUBSCRIBER, REFUSED
from vetlla.protocols.decoder import Message
from vetlla.protocols.mqtt.decoder import NAME as PROTOCOL
from vetlla.protocols.mqtt.decoder import terminal_of
from vetlla.receiver.counters import Receipt, Refusal
from vetlla.receiver.session import Peer, Session

if TYPE_CHECKING:
    from vetlla.links.mqtt import Delivered, Link
    from vetlla.protocols.decoder import MessageDecoder
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.broker import Mqtt

log = structlog.get_logger()

MAX_RESPONSE_TOPIC: Final = 256
"""``tc/1/``, two names of 64 characters and the last levels need 160. Longer topics do not follow the convention."""


class Connection:
    """The messages under way on one connection, oldest first."""

    def __init__(self, services: SessionServices, broker: Mqtt, link: Link, decoder: MessageDecoder) -> None:
        self.services = services
        self.link = link
        self.refused = asyncio.Event()
        """Set when a message could not be committed, so that the broker has to send it again."""
        self._broker = broker
        self._decoder = decoder
        self._under_way: deque[Delivery] = deque()
        self._ended = False
        self._idle = asyncio.Event()

    def take(self, delivered: Delivered) -> None:
        """Serve one message as a session of its own."""
        terminal = terminal_of(delivered.topic)
        message = Message(delivered.topic, delivered.payload, delivered.retained)
        delivery = Delivery(self, delivered, terminal)
        if delivered.qos:
            self._under_way.append(delivery)
        peer = Peer(
            PROTOCOL,
            self._broker.name,
            PROTOCOL,
            f"{self._broker.name}/{terminal or '?'}",
            delivery.send,
            delivery.hang_up,
        )
        session = Session(self.services, peer, self._decoder.answer)
        now = self.services.clock.now()
        try:
            session.take(self._decoder.read(message), now, now)
        except Exception:
            # Redelivery would fail again and block later messages. Without a receipt the terminal uses its other path.
            log.exception("decoder.failed", protocol=PROTOCOL, peer=peer.address)
        if session.owed:
            session.on_drained = delivery.answered
        else:
            delivery.answered()

    def settle(self) -> None:
        """Acknowledge settled messages in the order in which they came."""
        if self._ended:
            return
        while self._under_way and self._under_way[0].settled:
            self.link.ack(self._under_way.popleft().delivered.mid)
        if not self._under_way:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no message is under way, or until one cannot be committed."""
        self._idle.clear()
        self.settle()
        waits = [asyncio.ensure_future(event.wait()) for event in (self._idle, self.refused)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def end(self) -> None:
        """Acknowledge nothing from now on, because the message numbers mean other messages on the next connection."""
        self._ended = True

    def publish(self, delivery: Delivery, receipt: bytes) -> None:
        """Send a receipt to the terminal."""
        if not self._ended:
            topic, correlation = _reply_to(delivery.delivered, delivery.terminal)
            self.link.publish(topic, receipt, correlation=correlation, done=delivery.receipted)


class Delivery:
    """One message, from its receipt to its acknowledgement."""

    __slots__ = ("_answered", "_connection", "_owed", "_refused", "delivered", "terminal")

    def __init__(self, connection: Connection, delivered: Delivered, terminal: str) -> None:
        self.delivered = delivered
        self.terminal = terminal
        self._connection = connection
        self._answered = False
        self._refused = False
        self._owed = 0
        """Receipts that the broker has not taken yet."""

    @property
    def settled(self) -> bool:
        """True if the broker may forget the message."""
        return self._answered and not self._owed and not self._refused

    def answered(self) -> None:
        """Let the broker forget the message when its receipts are taken: the session has all its verdicts."""
        self._answered = True
        self._connection.settle()

    def send(self, receipt: bytes) -> None:
        """Publish a receipt."""
        self._owed += 1
        self._connection.publish(self, receipt)

    def receipted(self, code: int) -> None:
        """Count what the broker answered to a receipt: its reason code."""
        outcome = Receipt.SENT
        if code == NO_SUBSCRIBER:
            outcome = Receipt.UNHEARD
        elif code >= REFUSED:
            outcome = Receipt.REFUSED
            log_limiter = self._connection.services.budget.log_limiter
            if (suppressed := log_limiter.ask(("receipt", self.terminal))) is not None:
                log.warning("mqtt.receipt_refused", account=self.terminal, code=code, suppressed=suppressed)
        self._connection.services.counters.receipts[outcome] += 1
        self._owed -= 1
        self._connection.settle()

    def hang_up(self, why: Refusal) -> None:
        """Leave the message with the broker if nothing can be committed; other reasons concern only this message."""
        self._connection.services.counters.connections_refused[why] += 1
        if why is Refusal.NOT_READY:
            self._refused = True
            self._connection.refused.set()


def _reply_to(delivered: Delivered, terminal: str) -> tuple[str, bytes]:
    """Return the receipt's topic and correlation data, as the terminal asked if the topic is in its own branch."""
    own = f"tc/1/{terminal}/receipt"
    asked = delivered.response_topic
    is_own = asked == own or (asked.startswith(f"{own}/") and len(asked) <= MAX_RESPONSE_TOPIC)
    if not is_own or any(wildcard in asked for wildcard in "+#\0"):
        return own, b""
    return asked, delivered.correlation
