"""Group commit: one batch is under way at a time, and reports that arrive meanwhile wait for the next one.

The batch grows by itself under load, and an idle receiver answers after one fsync; no timer delays a frame. When the
disk is low or stalls, or a commit fails, the receiver takes nothing new and operators go on working the queue. It
recovers by itself: after a failure the journal is checkpointed, and a commit must succeed before reports are taken.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import structlog

from vetlla.domain.alarms import RECEIVER
from vetlla.domain.errors import LinkError
from vetlla.receiver.commit.operations import Operations
from vetlla.receiver.commit.spare import SpareTime
from vetlla.receiver.commit.store_state import StoreState
from vetlla.receiver.timer import EarliestTimer
from vetlla.store.journal.batch import Batch

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.errors import StoreError
    from vetlla.domain.previous_run import Recovered
    from vetlla.receiver.commit.operations import Operation
    from vetlla.receiver.commit.participant import Participant
    from vetlla.receiver.commit.spare import Spare
    from vetlla.receiver.commit.writer import Writer
    from vetlla.receiver.counters import Counters
    from vetlla.settings.model import Settings

log = structlog.get_logger()

STAMPS_WITHIN_S = 0.05
"""If nothing else comes, the stamps of the last commit are written after this time, without an fsync."""
COMMITS_PER_CHECKPOINT = 64
"""Commits after which the size of the write-ahead log is checked."""


class GroupCommit:
    """Gives the writer its work. Runs in the event loop."""

    def __init__(
        self,
        *,
        settings: Settings,
        recovered: Recovered,
        writer: Writer,
        counters: Counters,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        commits_per_checkpoint: int = COMMITS_PER_CHECKPOINT,
    ) -> None:
        self.settings = settings
        self.state = StoreState.OK
        self.why = ""
        self.on_turn: list[Callable[[], object]] = []
        """Called when the receiver starts or stops taking reports."""
        self._withheld = ""
        """Why no reports are taken although the store works; empty if they are."""
        self.unready_us = 0
        """Total time in which no reports could be taken."""
        self.last_commit_us = 0
        self.on_answer: Callable[[], object] = lambda: None
        """Called when the writer's thread has ended a job, even one that failed: the thread runs. The call feeds
        systemd's watchdog, because a restart repairs no disk; it would only take the queue from the operators."""
        self.participants: Sequence[Participant] = ()
        """The parts that write with each commit, in the order of their calls. Set once, before the first batch."""
        self._writer = writer
        self._counters = counters
        self._clock = clock
        self._loop = loop
        self._commits_per_checkpoint = commits_per_checkpoint
        self._boot = recovered.boot
        self._next = recovered.next_commit
        self._operations = Operations()
        self._busy = False
        self._scheduled: asyncio.Handle | None = None
        self._timer = EarliestTimer(loop, self._due)
        self._patience: asyncio.TimerHandle | None = None
        self._spare = SpareTime(loop, self._do_spare)
        self._idle: asyncio.Future[None] | None = None
        self._commits = 0
        self._unready_since_us = 0
        self.batch = self._new_batch()
        """The next batch. A part that has to store something besides frames adds it here, then calls ``wake``."""

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings. Those about the disk take effect at once."""
        self.settings = settings
        self.wake()

    @property
    def ready(self) -> bool:
        """True if a report would be taken now."""
        return self.state is StoreState.OK

    # --- requests ---------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Commit soon: at the end of this turn of the loop, so that frames read in one turn share a commit."""
        if not self._busy and self._scheduled is None:
            self._scheduled = self._loop.call_soon(self._start)

    def within(self, seconds: float) -> None:
        """Commit once within a time, or earlier for another caller. Ask again for the next commit."""
        self._timer.within(seconds)

    def _due(self) -> None:
        if self._busy:
            self.within(STAMPS_WITHIN_S)
        else:
            self.wake()

    def perform(self, operation: Operation) -> None:
        """Perform an operator's action: between two batches, or at once while the journal has failed."""
        if self.state is StoreState.CLOSED:
            operation.done(LinkError("the receiver is stopping", remedy="start it again"), False)  # noqa: FBT003
            return
        self._operations.add(operation)
        if self.state is StoreState.FAILED and not self._busy:
            self._operations.apply(self.batch)
            self._operations.report(durable=False)
        else:
            self.wake()

    def in_spare_time(self, spare: Spare) -> None:
        """Let the writer do a job when no report waits, or between two batches after ``SPARE_WITHIN_S``; one at a time.

        ``done`` is not called if the receiver stops first.
        """
        self._spare.put(spare)

    def pulse(self) -> None:
        """Prove that commits work. It does nothing for a failed journal, which is tried again anyway."""
        self.batch.pulse = True
        self.wake()

    def free_bytes(self) -> int:
        """Return the free bytes of the state directory's file system for this process; 0 if they cannot be read."""
        try:
            stat = os.statvfs(self.settings.state_dir)
        except OSError:
            return 0
        return stat.f_bavail * stat.f_frsize

    async def close(self) -> None:
        """Commit all that waits, then take nothing more; a failed journal is tried once more."""
        for participant in self.participants:
            participant.flush_soon()
        self._spare.drop()
        self._resume()
        while self._busy or self._operations or self._pending:
            self._idle = self._loop.create_future()
            self.wake()
            await self._idle
        self.state = StoreState.CLOSED
        self._timer.stop()

    @property
    def _pending(self) -> bool:
        """True if there is something that could be committed."""
        match self.state:
            case StoreState.OK:
                return self._is_pending or not self.batch.empty
            case StoreState.LOW | StoreState.UNREAD:
                return not self.batch.empty
            case _:
                return False

    @property
    def _is_pending(self) -> bool:
        return any(participant.pending for participant in self.participants)

    def _drop_waiting(self) -> None:
        for participant in self.participants:
            participant.drop_waiting()

    # --- one batch --------------------------------------------------------------------------------------------------

    def _new_batch(self) -> Batch:
        return Batch(commit=self._next, boot=self._boot, began_us=self._clock.now().utc_us)

    def _start(self) -> None:
        self._scheduled = None
        if self._busy or self.state in {StoreState.FAILED, StoreState.CLOSED}:
            self._rest()
            return
        self._check_space()
        self._operations.apply(self.batch)
        if self.state is StoreState.OK:
            now = self._clock.now()
            for participant in self.participants:
                participant.plan(self.batch, now)
        self._write()

    def _write(self) -> None:
        batch, self.batch = self.batch, self._new_batch()
        if batch.empty:
            self._operations.report(durable=True)
            self._committed(batch, self._clock.now())
            self._rest()
            return
        self._occupy()
        began = self._clock.now()
        batch.began_us = began.utc_us
        self._writer.write(batch, lambda ended, failure: self._ended(batch, began, ended, failure))

    def _ended(self, batch: Batch, began: Instant, ended: Instant, failure: StoreError | None) -> None:
        self._release()
        self.on_answer()
        if failure is not None:
            self._failed(batch, failure)
            return
        self.last_commit_us = ended.mono_us - began.mono_us
        self._counters.commit.observe(self.last_commit_us)
        if self.state in {StoreState.FAILED, StoreState.STALLED}:
            self._turn(StoreState.OK, "")
        self._operations.report(durable=True)
        now = self._clock.now()
        if batch.signals:
            self._next = batch.commit + 1
            self._counters.committed_signals += len(batch.signals)
            self.batch.add_stamps(batch.commit, ended.utc_us, now.utc_us, now.mono_us)
            self.batch.commit = self._next
            self.within(STAMPS_WITHIN_S)
        self._committed(batch, now)
        self._end_commit()

    def _committed(self, batch: Batch, now: Instant) -> None:
        for participant in self.participants:
            participant.committed(batch, now, self.batch)

    def _end_commit(self) -> None:
        self._commits += 1
        if self._commits % self._commits_per_checkpoint == 0:
            self._occupy()
            self._writer.checkpoint(self._checkpointed)
        else:
            self._go_on()

    def _checkpointed(self, _: Instant, failure: StoreError | None) -> None:
        self._release()
        if failure is not None:
            self._failed(self._new_batch(), failure)
            return
        if self.state is StoreState.STALLED:
            self._turn(StoreState.OK, "")
        self._go_on()

    def _go_on(self) -> None:
        if self._spare.is_overdue:
            self._do_spare()
        if self._busy:
            return
        if self._is_pending or self._operations:
            # Start one turn of the loop later. So the answers leave first, and reports that come meanwhile, often the
            # next ones of the same peers, share the commit. Under load there are half as many batches, and a frame
            # costs a fifth less.
            self.wake()
        else:
            self._rest()

    def _rest(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        self._do_spare()

    def _do_spare(self) -> None:
        """Let the writer do the spare job, unless it has other work, or the receiver closes."""
        spare = self._spare.job
        if spare is None or self._busy or self._scheduled or self._idle or self.state is not StoreState.OK:
            return
        self._spare.drop()
        self._occupy()
        self._writer.do(spare.work, lambda _, failure: self._spare_ended(spare, failure))

    def _spare_ended(self, spare: Spare, failure: StoreError | None) -> None:
        self._release()
        self.on_answer()
        spare.done(failure)
        if failure is not None:
            self._failed(self._new_batch(), failure)
            return
        if self.state is StoreState.STALLED:
            self._turn(StoreState.OK, "")
        if not self.batch.empty:
            self.within(STAMPS_WITHIN_S)  # for rows that were gathered while the writer was busy
        self._end_commit()

    def _occupy(self) -> None:
        self._busy = True
        self._patience = self._loop.call_later(self.settings.store.stall_s, self._stalled)

    def _release(self) -> None:
        self._busy = False
        if self._patience is not None:
            self._patience.cancel()

    # --- faults of the disk -----------------------------------------------------------------------------------------

    def _check_space(self) -> None:
        free = self.free_bytes()
        settings = self.settings.store
        if self.state is StoreState.OK and free < settings.min_free_mib << 20:
            self._turn(StoreState.LOW, f"disk low: {free >> 20} MiB free, {settings.min_free_mib} MiB needed")
            self._drop_waiting()
        elif self.state is StoreState.LOW and free >= settings.recover_free_mib << 20:
            self._turn(StoreState.OK, "")
        if self.state is StoreState.LOW:
            self.within(settings.retry_s)

    def _stalled(self) -> None:
        if self.state is StoreState.OK:
            self._turn(StoreState.STALLED, f"the disk has not answered for {self.settings.store.stall_s:g} s")
            self._drop_waiting()

    def _failed(self, batch: Batch, failure: StoreError) -> None:
        self._counters.store_failures += 1
        for participant in self.participants:
            participant.rolled_back(batch)
        self.batch.keep_from(batch)
        self._operations.apply(self.batch)
        self._operations.report(durable=False)
        self._turn(StoreState.FAILED, str(failure))
        self._drop_waiting()
        self._loop.call_later(self.settings.store.retry_s, self._resume)
        self._rest()

    def begin_failed(self, failure: StoreError) -> None:
        """Start with a journal that can be read but not written. Operators can work, and writing is tried again."""
        self._failed(self._new_batch(), failure)

    def withhold(self, why: str) -> None:
        """Take no report until ``release`` is called, even if the store works."""
        self._withheld = why
        if self.state in {StoreState.OK, StoreState.UNREAD}:
            self._turn(StoreState.OK, "")

    def release(self) -> None:
        """Take reports again, if the store works."""
        self._withheld = ""
        if self.state is StoreState.UNREAD:
            self._turn(StoreState.OK, "")
            self.wake()

    def _resume(self) -> None:
        if self.state is StoreState.FAILED and not self._busy:
            self._occupy()
            self._writer.resume(self._resumed)

    def _resumed(self, _: Instant, failure: StoreError | None) -> None:
        self._release()
        self.on_answer()
        if failure is not None:
            self._failed(self._new_batch(), failure)
            return
        # A trial: this commit must become durable before any report is taken again.
        self._operations.apply(self.batch)
        self.batch.pulse = True
        self._write()

    def _turn(self, state: StoreState, why: str) -> None:
        if state is StoreState.OK and self._withheld:
            state, why = StoreState.UNREAD, self._withheld
        before, self.state = self.state, state
        now_us, why_before, self.why = self._clock.now().mono_us, self.why, why
        if before is StoreState.OK and state is not StoreState.OK:
            self._unready_since_us = now_us
        elif state is StoreState.OK and before is not StoreState.OK:
            self.unready_us += now_us - self._unready_since_us
        if StoreState.OK in {before, state} and before is not state:
            for call in self.on_turn:
                call()
        if (state, why) == (before, why_before):
            return
        if state is StoreState.OK:
            log.info("store.recovered")
        else:
            log.error("store.unready", state=state.value, why=why)
        if state is not before:
            # This is written as soon as possible; it records from when to when no reports were taken.
            told_why = {"why": why} if why else {}
            self.batch.record(self._clock.now().utc_us, RECEIVER, state.value, "store", **told_why)
            self.within(STAMPS_WITHIN_S)
