"""A fleet of MQTT terminals at a broker. They send heartbeats, and repeat events until a receipt comes.

Topics and messages follow docs/protocols/mqtt.md.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Final

from vetlla.simulator.events import Story
from vetlla.simulator.mqtt.home import BrokerConnection, Due
from vetlla.simulator.mqtt.plan import CONNECTIONS_MAX, FleetCounts, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.simulator.events import Tell
    from vetlla.simulator.mqtt.home import MqttHome

UNDER_WAY_MAX: Final = 2_000
"""Largest number of messages under way in a fleet. The next one waits, and its latency counts from when it was due."""
GOODBYE_S: Final = 3.0
"""Time that a connection has to disconnect from the broker at the end."""

_ALARMS: Final = (("0003", "0010"), ("0005", "0009"), ("0023", "0009"))
_TECHNICAL: Final = (("0003", "0016"), ("0002", "0085"), ("0002", "0086"), ("0003", "0123"), ("0003", "0124"))
_TESTS: Final = (("0002", "0102"),)
_SPOKEN: Final = (_ALARMS, _TECHNICAL, _TESTS)


class EventFate(StrEnum):
    """Outcome of an event."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(slots=True)
class Event:
    """One event and its outcome."""

    terminal: str
    device: str
    ref: str
    dty: str
    stc: str
    ts: str
    """When it became due, on the terminal's clock."""
    attempts: int = 0
    fate: EventFate = EventFate.LOST


