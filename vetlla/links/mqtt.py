"""One connection to an MQTT 5 broker: this module and ``socket_watch.py`` are the only ones that use paho.

paho's public interface has what a receiver of alarms needs: ``manual_ack``, the result of each publication, and hooks
for a foreign event loop. aiomqtt, a wrapper of paho, has none of them: it acknowledges a message when it enters a
queue, drops it when the queue is full, and hides the reason code of a publication.

Each message goes from paho directly to the function that takes it. A queue with room for Receive Maximum messages would
be too short: after a burst of acknowledgements Mosquitto 2.0.11 had 3,822 messages under way, and 1,000 were allowed.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from vetlla.domain.errors import LinkError
from vetlla.links.socket_watch import SocketWatch

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

ANSWER_S: Final = 10.0
"""Time a broker has for each answer: to the connection, the subscription and the goodbye."""
UNDER_WAY: Final = 20
"""Publications that wait for the broker's acknowledgement; Mosquitto's default for a client."""
UNACKNOWLEDGED_ROOM: Final = 1_000
"""Messages of QoS 0 that may wait before the first ``deliver``. The broker may send any number; further ones are
lost."""
ONLY_IF_NEW: Final = SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
NO_SUBSCRIBER: Final = 0x10
"""Reason of a PUBACK: the broker has no subscriber for it."""
REFUSED: Final = 0x80
"""Reasons from here on are failures."""


class Delivered(NamedTuple):
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    retained: bool
    qos: int
    mid: int
    response_topic: str
    correlation: bytes


class Link:
    """A connection, from ``async with`` to its end. Raises LinkError if it cannot be made, or if it breaks."""

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        will: tuple[str, str] | None = None,
        keepalive_s: int = 60,
        session_s: int = 0,
        receive_maximum: int = 65_535,
        answer_s: float = ANSWER_S,
    ) -> None:
        """Take the broker's address and the identity there.

        ``will`` is the retained message, topic and payload, that the broker publishes if the connection breaks.
        ``session_s`` is how long the broker keeps messages after the end of the connection. ``receive_maximum`` is the
        number of messages that it may send before they are acknowledged.
        """
        self.resumed = False
        """True if the broker still had the session, with the messages that came meanwhile."""
        self._address = host, port, keepalive_s
        self._answer_s = answer_s
        self._session = _properties(
            PacketTypes.CONNECT, SessionExpiryInterval=session_s, ReceiveMaximum=receive_maximum
        )
        self._starts_clean = session_s == 0
        self._reader = username or client_id
        self._paho = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5, reconnect_on_failure=False, manual_ack=True
        )
        self._paho.max_inflight_messages = UNDER_WAY
        if username is not None:
            self._paho.username_pw_set(username, password)
        if tls is not None:
            self._paho.tls_set_context(tls)
        if will is not None:
            self._paho.will_set(*will, qos=1, retain=True)
        self._watch: SocketWatch | None = None
        self._goodbye: Properties | None = None
        new_future = asyncio.get_running_loop().create_future
        self._accepted: asyncio.Future[ReasonCode] = new_future()
        self._granted: asyncio.Future[Sequence[ReasonCode]] = new_future()
        self._ended: asyncio.Future[Exception | None] = new_future()
        self._done: dict[int, Callable[[int], None]] = {}
        self._early: list[Delivered] = []
        """Messages that came before ``deliver`` was called, because a resumed session begins at once."""
        self._take: Callable[[Delivered], None] = self._keep

    async def __aenter__(self) -> Self:
        host, port, keepalive_s = self._address
        try:
            # In a thread, because paho waits for the network here. It has no hooks yet, so none is called there.
            await asyncio.to_thread(
                self._paho.connect,
                host,
                port,
                keepalive_s,
                clean_start=self._starts_clean,
                properties=self._session,
            )
            wire = self._paho.socket()
            if not isinstance(wire, socket.socket):
                raise ConnectionError("the connection ended unanswered")
            # A receipt is small and follows an acknowledgement, so Nagle's algorithm would delay it by 40 ms.
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise _broken(str(error)) from error
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_subscribe = self._on_subscribe
        self._paho.on_publish = self._on_publish
        self._paho.on_message = self._on_message
        self._watch = SocketWatch(self._paho, wire, self._fail)
        try:
            code: ReasonCode = await self._answer(self._accepted)
            if code.is_failure:
                raise _broken(str(code))  # noqa: TRY301 - as any error here, it ends the connection
        except BaseException:
            await self._leave()  # or a late answer from the broker would leave two connections with this client id
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()
        if error is None and not self._ended.done():
            raise _broken("the broker timed out at the goodbye")

    async def _leave(self) -> None:
        """Say goodbye if the connection did not end, so that the broker publishes no last will. Close the socket."""
        try:
            if not self._ended.done():
                self._paho.disconnect(properties=self._goodbye)
                await asyncio.wait({self._ended}, timeout=self._answer_s)
        finally:
            if self._watch is not None:
                self._watch.close()

    def forget(self) -> None:
        """At the goodbye let the broker drop the session and its messages (MQTT 5, 3.14.2.2.2)."""
        self._goodbye = _properties(PacketTypes.DISCONNECT, SessionExpiryInterval=0)

    def cut(self) -> None:
        """Break the connection without a goodbye, as a failing network does."""
        wire = self._paho.socket()
        if isinstance(wire, socket.socket):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe with QoS 1; retained messages come only if the subscription is new. Raises LinkError."""
        options = SubscribeOptions(qos=1, retainHandling=ONLY_IF_NEW)
        shared = SubscribeOptions(qos=1)  # MQTT 5, 4.8.2: brokers send no retained messages to these
        self._granted = asyncio.get_running_loop().create_future()
        self._paho.subscribe([(topic, shared if topic.startswith("$share/") else options) for topic in topics])
        granted: Sequence[ReasonCode] = await self._answer(self._granted)
        for topic, code in zip(topics, granted, strict=True):
            if code.is_failure:
                raise LinkError(
                    f"the broker refuses the subscription to {topic}: {code}",
                    remedy=f"let {self._reader} read it in the broker's ACL",
                )

    async def deliver(self, take: Callable[[Delivered], None]) -> None:
        """Call ``take`` with each message as it comes. Raises LinkError when the connection breaks."""
        self._take = take
        early, self._early = self._early, []
        for message in early:
            take(message)
        await asyncio.wait({self._ended})
        error = self._ended.result()
        if error is not None:
            raise error

    def ack(self, mid: int) -> None:
        """Acknowledge a message, so that the broker no longer keeps it."""
        self._paho.ack(mid, 1)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        correlation: bytes = b"",
        done: Callable[[int], None] | None = None,
    ) -> None:
        """Publish with QoS 1; ``done`` is called with the broker's reason code, but not if the connection breaks."""
        # Without properties none is made, because paho needs 13 us to make and pack an empty set of them.
        properties = _properties(PacketTypes.PUBLISH, CorrelationData=correlation) if correlation else None
        info = self._paho.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if done is not None:
            self._done[info.mid] = done

    async def put(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1, and wait until the broker took the message. Raises LinkError."""
        taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.publish(topic, payload, retain=retain, done=taken.set_result)
        await self._answer(taken)

    async def put_all(self, messages: Sequence[tuple[str, bytes]]) -> list[int]:
        """Publish with QoS 1, in order; return the broker's reason code for each, when it has answered all of them.

        Each message is a topic and a payload. Raises LinkError if the connection or the waiting time ends first.
        """
        codes = [asyncio.get_running_loop().create_future() for _ in messages]
        for (topic, payload), code in zip(messages, codes, strict=True):
            self.publish(topic, payload, done=partial(_settle, code))
        await self._answer(asyncio.gather(*codes))
        return [code.result() for code in codes]

    @property
    def has_ended(self) -> bool:
        """True if the connection is over."""
        return self._ended.done()

    async def _answer(self, answer: asyncio.Future[Any]) -> Any:  # noqa: ANN401 - what this future promises
        """Wait for an answer of the broker. Raises LinkError if the connection or the waiting time ends first."""
        done, _ = await asyncio.wait({answer, self._ended}, timeout=self._answer_s, return_when=asyncio.FIRST_COMPLETED)
        if answer in done:
            return answer.result()
        if self._ended in done:
            raise self._ended.result() or _broken("the connection ended")
        raise _broken("the answer timed out")

    def _keep(self, delivered: Delivered) -> None:
        if delivered.qos or len(self._early) < UNACKNOWLEDGED_ROOM:
            self._early.append(delivered)

    def _fail(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_result(error)

    # --- hooks that paho calls, in the loop's thread ----------------------------------------------------------------

    def _on_connect(
        self, _client: Client, _data: object, flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self.resumed = flags.session_present
        if not self._accepted.done():
            self._accepted.set_result(code)

    def _on_disconnect(
        self, _client: Client, _data: object, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._ended.done():
            return
        if not code.is_failure:
            self._ended.set_result(None)
        elif flags.is_disconnect_packet_from_server:
            self._ended.set_result(_broken(str(code)))
        else:
            self._ended.set_result(
                _broken("the connection broke" if self._accepted.done() else "the connection ended unanswered")
            )

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if not self._granted.done():
            self._granted.set_result(codes)

    def _on_publish(self, _client: Client, _data: object, mid: int, code: ReasonCode, _properties: Properties) -> None:
        if (done := self._done.pop(mid, None)) is not None:
            done(code.value)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        properties: Any = message.properties
        self._take(
            Delivered(
                message.topic,
                bytes(message.payload),
                message.retain,
                message.qos,
                message.mid,
                getattr(properties, "ResponseTopic", ""),
                getattr(properties, "CorrelationData", b""),
            )
        )


def _settle(code: asyncio.Future[int], given: int) -> None:
    if not code.done():  # the caller may have given up
        code.set_result(given)


def _properties(packet: int, **values: object) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call] # paho's
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


_REMEDIES: Final[Mapping[str, str]] = {
    "taken over": "another client has this client id: give each receiver a node of its own",
    "Not authorized": "check user name, password file and certificate; see the broker's log",
    "Bad user name": "check user name and password file",
    "certificate": "check ca, certificate and key, and the name in the broker's certificate",
    "unanswered": "check whether this port uses TLS and the broker demands a certificate; see the broker's log",
    "reset by peer": "check whether this port uses TLS (usually 8883 does, 1883 does not); see the broker's log",
    "protocol version": "the broker has to support MQTT 5, as Mosquitto does from version 1.6 on",
    "not known": "check the spelling of the host: `getent hosts HOST` shows whether this machine knows it",
    "timed out": "check the address, the firewalls on the way, and that MQTT listens at that port",
    "refused": "check that the broker runs, and that this is its address: systemctl status mosquitto",
}


def _broken(why: str) -> LinkError:
    """Return the error of a connection that could not be made, or broke, with the remedy for this reason."""
    remedies = (remedy for part, remedy in _REMEDIES.items() if part in why)
    return LinkError(why, remedy=next(remedies, "see the broker's log and the network"))
