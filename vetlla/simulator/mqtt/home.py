"""Terminals at a broker, and the connections that they share: up while a terminal has a network, gone when it fails.

Terminals share a bounded number of connections. With one each, a connection is its terminal: client id, last will and
all; where they share, only their topics tell them apart, which a broker that authorises by client id refuses.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import aiomqtt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from vetlla.simulator.mqtt.plan import FleetCounts, Plan

PUBLISHED_MAX: Final = 20
"""Messages of one connection that wait for their PUBACK: what Mosquitto takes by default."""
RECONNECT_S: Final = 1.0


class Due(NamedTuple):
    """One message that became due."""

    at: float
    """Monotonic."""
    device: str
    """"": of the terminal itself."""
    code: tuple[str, str] | None
    """Device type and status of an event; None: a heartbeat."""
    battery: int


class Home:
    """One terminal: whether it has a network, and what waits until it has."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.connection = connection
        self.network = asyncio.Event()
        """Set while there is one."""
        self.network.set()
        self.outages = 0
        self.back_ns = 0
        """When the network came back, monotonic: the time without one is no latency of the receiver's."""
        self.backlog: deque[Due] = deque()
        """What is told before anything new."""
        self.is_silent = False
        self._trying: set[asyncio.Timeout] = set()

    def lose_network(self) -> bool:
        """Be cut off, without a goodbye to the broker; say whether that broke a connection that stood."""
        self.network.clear()
        self.outages += 1
        for patience in self._trying:
            if not patience.expired():
                patience.reschedule(0)
        return self.connection.lose_network()

    def find_network(self) -> None:
        """Go on. Who shares a connection that a neighbour brought back is announced with its first message."""
        self.back_ns = time.monotonic_ns()
        self.network.set()
        self.connection.find_network()

    def fall_silent(self) -> None:
        """Say nothing from now on; the connection stands."""
        self.is_silent = True

    @asynccontextmanager
    async def attempt(self, within_s: float) -> AsyncIterator[asyncio.Timeout]:
        """Try for so long, or until the network goes; ``outages`` tells which it was.

        Whoever goes on after aiomqtt asks first whether the time has expired: it waits by ``asyncio.wait_for``, which
        loses a cancellation that comes together with the broker's answer (Python 3.11, gh-86296).
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s) as patience:
                self._trying.add(patience)
                try:
                    yield patience
                finally:
                    self._trying.discard(patience)


class Connection:
    """One connection and the terminals behind it."""

    def __init__(self, plan: Plan, terminals: Sequence[str], counts: FleetCounts) -> None:
        self.homes = [Home(name, self) for name in terminals]
        self.up = asyncio.Event()
        self.waiting: dict[tuple[str, str], asyncio.Future[str]] = {}
        """By terminal and reference: the status of the receipt."""
        self._plan = plan
        self._counts = counts
        self._client: aiomqtt.Client | None = None
        self._network = asyncio.Event()
        """Set while one of the terminals has one."""
        self._network.set()
        self._announced: set[str] = set()
        self._room = asyncio.Semaphore(PUBLISHED_MAX)

    async def live(self) -> None:
        """Be connected, again and again, until cancelled."""
        while True:
            await self._network.wait()
            client = self._client = self._make_client()
            with suppress(aiomqtt.MqttError):
                async with client:
                    for home in self.homes:
                        await client.subscribe(f"tc/1/{home.name}/receipt/#", qos=1)
                        if home.network.is_set():
                            await self._announce(client, home.name)
                    self._counts.connections += 1
                    self.up.set()
                    if not self._network.is_set():  # it failed while we connected
                        self.lose_network()
                    async for message in client.messages:
                        self._hear(message)
            self.up.clear()
            self._client = None
            self._announced.clear()
            if self._network.is_set():
                await asyncio.sleep(RECONNECT_S)

    def lose_network(self) -> bool:
        """Break off without DISCONNECT, so that the broker sends the last will; say whether the connection stood."""
        stood = self.up.is_set()
        self.up.clear()
        self._network.clear()
        wire = self._client._client.socket() if self._client is not None else None  # noqa: SLF001 - aiomqtt hides it
        if isinstance(wire, socket.socket):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        return stood

    def find_network(self) -> None:
        """Connect again."""
        self._network.set()

    async def publish(self, home: Home, topic: str, payload: Mapping[str, object]) -> bool:
        """Publish once below the terminal's branch; say whether the broker took it."""
        await self.up.wait()
        client = self._client
        if client is None or not self.up.is_set():
            return False
        try:
            async with self._room:
                if home.name not in self._announced:
                    await self._announce(client, home.name)
                await client.publish(f"tc/1/{home.name}/{topic}", json.dumps(payload), qos=1)
        except aiomqtt.MqttError:
            return False
        return True

    def _make_client(self) -> aiomqtt.Client:
        first = self.homes[0].name
        is_own = len(self.homes) == 1
        client = aiomqtt.Client(
            self._plan.host,
            self._plan.port,
            identifier=first if is_own else f"fleet-{first}",
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(f"tc/1/{first}/$state", "lost", qos=1, retain=True) if is_own else None,
        )
        client.pending_calls_threshold = PUBLISHED_MAX + len(self.homes)  # what is meant to be is no warning
        return client

    async def _announce(self, client: aiomqtt.Client, name: str) -> None:
        self._announced.add(name)
        await client.publish(f"tc/1/{name}/$state", "ready", qos=1, retain=True)

    def _hear(self, message: aiomqtt.Message) -> None:
        with suppress(ValueError, KeyError, TypeError):  # not a receipt: somebody else's idea of one
            receipt = json.loads(bytes(message.payload))
            waiting = self.waiting.pop((message.topic.value.split("/")[2], receipt["ref"]))
            waiting.set_result(receipt["status"])
