"""The receiver's core as in the daemon, with a real journal, a real writer thread, and a clock that only tests move."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.rigs.messages import checked, each_checked, request_of
from vetlla.domain.accounts import AccountBook
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.domain.signals import AccountId, Arrival, Event, Kind, Phase, Reject, Signal
from vetlla.domain.supervision import NOTHING, KeptDevice
from vetlla.receiver.commit.operations import Operation
from vetlla.receiver.commit.writer import Writer
from vetlla.receiver.control.roles import Caller, User
from vetlla.receiver.counters import Counters
from vetlla.receiver.queue.alarm_view import AlarmView
from vetlla.receiver.sinks.deliveries import delivery_of
from vetlla.receiver.supervision.expectations import Expectations
from vetlla.receiver.supervision.line_receivers import with_line_receivers
from vetlla.receiver.watchers import Watchers
from vetlla.receiver.wiring import Bounds, build
from vetlla.service.queue import order
from vetlla.settings.model import Settings
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import verify
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.outbox import JournalOutbox
from vetlla.store.journal.supervision_rows import read_units
from vetlla.store.removing import JournalRemovals

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from vetlla.domain.accounts import Account
    from vetlla.domain.clock import Clock
    from vetlla.domain.signals import Verdict
    from vetlla.domain.supervision import Expected
    from vetlla.receiver.sinks.contract import SinkDelivery
    from vetlla.settings.sinks.model import Sink
    from vetlla.store.journal.batch import Batch

PATIENCE_S = 20.0
"""Longest wait of a test, on a machine with other work."""
TURN_S = 0.002
ANA = Caller("ana", supervisor=False, engineer=False)
BERTA = ANA._replace(operator="berta")
SARA = Caller("sara", supervisor=True, engineer=True)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition is true. Raises TimeoutError if that takes too long."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(TURN_S)


async def by_name(name: str) -> User | None:
    """Return a user of the machine, as its name service would. There are four users."""
    return User(name, frozenset(), ours=True) if name in {"ana", "berta", "carla", "sara"} else None


def signal(account: str = "1234", code: str = "101", *, kind: Kind = Kind.PERSONAL_EMERGENCY, **said: object) -> Signal:
    """Return an invented report. ``identity`` identifies it; without one it is never a duplicate."""
    values: dict[str, Any] = {
        "protocol": "dc09",
        "id": AccountId("", "0", account),
        "event": Event(kind, Phase.NEW, code, "ADM-CID"),
        "raw": f'\n0000"ADM-CID"0001L0#{account}[{code}]\r'.encode(),
        "device": "1",
    }
    return Signal(**values | said)


class FaultyJournal(Journal):
    """A journal whose commits a test can hold or let fail before they reach the disk."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        super().__init__(directory, clock)
        self.gate = threading.Event()
        self.gate.set()
        self.failing = False
        self.failing_checkpoint = False
        self.written: list[Batch] = []
        self.at_gate = threading.Event()
        """Set while a commit is held."""

    def write(self, batch: Batch) -> None:
        """Commit once the gate is open, or fail if the test asked for it."""
        if not self.gate.is_set():
            self.at_gate.set()
            assert self.gate.wait(PATIENCE_S)
            self.at_gate.clear()
        if self.failing:
            raise StoreError("the commit failed, as the test asked")
        super().write(batch)
        self.written.append(batch)

    def checkpoint(self) -> None:
        """Checkpoint, or fail if the test asked for it."""
        if self.failing_checkpoint:
            raise StoreError("the checkpoint failed, as the test asked")
        super().checkpoint()

    def resume(self) -> None:
        """Resume, or fail if the test asked for it."""
        if self.failing:
            raise StoreError("the journal cannot resume, as the test asked")
        super().resume()


class Told(NamedTuple):
    """The verdicts that a peer's session got for a frame, and when."""

    verdicts: Sequence[Verdict] | None
    at: datetime


