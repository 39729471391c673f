"""One connection to an MQTT 5 broker: the only module that uses aiomqtt, and paho beneath it.

aiomqtt drops messages when its queue is full, and lets paho acknowledge a message as soon as it is in that queue. Here
each message goes from paho directly to the function that takes it, without a queue, and ``ack`` acknowledges it when it
is settled. A queue with room for Receive Maximum messages would be too short: after a burst of acknowledgements
Mosquitto 2.0.11 had 3,822 messages under way although 1,000 were allowed. For this, and to get the result of each
publication, this module uses the paho client inside aiomqtt's. The tests of this listener check that this works.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from vetlla.domain.errors import LinkError
from vetlla.protocols.decoder import Message
from vetlla.receiver.listeners.mqtt.socket_watch import SocketWatch

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from paho.mqtt.client import Client as Paho
    from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from vetlla.settings.broker import Mqtt

CONNECT_S: Final = 10.0
"""Time a broker has for each answer: to the connection, the subscription and the goodbye."""
UNDER_WAY: Final = 20
"""The receiver's publications that wait for the broker's acknowledgement; Mosquitto's default for a client."""
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

    message: Message
    qos: int
    mid: int
    response_topic: str
    correlation: bytes


class Link:
    """A connection, from ``async with`` to its end. Raises LinkError if it cannot be made, or breaks."""

    def __init__(
        self, broker: Mqtt, *, password: str | None, tls: ssl.SSLContext | None, will: tuple[str, str] | None = None
    ) -> None:
        self._broker = broker
        self.resumed = False
        """True if the broker still had the receiver's session, with the messages that came while it was away."""
        self._done: dict[int, Callable[[int], None]] = {}
        self._parts = AsyncExitStack()
        self._client = aiomqtt.Client(
            broker.host,
            broker.port,
            identifier=broker.node,
            username=broker.username,
            password=password,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=_properties(
                PacketTypes.CONNECT,
                SessionExpiryInterval=broker.session_s,
                ReceiveMaximum=broker.receive_maximum,
            ),
            will=aiomqtt.Will(*will, qos=1, retain=True) if will else None,
            keepalive=broker.keepalive_s,
            timeout=CONNECT_S,
            tls_context=tls,
            # A receipt is small and follows an acknowledgement, so Nagle's algorithm would delay it by 40 ms.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            max_inflight_messages=UNDER_WAY,
        )
        self._paho: Paho = self._client._client  # noqa: SLF001 - see the module's head
        self._paho.manual_ack_set(on=True)
        self._loop = asyncio.get_running_loop()
        self._early: list[Delivered] = []
        """Messages that came before ``deliver`` was called, because a resumed session begins at once."""
        self._take: Callable[[Delivered], None] = self._keep
        self._connected_hook: Any = self._paho.on_connect
        self._published_hook: Any = self._paho.on_publish
        self._ended_hook: Any = self._paho.on_disconnect
        self._paho.on_connect = self._connected
        self._paho.on_disconnect = self._ended
        self._paho.on_publish = self._published
        self._paho.on_message = self._heard
        self._socket = SocketWatch(self._paho, self._failed)

    async def __aenter__(self) -> Self:
        try:
            await self._parts.enter_async_context(self._client)
        except aiomqtt.MqttError as error:
            # Disconnect, or a late answer from the broker would leave two connections with this client id.
            self._paho.disconnect()
            raise LinkError(str(error) or "no answer", remedy=_remedy(str(error))) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._parts.aclose()
        except aiomqtt.MqttError as failure:
            if error is None:
                raise LinkError(str(failure)) from failure
        finally:
            if self._paho.socket() is not None:  # aiomqtt leaves it open if paho has failed
                self._paho.disconnect()

    def forget(self) -> None:
        """Disconnect, and let the broker drop the session and its messages (MQTT 5, 3.14.2.2.2)."""
        self._paho.disconnect(properties=_properties(PacketTypes.DISCONNECT, SessionExpiryInterval=0))

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe with QoS 1; retained messages come only if the subscription is new. Raises LinkError."""
        options = SubscribeOptions(qos=1, retainHandling=ONLY_IF_NEW)
        shared = SubscribeOptions(qos=1)  # MQTT 5, 4.8.2: brokers send no retained messages to these
        try:
            codes = await self._client.subscribe(
                [(topic, shared if topic.startswith("$share/") else options) for topic in topics]
            )
        except aiomqtt.MqttError as error:
            raise LinkError(str(error)) from error
        granted: Sequence[Any] = codes
        for topic, code in zip(topics, granted, strict=True):
            if code.value >= REFUSED:
                raise LinkError(
                    f"the broker refuses the subscription to {topic}: {code}",
                    remedy=f"let {self._broker.username or self._broker.node} read it in the broker's ACL",
                )

    async def deliver(self, take: Callable[[Delivered], None]) -> None:
        """Call ``take`` with each message as it comes. Raises LinkError when the connection breaks."""
        self._take = take
        early, self._early = self._early, []
        for message in early:
            take(message)
        ended = self._client._disconnected  # noqa: SLF001 - see the module's head
        await asyncio.wait({ended})
        try:
            ended.result()
        except aiomqtt.MqttError as error:
            why = str(error.__cause__ or error).replace("[code:128] Unspecified error", "the connection broke")
            raise LinkError(why, remedy=_remedy(why)) from error

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
        properties = _properties(PacketTypes.PUBLISH, **({"CorrelationData": correlation} if correlation else {}))
        info = self._paho.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if done is not None:
            self._done[info.mid] = done

    def _keep(self, delivered: Delivered) -> None:
        if delivered.qos or len(self._early) < UNACKNOWLEDGED_ROOM:
            self._early.append(delivered)

    # --- hooks that paho calls --------------------------------------------------------------------------------------

    def _heard(self, _client: Paho, _data: object, message: MQTTMessage) -> None:
        said: Any = message.properties
        self._take(
            Delivered(
                Message(message.topic, bytes(message.payload), message.retain),
                qos=message.qos,
                mid=message.mid,
                response_topic=getattr(said, "ResponseTopic", ""),
                correlation=getattr(said, "CorrelationData", b""),
            )
        )

    def _failed(self, error: Exception) -> None:
        if not self._client._disconnected.done():  # noqa: SLF001 - as aiomqtt does when it calls paho itself
            self._client._disconnected.set_exception(error)  # noqa: SLF001

    def _connected(
        self, client: Paho, data: object, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self.resumed = flags.session_present
        self._connected_hook(client, data, flags, code, properties)

    def _ended(
        self, client: Paho, data: object, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._ended_hook(client, data, flags, code, properties)
        if code.is_failure:
            self._loop.call_soon_threadsafe(self._unanswered)  # the thread that connects may be the one that fails

    def _unanswered(self) -> None:
        # aiomqtt would continue to wait for the answer of a broker that has closed the connection.
        if not self._client._connected.done():  # noqa: SLF001 - see the module's head
            self._client._connected.set_exception(aiomqtt.MqttError("the connection ended unanswered"))  # noqa: SLF001

    def _published(self, client: Paho, data: object, mid: int, code: ReasonCode, properties: Properties) -> None:
        self._published_hook(client, data, mid, code, properties)
        if (done := self._done.pop(mid, None)) is not None:
            done(code.value)


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


def _remedy(why: str) -> str:
    return next((remedy for part, remedy in _REMEDIES.items() if part in why), "see the broker's log and the network")
