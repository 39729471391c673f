"""MQTT: one broker, many terminals; one message, one receipt.

The receiver acknowledges messages to the broker in the order in which they came (MQTT 5, 4.6). It does so when the
intake has decided on a message and the broker has taken the receipt for it. On the next connection the broker sends
messages again that were not acknowledged. So a message that cannot be committed now stays with the broker: the receiver
closes the connection until it can commit again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import uniform
from typing import TYPE_CHECKING, Final

import structlog

from vetlla.domain.errors import LinkError
from vetlla.links.mqtt import Link
from vetlla.protocols.mqtt.decoder import NAME as PROTOCOL
from vetlla.receiver.listeners.mqtt.delivery import Connection
from vetlla.receiver.listeners.tls import client_context
from vetlla.settings.secret import read_secret

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from vetlla.protocols.decoder import MessageDecoder
    from vetlla.receiver.control.messages.receiver import ListeningAddress
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.broker import Mqtt

log = structlog.get_logger()

SHARED: Final = ("tc/+/+/ev", "tc/+/+/+/ev")
"""Topics that may go to one of several receivers; of every version, so that reports of other versions are noticed."""
OWN: Final = ("tc/+/+/hb", "tc/+/+/+/hb", "tc/+/+/$state", "tc/+/+/$info")
"""Topics that each receiver reads. With only a part of the heartbeats it would treat working terminals as lost, and
brokers do not send retained messages to shared subscriptions (MQTT 5, 4.8.2)."""
FIRST_RETRY_S: Final = 0.5
"""Pause after the first failed attempt; it doubles up to ``retry_max_s``."""
GOODBYE_S: Final = 3.0
"""Time for the last receipts and the goodbye at a stop; the broker keeps messages that are not acknowledged."""


class MqttListener:
    """The connection to one broker; it is made again after each break until the listener is stopped."""

    transport = PROTOCOL

    def __init__(
        self,
        broker: Mqtt,
        services: SessionServices,
        decoder: MessageDecoder,
        ready: Callable[[], bool],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take the broker, what decodes its messages, and a function that returns True if reports can be committed."""
        self.broker = broker
        self._services = services
        self._decoder = decoder
        self._ready = ready
        self._tls = tls
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_lost = False
        """True if the loss of the broker was already logged."""

    @property
    def connected(self) -> bool:
        """True if the broker is connected."""
        return self._services.counters.brokers.get(self.broker.name, False)

    def place(self) -> ListeningAddress:
        """Return what ``vetlla status`` shows of this listener."""
        broker = self.broker
        return {
            "name": broker.name,
            "protocol": PROTOCOL,
            "transport": self.transport,
            "host": broker.host,
            "port": broker.port,
            "connected": self.connected,
        }

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect in a task of its own, so that the receiver does not wait for the broker."""
        self._services.counters.brokers[self.broker.name] = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"mqtt {self.broker.name}")

    def use_tls(self, context: ssl.SSLContext | None) -> None:
        """Use this context for the next connection; the present connection stays."""
        self._tls = context

    def stop(self) -> None:
        """Take no further messages; those that were taken are still answered."""
        self._stop.set()

    async def close(self) -> None:
        """Send the last receipts, say goodbye, and end."""
        self.stop()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=GOODBYE_S)
            if late:
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=GOODBYE_S)

    async def _run(self) -> None:
        pause_s = FIRST_RETRY_S
        while not self._stop.is_set():
            if self._ready():
                was_connected = await self._try()
                pause_s = FIRST_RETRY_S if was_connected else min(2 * pause_s, self.broker.retry_max_s)
            # A random pause, so that not all receivers and terminals dial a returning broker at the same moment.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), uniform(pause_s / 2, pause_s))  # noqa: S311 - no secret

    async def _try(self) -> bool:
        """Serve one connection. Return True if there was one."""
        try:
            await self._serve()
        except LinkError as error:
            self._lost(error)
        except Exception:
            # A fault of the receiver or of a library: other listeners continue, and the broker is dialled again.
            log.exception("mqtt.failed", broker=self.broker.name)
        was_connected = self.connected
        self._services.counters.brokers[self.broker.name] = False
        return was_connected

    def _lost(self, error: LinkError) -> None:
        if not self._is_lost:
            self._is_lost = True
            log.error("mqtt.lost", broker=self.broker.name, why=error.args[0], remedy=error.remedy)

    async def _serve(self) -> None:
        """Serve one connection until it breaks, the receiver cannot commit, or it is stopped. Raises LinkError."""
        broker = self.broker
        state = f"tc/1/arc/{broker.node}/$state"
        password = await asyncio.to_thread(read_password, broker)
        async with link_to(broker, password, self._tls, will=(state, "lost")) as link:
            group = f"$share/{broker.share}/" if broker.share else ""
            await link.subscribe([*(f"{group}{topic}" for topic in SHARED), *OWN])
            link.publish(state, b"ready", retain=True)
            self._services.counters.brokers[broker.name] = True
            self._is_lost = False
            log.info("mqtt.connected", broker=broker.name, address=broker.address, resumed=link.resumed)
            connection = Connection(self._services, broker, link, self._decoder)
            await self._take(link, connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await link.put(state, b"disconnected", retain=True)

    async def _take(self, link: Link, connection: Connection) -> None:
        reading = asyncio.ensure_future(link.deliver(connection.take))
        stopped = asyncio.ensure_future(self._stop.wait())
        refused = asyncio.ensure_future(connection.refused.wait())
        tasks = {reading, stopped, refused}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            elif stopped.done():
                reading.cancel()
                await connection.idle()
            else:
                log.warning("mqtt.paused", broker=self.broker.name)
        finally:
            connection.end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def link_to(
    broker: Mqtt, password: str | None, tls: ssl.SSLContext | None, will: tuple[str, str] | None = None
) -> Link:
    """Return the receiver's connection to a broker, for an ``async with``."""
    return Link(
        broker.host,
        broker.port,
        broker.node,
        username=broker.username,
        password=password,
        tls=tls,
        will=will,
        keepalive_s=broker.keepalive_s,
        session_s=broker.session_s,
        receive_maximum=broker.receive_maximum,
    )


async def probe(broker: Mqtt) -> None:
    """Connect as the receiver would, and disconnect; nothing is acknowledged. Raises ConfigError, LinkError.

    It uses the receiver's own client id, because a broker may demand it, or take it from the certificate. A session
    that the broker still has is the receiver's and is left as it was. This call disconnects a receiver that is
    connected.
    """
    tls = client_context(broker.tls) if broker.tls else None
    async with link_to(broker, read_password(broker), tls) as link:
        if not link.resumed:
            link.forget()


def read_password(broker: Mqtt) -> str | None:
    """Return the password; None if no file is set. Raises ConfigError if its file cannot be used."""
    return None if broker.password_file is None else read_secret(broker.password_file, f"mqtt {broker.name}")
