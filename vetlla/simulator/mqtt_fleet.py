"""A fleet of MQTT terminals at a broker: beats and events after docs/protocols/mqtt.md, repeated until receipted.

Terminals share a bounded number of connections. With one each, a connection is its terminal: client id, last will and
all; where they share, only their topics tell them apart, which a broker that authorises by client id refuses.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Final

import aiomqtt

from vetlla.simulator.statistics import Latencies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vetlla.simulator.scenario import Mix

CONNECTIONS_MAX: Final = 200
"""Connections of one fleet: each costs a descriptor, a task and a keep-alive."""
UNDER_WAY_MAX: Final = 2_000
"""Events of a fleet that wait for their receipts; then the next one waits, and counts from when it was due."""
PUBLISHED_MAX: Final = 20
"""Messages of one connection that wait for their PUBACK: what Mosquitto takes by default."""
RECONNECT_S: Final = 1.0

_ALARMS: Final = (("0003", "0010"), ("0005", "0009"), ("0023", "0009"))
_TECHNICAL: Final = (("0003", "0016"), ("0002", "0085"), ("0002", "0086"), ("0003", "0123"), ("0003", "0124"))
_TESTS: Final = (("0002", "0102"),)
_SPOKEN: Final = (_ALARMS, _TECHNICAL, _TESTS)


class Fate(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a fleet is, and what it says."""

    host: str
    port: int
    terminals: Sequence[str]
    mix: Mix
    devices: int = 1
    """UCRs of each terminal: ucr-1, ucr-2 ..."""
    connections: int = CONNECTIONS_MAX
    rate: float = 10.0
    """Messages a second over all terminals, at random instants, whether receipted or not."""
    duration_s: float = 10.0
    messages: int | None = None
    """Stop after so many."""
    timeout_s: float = 5.0
    """A terminal repeats an event that has no receipt after this time ..."""
    attempts: int = 5
    """... so often in all."""
    seed: int = 0


@dataclass(slots=True)
class Event:
    """One event and what became of it."""

    terminal: str
    device: str
    ref: str
    dty: str
    stc: str
    attempts: int = 0
    fate: Fate = Fate.LOST


@dataclass(slots=True)
class FleetCounts:
    """Running counts of a fleet."""

    told: int = 0
    """Events that were due."""
    accepted: int = 0
    refused: int = 0
    lost: int = 0
    repeated: int = 0
    heartbeats: int = 0
    """Taken by the broker; nobody receipts them."""
    heartbeats_lost: int = 0
    connections: int = 0
    seconds: float = 0.0
    latencies: Latencies = field(default_factory=Latencies)
    """From due to receipted."""

    @property
    def complete(self) -> bool:
        """Whether every event was accepted."""
        return self.accepted == self.told


class _Connection:
    """One connection and the terminals behind it."""

    def __init__(self, plan: Plan, terminals: Sequence[str], counts: FleetCounts) -> None:
        self._plan = plan
        self._terminals = terminals
        self._counts = counts
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self._room = asyncio.Semaphore(PUBLISHED_MAX)
        self.waiting: dict[tuple[str, str], asyncio.Future[str]] = {}
        """By terminal and reference: the status of the receipt."""

    async def live(self) -> None:
        """Be connected, again and again, until cancelled."""
        plan, first = self._plan, self._terminals[0]
        is_own = len(self._terminals) == 1
        will = aiomqtt.Will(f"tc/1/{first}/$state", "lost", qos=1, retain=True) if is_own else None
        while True:
            client = aiomqtt.Client(
                plan.host,
                plan.port,
                identifier=first if is_own else f"fleet-{first}",
                protocol=aiomqtt.ProtocolVersion.V5,
                will=will,
            )
            with suppress(aiomqtt.MqttError):
                async with client:
                    for terminal in self._terminals:
                        await client.subscribe(f"tc/1/{terminal}/receipt/#", qos=1)
                        await client.publish(f"tc/1/{terminal}/$state", "ready", qos=1, retain=True)
                    self._counts.connections += 1
                    self._client = client
                    self._up.set()
                    async for message in client.messages:
                        self._hear(message)
            self._up.clear()
            self._client = None
            await asyncio.sleep(RECONNECT_S)

    def _hear(self, message: aiomqtt.Message) -> None:
        with suppress(ValueError, KeyError, TypeError):  # not a receipt: somebody else's idea of one
            receipt = json.loads(bytes(message.payload))
            waiting = self.waiting.pop((message.topic.value.split("/")[2], receipt["ref"]))
            waiting.set_result(receipt["status"])

    async def publish(self, topic: str, payload: Mapping[str, object]) -> bool:
        """Publish once; say whether the broker took it."""
        await self._up.wait()
        client = self._client
        if client is None:
            return False
        try:
            async with self._room:
                await client.publish(topic, json.dumps(payload), qos=1)
        except aiomqtt.MqttError:
            return False
        return True


