"""Positions over any order of commits, failures, deliveries and crashes: everything is sent, in order."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.rigs.core import SARA, Core, core, until
from tests.rigs.journals import journal, report
from tests.rigs.sink_peer import QUICK, SinkPeer, settings_of, webhook
from tests.rigs.sink_peer import report as tell
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.onward import KeptSink
from vetlla.receiver.sinks.bounds import SinkBounds

if TYPE_CHECKING:
    from collections.abc import Awaitable

ACCOUNTS = (Account(account="1234", home="H-1"),)


class Sending(RuleBasedStateMachine):
    """A receiver with one sink that is killed, whose disk fails, and whose peer comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self._room = tempfile.TemporaryDirectory()
        self._directory = Path(self._room.name)
        self._runner = asyncio.Runner()
        self._clock = ManualClock()
        self._peer = SinkPeer(at_once=3)
        self._stored = 0
        self._is_paused = False
        self._rig: Core | None = None
        self._do(self._start())

    def _do(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        self._runner.run(run())

    @property
    def rig(self) -> Core:
        assert self._rig is not None
        return self._rig

    async def _start(self) -> None:
        self._rig = Core(
            self._directory,
            settings=settings_of(self._directory, webhook()),
            accounts=ACCOUNTS,
            clock=self._clock,
            deliveries=lambda _, __: self._peer,
            bounds=QUICK._replace(sinks=QUICK.sinks._replace(write_after=4, read_rows=5)),
        )
        await self._rig.register()
        self._rig.sinks.start()

    @rule(count=st.integers(1, 7))
    def reports(self, count: int) -> None:
        self._do(tell(self.rig, count))
        self._stored += count

    @rule()
    def disk_fails(self) -> None:

        async def fail() -> None:
            self.rig.journal.failing = True
            await self.rig.sync()
            await self.rig.healed()

        self._do(fail())

    @rule(seconds=st.sampled_from([0.5, 2.0, 60 * 3_600.0]))
    def time_passes(self, seconds: float) -> None:

        async def move() -> None:
            self._clock.advance(seconds)
            await self.rig.sync()

        self._do(move())

    @rule(opened=st.booleans())
    def peer_changes(self, opened: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        if opened:
            self._peer.gate.set()
        else:
            self._peer.gate.clear()
        self._do(self._turns())

    async def _turns(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    @precondition(lambda self: not self._is_paused)
    @rule()
    def engineer_pauses(self) -> None:
        self._is_paused = True
        self._do(self._ask("sinks.pause", reason="x"))

    @precondition(lambda self: self._is_paused)
    @rule()
    def engineer_resumes(self) -> None:
        self._is_paused = False
        self._do(self._ask("sinks.resume"))

    async def _ask(self, do: str, **arguments: object) -> None:
        await self.rig.ask(do, SARA, sink="city", **arguments)

    @rule(normally=st.booleans())
    def receiver_ends(self, normally: bool) -> None:  # noqa: FBT001 - hypothesis gives it

        async def restart() -> None:
            if normally:
                await self.rig.close()
            else:
                self.rig.crash()
                await self._turns()
            await self._start()

        self._do(restart())

    @invariant()
    def what_was_taken_has_no_hole(self) -> None:
        """Without repetitions it is a beginning of what is stored, in order; the position is not above it."""
        seen = list(dict.fromkeys(self._peer.numbers))
        assert seen == list(range(1, len(seen) + 1))
        kept = self.rig.sinks.find("city").kept
        assert kept.position <= len(seen) <= self._stored

    def teardown(self) -> None:
        """In the end everything arrives."""

        async def end() -> None:
            self._peer.gate.set()
            if self._is_paused:
                await self._ask("sinks.resume")
            sink = self.rig.sinks.find("city")
            await until(lambda: sink.kept.position >= self._stored)
            assert list(dict.fromkeys(self._peer.numbers)) == list(range(1, self._stored + 1))
            await until(lambda: sink.waiting == 0)
            await self.rig.close()

        try:
            self._do(end())
        finally:
            self._runner.close()
            self._room.cleanup()


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


async def test_a_killed_receiver_repeats_no_more_than_its_bound(tmp_path: Path) -> None:
    """A position is written after this many signals, even if nothing else is committed."""
    peer = SinkPeer(at_once=1)
    bounds = QUICK._replace(sinks=QUICK.sinks._replace(write_after=10, write_within_s=3_600))
    sink = settings_of(tmp_path, webhook())
    peer.gate.clear()
    async with core(tmp_path, settings=sink, accounts=ACCOUNTS, deliveries=lambda _, __: peer, bounds=bounds) as rig:
        await tell(rig, 95)
        peer.gate.set()
        await until(lambda: len(peer.taken) == 95)
        await until(lambda: bool(rig.read("SELECT * FROM sinks WHERE position >= 85")))


async def test_a_moved_position_needs_no_sync_and_no_batch_of_its_own_under_load(tmp_path: Path) -> None:
    """It is written with a batch that comes anyway; alone it is written without an fsync."""
    peer = SinkPeer()
    bounds = QUICK._replace(sinks=QUICK.sinks._replace(write_within_s=0.001))
    sink = settings_of(tmp_path, webhook())
    async with core(tmp_path, settings=sink, accounts=ACCOUNTS, deliveries=lambda _, __: peer, bounds=bounds) as rig:
        await tell(rig, 5)
        await until(lambda: len(peer.taken) == 5)
        rig.clock.advance(1)
        await until(lambda: rig.read("SELECT position FROM sinks")[0]["position"] == 5)
        alone = [batch for batch in rig.journal.written if batch.sinks and not batch.signals]
        assert alone
        assert not alone[-1].vital


async def test_a_hundred_thousand_signals_catch_up_in_order(tmp_path: Path) -> None:
    """A backlog of a long weekend is sent in order, in bounded pieces."""
    count = 100_000
    with journal(tmp_path, ManualClock()) as scribe:
        first = scribe.batch()
        first.sinks["city"] = KeptSink("city", 0, 0)
        scribe.journal.write(first)
        for start in range(0, count, 1_000):
            scribe.commit(*(report(number) for number in range(start, start + 1_000)), home="H-1")
    peer = SinkPeer(at_once=500)
    heard: list[int] = []

    def take(records: object) -> int:
        assert isinstance(records, list)
        heard.extend(record.number for record in records)
        return len(records)

    peer.answer = take
    bounds = QUICK._replace(sinks=SinkBounds())
    sink = settings_of(tmp_path, webhook())
    async with core(tmp_path, settings=sink, accounts=ACCOUNTS, deliveries=lambda _, __: peer, bounds=bounds) as rig:
        running = rig.sinks.find("city")
        await until(lambda: running.kept.position == count)
        assert running.waiting == 0
    assert heard == list(range(1, count + 1))
    assert max(map(len, peer.calls)) <= 500
