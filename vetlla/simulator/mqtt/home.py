"""Terminals at a broker, and their connections. A connection is up while one of its terminals has a network.

Terminals share a bounded number of connections. A terminal with its own connection has its own client id and last will.
Terminals that share one differ only in their topics, which a broker that authorises by client id refuses.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import LinkError
from vetlla.links.mqtt import UNDER_WAY, Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from vetlla.links.mqtt import Delivered
    from vetlla.simulator.mqtt.plan import FleetCounts, Plan

RECONNECT_S: Final = 1.0


class Due(NamedTuple):
    """One message that became due."""

    at: float
    """Monotonic time in seconds."""
    device: str
    """The UCR, or "" for the terminal itself."""
    code: tuple[str, str] | None
    """Device type and status of an event, or None for a heartbeat."""
    battery: int


class MqttHome:
    """One terminal, the state of its network and the messages that wait for it."""

    def __init__(self, name: str, connection: BrokerConnection) -> None:
        self.name = name
        self.connection = connection
        self.network = asyncio.Event()
        """Set while the terminal has a network."""
        self.network.set()
        self.outages = 0
        self.back_ns = 0
        """When the network came back, monotonic. The time without it is not latency of the receiver."""
        self.backlog: deque[Due] = deque()
        """Messages to send before any new one."""
        self.is_silent = False
        self._trying: set[asyncio.Timeout] = set()

    def lose_network(self) -> bool:
        """Cut the terminal off without a DISCONNECT. Return True if that broke an open connection."""
        self.network.clear()
        self.outages += 1
        for patience in self._trying:
            if not patience.expired():
                patience.reschedule(0)
        return self.connection.lose_network()

    def find_network(self) -> None:
        """Reconnect. If another terminal already restored a shared connection, the first message announces this one."""
        self.back_ns = time.monotonic_ns()
        self.network.set()
        self.connection.find_network()

    def fall_silent(self) -> None:
        """Send nothing from now on, but keep the connection."""
        self.is_silent = True

    @asynccontextmanager
    async def attempt(self, within_s: float) -> AsyncIterator[None]:
        """Run the body for at most this time, or until the network fails; then ``outages`` has changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s) as patience:
                self._trying.add(patience)
                try:
                    yield
                finally:
                    self._trying.discard(patience)


class BrokerConnection:
    """One connection and the terminals behind it."""

    def __init__(self, plan: Plan, terminals: Sequence[str], counts: FleetCounts) -> None:
        self.homes = [MqttHome(name, self) for name in terminals]
        self.up = asyncio.Event()
        self.waiting: dict[tuple[str, str], asyncio.Future[str]] = {}
        """The awaited status of each receipt, by terminal and reference."""
        self._plan = plan
        self._counts = counts
        self._link: Link | None = None
        self._network = asyncio.Event()
        """Set while one of the terminals has a network."""
        self._network.set()
        self._announced: set[str] = set()
        self._room = asyncio.Semaphore(UNDER_WAY)

    async def live(self) -> None:
        """Connect, and reconnect after each failure, until cancelled."""
        while True:
            await self._network.wait()
            link = self._link = self._make_link()
            with suppress(LinkError):
                async with link:
                    await link.subscribe([f"tc/1/{home.name}/receipt/#" for home in self.homes])
                    for home in self.homes:
                        if home.network.is_set():
                            await self._announce(link, home.name)
                    self._counts.connections += 1
                    self.up.set()
                    if not self._network.is_set():  # it failed while we connected
                        self.lose_network()
                    await link.deliver(self._hear)
            self.up.clear()
            self._link = None
            self._announced.clear()
            if self._network.is_set():
                await asyncio.sleep(RECONNECT_S)

    def lose_network(self) -> bool:
        """Break off without DISCONNECT, so that the broker sends the last will. Return True if a connection was up."""
        stood = self.up.is_set()
        self.up.clear()
        self._network.clear()
        if self._link is not None:
            self._link.cut()
        return stood

    def find_network(self) -> None:
        """Connect again."""
        self._network.set()

    async def publish(self, home: MqttHome, topic: str, payload: Mapping[str, object]) -> bool:
        """Publish once below the terminal's branch. Return True if the broker took it."""
        await self.up.wait()
        link = self._link
        if link is None or not self.up.is_set():
            return False
        try:
            async with self._room:
                if home.name not in self._announced:
                    await self._announce(link, home.name)
                await link.put(f"tc/1/{home.name}/{topic}", json.dumps(payload).encode())
        except LinkError:
            return False
        return True

    def _make_link(self) -> Link:
        first = self.homes[0].name
        is_own = len(self.homes) == 1
        will = (f"tc/1/{first}/$state", "lost") if is_own and self._plan.last_will else None
        plan = self._plan
        return Link(
            plan.host,
            plan.port,
            first if is_own else f"fleet-{first}",
            username=plan.username,
            password=plan.password,
            tls=plan.tls,
            will=will,
        )

    async def _announce(self, link: Link, name: str) -> None:
        self._announced.add(name)
        await link.put(f"tc/1/{name}/$state", b"ready", retain=True)

    def _hear(self, message: Delivered) -> None:
        if self._link is not None and message.qos:
            self._link.ack(message.mid)
        with suppress(ValueError, KeyError, TypeError):  # another client may publish here what is not a receipt
            receipt = json.loads(message.payload)
            waiting = self.waiting.pop((message.topic.split("/")[2], receipt["ref"]))
            waiting.set_result(receipt["status"])
