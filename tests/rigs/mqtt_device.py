"""A home terminal as an independent MQTT client: it uses paho and no code of the receiver (docs/protocols/mqtt.md)."""

from __future__ import annotations

import json
import socket
from threading import Condition
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.rigs.broker import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Device:
    """One connection of one terminal. It keeps the messages that it receives."""

    def __init__(
        self,
        terminal: str,
        port: int,
        *,
        host: str = "127.0.0.1",
        client_id: str | None = None,
        will: bool = True,
        subscribe: str = "",
        prepare: Callable[[mqtt.Client], object] = lambda _: None,
    ) -> None:
        self.terminal = terminal
        self.heard: list[tuple[str, bytes, mqtt.MQTTMessage]] = []
        self.codes: dict[int, int] = {}
        """PUBACK reason codes by message id."""
        self._subscribe = subscribe or f"tc/1/{terminal}/receipt/#"
        self._changed = Condition()
        self._is_subscribed = False
        self._refused: object = None
        client = self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or terminal, protocol=mqtt.MQTTv5
        )
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        if will:
            client.will_set(f"tc/1/{terminal}/$state", "lost", qos=1, retain=True)
        prepare(client)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        client.connect_async(host, port, keepalive=20, clean_start=False, properties=properties)
        client.loop_start()

    def __enter__(self) -> Self:
        self.await_subscribed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- actions ----------------------------------------------------------------------------------------------------

    def publish(
        self, leaf: str, payload: object, *, qos: int = 1, retain: bool = False, topic: str = "", **properties: object
    ) -> int:
        """Publish below the terminal's branch; return the message's id."""
        said = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        for name, value in properties.items():
            setattr(said, name, value)
        data = payload if isinstance(payload, bytes | str) else json.dumps(payload)
        info = self._client.publish(topic or f"tc/1/{self.terminal}/{leaf}", data, qos, retain, said)
        return info.mid

    def break_off(self) -> None:
        """Lose the connection without a DISCONNECT, so that the broker sends the last will; then connect again."""
        wire = self._client.socket()
        assert isinstance(wire, socket.socket)
        wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Disconnect normally."""
        self._client.disconnect()
        self._client.loop_stop()

    # --- waits ------------------------------------------------------------------------------------------------------

    def await_subscribed(self) -> None:
        """Wait until the broker took the subscription."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._is_subscribed, PATIENCE_S), self._refused

    def await_code(self, mid: int) -> int:
        """Wait for a message's PUBACK; return its reason code."""
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self.codes, PATIENCE_S)
        return self.codes[mid]

    def await_receipt(self, ref: str, *, within_s: float = PATIENCE_S) -> dict[str, Any] | None:
        """Return the receipt of an event, or None if none comes within that time."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [receipt for receipt in self.receipts() if receipt["ref"] == ref]
            return bool(found)

        with self._changed:
            self._changed.wait_for(there, within_s)
        return found[0] if found else None

    def await_heard(self, fits: Callable[[str, bytes], bool]) -> tuple[str, bytes, mqtt.MQTTMessage]:
        """Wait for a message that fits, and return it."""
        found: list[tuple[str, bytes, mqtt.MQTTMessage]] = []

        def there() -> bool:
            found[:] = [message for message in self.heard if fits(message[0], message[1])]
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(there, PATIENCE_S), [message[:2] for message in self.heard]
        return found[0]

    def receipts(self) -> list[dict[str, Any]]:
        """Return all receipts received so far."""
        return [json.loads(payload) for topic, payload, _ in list(self.heard) if "/receipt" in topic]

    # --- callbacks of paho ------------------------------------------------------------------------------------------

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, code: object, _said: object) -> None:
        self._refused = code
        client.subscribe(self._subscribe, qos=1)

    def _on_subscribe(self, _client: object, _data: object, _mid: int, _codes: object, _said: object) -> None:
        with self._changed:
            self._is_subscribed = True
            self._changed.notify_all()

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self.heard.append((message.topic, bytes(message.payload), message))
            self._changed.notify_all()

    def _on_publish(self, _client: object, _data: object, mid: int, code: Any, _said: object) -> None:  # noqa: ANN401
        with self._changed:
            self.codes[mid] = code.value
            self._changed.notify_all()