class Core:
    """Everything behind the listeners."""

    def __init__(
        self,
        directory: Path,
        *,
        settings: Settings | None = None,
        accounts: Iterable[Account] = (),
        clock: ManualClock | None = None,
        bounds: Bounds = Bounds(),
        deliveries: Callable[[Sink, Clock], SinkDelivery] = delivery_of,
        districts: Mapping[str, str] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.directory = directory
        self.settings = settings or small(directory)
        self.clock = clock or ManualClock()
        self.counters = Counters(("dc09",))
        self.watchers = Watchers()
        self.journal = FaultyJournal(directory, self.clock)
        self.writer = Writer(self.journal, loop, self.clock)
        self.recovered = self.journal.recover(
            round(self.settings.store.duplicate_window_s * 1e6),
            chain_us=round(self.settings.queue.chain_window_s * 1e6),
            ports=[line.name for line in self.settings.line],
        )
        book = AccountBook(accounts, districts or {})
        self.book, _ = with_line_receivers(book, NOTHING, self.settings.line)
        self.parts = build(
            self.settings,
            writer=self.writer,
            removals=JournalRemovals(self.journal, self.clock),
            outbox=JournalOutbox(directory, lambda: self.journal.file),
            recovered=self.recovered,
            book=self.book,
            counters=self.counters,
            watchers=self.watchers,
            clock=self.clock,
            loop=loop,
            bounds=bounds,
            known=by_name,
            deliveries=deliveries,
        )
        self.commit, self.desk, self.budget = self.parts.commit, self.parts.desk, self.parts.budget
        self.supervision, self.intake, self.escalation = (
            self.parts.supervision,
            self.parts.intake,
            self.parts.escalation,
        )
        self.sinks = self.parts.sinks
        self.requests = self.parts.queue_requests
        routes = (
            *self.requests.routes(),
            *self.parts.supervision_requests.routes(),
            *self.parts.sink_requests.routes(),
        )
        self.routes = {route.kind.wire_name(): route for route in routes}
        self.supervision.recover(self.journal)
        self.desk.resume(self.clock.now(), self.commit.batch)

    async def register(self, expected: Expected = NOTHING) -> None:
        """Give the accounts to supervision, and what the inventory has of them."""
        settings = self.settings.supervision
        _, expected = with_line_receivers(AccountBook(), expected, self.settings.line)
        await self.supervision.apply(settings, Expectations(self.book, expected, settings))

    # --- actions of homes -------------------------------------------------------------------------------------------

    def arrival(self, peer: str = "192.0.2.7:40000", *, seconds_ago: float = 0.0, listener: str = "dc09") -> Arrival:
        """Return the arrival of bytes now, over a connection that was set up some time ago."""
        now = self.clock.now()
        before_us = round(seconds_ago * 1e6)
        established = now._replace(utc_us=now.utc_us - before_us, mono_us=now.mono_us - before_us)
        return Arrival(listener=listener, transport="tcp", peer=peer, established=established, received=now)

    def submit(self, *signals: Signal, arrival: Arrival | None = None) -> asyncio.Future[Told]:
        """Submit a frame. Return the future of the verdicts for its peer."""
        told: asyncio.Future[Told] = asyncio.get_running_loop().create_future()

        def deliver(verdicts: Sequence[Verdict] | None, at: datetime) -> None:
            if not told.cancelled():  # a test that kills the process cancels it
                told.set_result(Told(verdicts, at))  # a second verdict raises

        self.intake.submit(arrival or self.arrival(), signals, deliver)
        return told

    def reject(self, reject: Reject, peer: str = "192.0.2.7:40000") -> None:
        """Submit bytes that are not a report."""
        self.intake.reject(self.arrival(peer), reject)

    # --- actions of operators ---------------------------------------------------------------------------------------

    async def ask(self, do: str, caller: Caller = ANA, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Send a request as the control socket does, and check the answer's form."""
        return checked(do, await self.routes[do].handle(request_of(do, **arguments), caller))

    def watch(self, caller: Caller = ANA, **arguments: object) -> AsyncGenerator[Any, None]:
        """Watch the queue as a client does, and check the form of each event."""
        return each_checked("watch", self.requests.watch(request_of("watch", **arguments), caller))

    async def open_alarms(self) -> list[dict[str, Any]]:
        """Return the queue that operators see, without the alarms on test."""
        return await self.listed()

    async def listed(self, caller: Caller = ANA, **asked: object) -> list[dict[str, Any]]:
        """Return the first page of a list."""
        alarms: list[dict[str, Any]] = (await self.ask("queue.list", caller, **asked))["alarms"]
        return alarms

    def views(self) -> list[AlarmView]:
        """Return the alarms that operators may work, in the order in which they should."""
        now = self.clock.now()
        views = [AlarmView(order.as_of(alarm, now), self.desk.find(alarm.id).tally) for alarm in self.desk.ready()]
        return sorted(views, key=lambda view: order.order(view.alarm, now))

    # --- time and the disk ------------------------------------------------------------------------------------------

    async def sync(self) -> bool:
        """Commit everything that waits. Return True if it is durable."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.commit.perform(Operation(lambda _: None, lambda _, durable: done.set_result(durable)))
        return await done

    async def fall_due(self) -> None:
        """Let every due alarm fall due, because the loop's timers do not follow the clock that tests move."""
        quiet = 0
        while quiet < 2:  # the second batch holds what a timer started meanwhile
            self.escalation.look()
            await self.sync()
            quiet = 0 if self.escalation.overdue else quiet + 1

    async def held(self) -> None:
        """Wait until a commit waits at the closed gate."""
        assert await asyncio.to_thread(self.journal.at_gate.wait, PATIENCE_S)

    async def healed(self) -> None:
        """Let the disk work again, and wait until the core takes reports."""
        self.journal.failing = self.journal.failing_checkpoint = False
        await until(lambda: self.commit.ready)

    def crash(self) -> None:
        """End as a killed process does: nothing more is committed."""
        self.escalation.stop()
        for one in self.sinks.running:
            if one._task is not None:
                one._task.cancel()
        self.journal.failing = True
        self.journal.gate.set()
        self.writer.close()

    async def close(self) -> None:
        """End as the daemon does."""
        self.escalation.stop()
        await self.sinks.stop()
        await self.commit.close()
        await asyncio.to_thread(self.writer.close)

    def read(self, sql: str, *parameters: str | int) -> list[dict[str, Any]]:
        """Return rows of the journal as another reader sees them."""
        with Archive(self.directory) as archive:
            return [dict(row) for row in archive.read(sql, parameters)]

    def units(self) -> list[KeptDevice]:
        """Return the devices of the journal with their signs of life."""
        with closing(sqlite3.connect(f"file:{self.directory / JOURNAL}?mode=ro", uri=True)) as connection:
            return list(read_units(connection))

    def flaws(self) -> list[str]:
        """Return the flaws that an audit finds."""
        with Archive(self.directory) as archive:
            return [flaw.what for flaw in verify(archive.read)]


@asynccontextmanager
async def core(directory: Path, **options: Any) -> AsyncIterator[Core]:  # noqa: ANN401 - those of Core
    """Run a core during the block. Close it as the daemon does, or as a crash if the test failed."""
    opened = Core(directory, **options)
    try:
        await opened.register()
        opened.sinks.start()
        yield opened
        opened.journal.gate.set()
        await opened.close()
    except BaseException:
        opened.crash()
        raise


def small(directory: Path, **sections: dict[str, Any]) -> Settings:
    """Return settings of a receiver with short retries."""
    store = {"retry_s": 0.01, "min_free_mib": 1} | sections.pop("store", {})
    return Settings.model_validate({"state_dir": directory, "store": store} | sections)