class Fleet:
    """Terminals at one broker."""

    def __init__(
        self,
        plan: Plan,
        counts: FleetCounts | None = None,
        settled: Callable[[Event], None] | None = None,
        tell: Tell | None = None,
    ) -> None:
        """Call ``settled`` with each settled event, and ``tell`` with a sentence for each event of the fleet."""
        self.counts = counts or FleetCounts()
        self._plan = plan
        self._settled = settled
        self._tell = tell
        self._random = Random(plan.seed)  # noqa: S311 - a simulation, not a secret
        size = -(-len(plan.terminals) // max(1, min(plan.connections, CONNECTIONS_MAX)))
        self._connections = [
            BrokerConnection(plan, plan.terminals[first : first + size], self.counts)
            for first in range(0, len(plan.terminals), size)
        ]
        self._homes = [home for connection in self._connections for home in connection.homes]
        self._under_way = asyncio.Semaphore(UNDER_WAY_MAX)
        self._boot = time.time_ns() // 1_000_000
        """Number of this start. It is greater than that of the previous run, so no reference is used twice."""
        self._number = 0

    async def run(self, stop: asyncio.Event | None = None) -> FleetCounts:
        """Send what is due until the end, or until ``stop``. Then wait for the last receipts."""
        stop, plan = stop or asyncio.Event(), self._plan
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(connection.live()) for connection in self._connections]
            if plan.outage or plan.silence:
                await self._stand()
            story = Story(
                self._homes,
                self.counts,
                stop,
                outage=plan.outage,
                silence=plan.silence,
                seed=plan.seed,
                tell=self._tell,
            )
            beside += [group.create_task(chapter) for chapter in story.chapters()]
            began = time.monotonic()
            try:
                await self._tell_all(stop)
            finally:
                self.counts.seconds = time.monotonic() - began
                await _ended(beside)
        return self.counts

    async def _stand(self) -> None:
        """Wait until all connections are up, at most as long as an event waits for its receipt."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._plan.timeout_s):
                for connection in self._connections:
                    await connection.up.wait()

    async def _tell_all(self, stop: asyncio.Event) -> None:
        plan, random = self._plan, self._random
        due, end = time.monotonic(), time.monotonic() + plan.duration_s
        said = 0
        async with asyncio.TaskGroup() as telling:
            if plan.outage or plan.silence:  # the receiver can miss only a terminal that it heard before
                for home in self._homes:
                    await self._release(telling, home, self._draw(due))
            while not stop.is_set() and due < end and (plan.messages is None or said < plan.messages):
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), max(0.0, due - time.monotonic()))
                home = random.choice(self._homes)
                if not home.is_silent:
                    await self._release(telling, home, self._draw(due))
                said += 1
                due += random.expovariate(plan.rate)

    def _draw(self, at: float) -> Due:
        """Return a random message that becomes due."""
        plan, random = self._plan, self._random
        *events, beats = plan.mix.weights()
        (kind,) = random.choices((*_SPOKEN, None), (*events, beats))
        device = f"ucr-{random.randint(1, plan.devices)}"
        if kind is not None:
            return Due(at, device, random.choice(kind), 0)
        return Due(at, random.choice(("", device)), None, random.randint(20, 100))

    async def _release(self, telling: asyncio.TaskGroup, home: MqttHome, due: Due) -> None:
        """Send the message now, or after those that already wait for the network."""
        if home.network.is_set() and not home.backlog:
            await self._begin(telling, home, due)
            return
        if not home.backlog:
            telling.create_task(self._catch_up(telling, home))
        home.backlog.append(due)

    async def _catch_up(self, telling: asyncio.TaskGroup, home: MqttHome) -> None:
        await home.network.wait()
        while home.backlog:
            due = home.backlog[0]
            self.counts.backlog += _is_of_before(home, due)
            await self._begin(telling, home, due)
            home.backlog.popleft()

    async def _begin(self, telling: asyncio.TaskGroup, home: MqttHome, due: Due) -> None:
        await self._under_way.acquire()
        task = telling.create_task(self._say(home, due))
        task.add_done_callback(lambda _: self._under_way.release())

    async def _say(self, home: MqttHome, due: Due) -> None:
        self._number += 1
        if due.code is None:
            await self._beat(home, due, self._number)
        else:
            dty, stc = due.code
            ref = f"{self._boot}-{self._number}"
            await self._insist(home, due, Event(home.name, due.device, ref, dty, stc, _moment(due.at)))
        if _is_of_before(home, due):
            self.counts.backlog_settled_ns = time.monotonic_ns()

    async def _beat(self, home: MqttHome, due: Due, number: int) -> None:
        """Send a heartbeat once. Send it again if an outage interrupted it."""
        topic = f"{due.device}/hb" if due.device else "hb"
        beat = {"boot": self._boot, "seq": number, "ts": _moment(due.at), "batt": due.battery, "rssi": -60}
        taken, outages = False, -1
        while not taken and outages != home.outages:
            await home.network.wait()
            outages = home.outages
            async with home.attempt(self._plan.timeout_s):
                taken = await home.connection.publish(home, topic, beat)
        self.counts.heartbeats += taken
        self.counts.heartbeats_lost += not taken

    async def _insist(self, home: MqttHome, due: Due, event: Event) -> None:
        """Repeat an event until its receipt comes or all attempts are used. One that an outage ends does not count."""
        connection, counts = home.connection, self.counts
        counts.told += 1
        payload: dict[str, object] = {"ref": event.ref, "dty": event.dty, "stc": event.stc, "ts": event.ts}
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connection.waiting[home.name, event.ref] = answered
        tries = 0
        while tries < self._plan.attempts and not answered.done():
            await home.network.wait()
            event.attempts += 1
            outages = home.outages
            async with home.attempt(self._plan.timeout_s):
                await connection.publish(home, f"{event.device}/ev", payload)
                await asyncio.shield(answered)
            tries += outages == home.outages
        connection.waiting.pop((home.name, event.ref), None)
        counts.repeated += event.attempts - 1
        if answered.done():
            event.fate = EventFate.ACCEPTED if answered.result() == "accepted" else EventFate.REFUSED
        match event.fate:
            case EventFate.ACCEPTED:
                counts.accepted += 1
                counts.latencies.add((time.monotonic_ns() - max(round(due.at * 1e9), home.back_ns)) // 1000)
            case EventFate.REFUSED:
                counts.refused += 1
            case EventFate.LOST:
                counts.lost += 1
        if self._settled is not None:
            self._settled(event)


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel the tasks, and once more those that still say goodbye to a broker that does not take it."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=GOODBYE_S)


def _is_of_before(home: MqttHome, due: Due) -> bool:
    """Return True if a message became due before the home's network was back."""
    return round(due.at * 1e9) < home.back_ns


def _moment(at: float) -> str:
    """Return a monotonic instant as the time on a device's clock (RFC 3339)."""
    return datetime.fromtimestamp(time.time() - (time.monotonic() - at), UTC).isoformat(timespec="milliseconds")