class Fleet:
    """Terminals at one broker."""

    def __init__(
        self, plan: Plan, counts: FleetCounts | None = None, settled: Callable[[Event], None] | None = None
    ) -> None:
        """``settled`` is called with each event that has met its fate."""
        self.counts = counts or FleetCounts()
        self._plan = plan
        self._settled = settled
        self._random = Random(plan.seed)  # noqa: S311 - a simulation, not a secret
        size = -(-len(plan.terminals) // max(1, min(plan.connections, CONNECTIONS_MAX)))
        self._connections: dict[str, _Connection] = {}
        for first in range(0, len(plan.terminals), size):
            behind = plan.terminals[first : first + size]
            self._connections |= dict.fromkeys(behind, _Connection(plan, behind, self.counts))
        self._boot = time.time_ns() // 1_000_000
        """A start's number, greater than the last one's without anything kept: references are never used again."""
        self._number = 0

    async def run(self, stop: asyncio.Event | None = None) -> FleetCounts:
        """Say what is due until the end, or until ``stop``; wait for the last receipts."""
        stop = stop or asyncio.Event()
        lives = [asyncio.ensure_future(one.live()) for one in set(self._connections.values())]
        began = time.monotonic()
        try:
            await self._tell_all(stop)
        finally:
            self.counts.seconds = time.monotonic() - began
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
        return self.counts

    async def _tell_all(self, stop: asyncio.Event) -> None:
        plan, random = self._plan, self._random
        under_way = asyncio.Semaphore(UNDER_WAY_MAX)
        due, end = time.monotonic(), time.monotonic() + plan.duration_s
        said = 0
        async with asyncio.TaskGroup() as telling:
            while not stop.is_set() and due < end and (plan.messages is None or said < plan.messages):
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), max(0.0, due - time.monotonic()))
                await under_way.acquire()
                task = telling.create_task(self._tell(due))
                task.add_done_callback(lambda _: under_way.release())
                said += 1
                due += random.expovariate(plan.rate)

    async def _tell(self, due: float) -> None:
        plan, random = self._plan, self._random
        terminal, device = random.choice(plan.terminals), f"ucr-{random.randint(1, plan.devices)}"
        *events, beats = plan.mix.weights()
        (kind,) = random.choices((*_SPOKEN, None), (*events, beats))
        self._number += 1
        if kind is None:
            topic = random.choice((f"tc/1/{terminal}/hb", f"tc/1/{terminal}/{device}/hb"))
            beat = {"boot": self._boot, "seq": self._number, "batt": random.randint(20, 100), "rssi": -60}
            taken = False
            with suppress(TimeoutError):
                async with asyncio.timeout(plan.timeout_s):
                    taken = await self._connections[terminal].publish(topic, beat)
            self.counts.heartbeats += taken
            self.counts.heartbeats_lost += not taken
            return
        dty, stc = random.choice(kind)
        await self._insist(Event(terminal, device, f"{self._boot}-{self._number}", dty, stc), due)

    async def _insist(self, event: Event, due: float) -> None:
        """Repeat an event until its receipt comes, or patience ends."""
        connection, counts = self._connections[event.terminal], self.counts
        counts.told += 1
        payload: dict[str, object] = {"ref": event.ref, "dty": event.dty, "stc": event.stc}
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connection.waiting[event.terminal, event.ref] = answered
        while event.attempts < self._plan.attempts and not answered.done():
            event.attempts += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(self._plan.timeout_s):
                    await connection.publish(f"tc/1/{event.terminal}/{event.device}/ev", payload)
                    await asyncio.shield(answered)
        connection.waiting.pop((event.terminal, event.ref), None)
        counts.repeated += event.attempts - 1
        if answered.done():
            event.fate = Fate.ACCEPTED if answered.result() == "accepted" else Fate.REFUSED
        match event.fate:
            case Fate.ACCEPTED:
                counts.accepted += 1
                counts.latencies.add(round((time.monotonic() - due) * 1e6))
            case Fate.REFUSED:
                counts.refused += 1
            case Fate.LOST:
                counts.lost += 1
        if self._settled is not None:
            self._settled(event)
