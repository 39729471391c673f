"""Removes data while reports come in: one round a day for data that is too old, and the erasure of homes that left.

Each step is one transaction of a bounded number of rows, which the writer does when no report waits. Under load it does
one step a second, between two batches. A step that finds altered signals leaves them alone, and logs that.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, TypeVar

import structlog

from vetlla.domain.alarms import RECEIVER
from vetlla.domain.clock import DAY_US, SECOND_US
from vetlla.domain.errors import StoreError, VetllaError
from vetlla.domain.removal import Erasure, Terms, What
from vetlla.receiver.commit.spare import Spare
from vetlla.receiver.control.messages.retention import EraseHome, PruneJournal
from vetlla.receiver.control.roles import refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.messages.base import Route
    from vetlla.receiver.control.messages.retention import HomeErased, Removed, RoundDone
    from vetlla.receiver.control.roles import Caller
    from vetlla.receiver.counters import Counters
    from vetlla.settings.model import Settings
    from vetlla.store.ports import Removals, RowsRemoved

log = structlog.get_logger()

_T = TypeVar("_T")

FIRST_ROUND_AFTER_S = 60.0
"""Time from a start to the first round, because terminals first connect again and send what they have kept."""
ROUND_EVERY_S = 86_400.0
"""One day, because settings count whole days."""
STEP_PAUSE_S = 0.02
"""Pause between two steps of an idle receiver; most of the disk's time is left to commits."""


def terms(settings: Settings, now_us: int, wall_us: int) -> Terms:
    """Return the terms of a round at an instant, by the settings; ``wall_us`` is the reading of the wall clock."""
    kept = settings.retention
    days = {
        What.POSITIONS: kept.positions_days,
        What.RAW: kept.raw_days,
        What.SIGNALS: kept.signals_days,
        What.NOTES: kept.signals_days,
        What.REJECTS: kept.rejects_days,
    }
    keep_us = {what: count * DAY_US for what, count in days.items() if count}
    return Terms(now_us, keep_us, emergency_us(settings), wall_us, tuple(sink.name for sink in settings.sink))


def emergency_us(settings: Settings) -> int:
    """Return how long after an alarm's end another may continue it, or a terminal may repeat one of its reports."""
    return round((settings.store.duplicate_window_s + settings.queue.chain_window_s) * SECOND_US)


class Retention:
    """Runs in the event loop; its work in the journal is done on the writer's thread."""

    def __init__(
        self,
        *,
        settings: Settings,
        removals: Removals,
        commit: GroupCommit,
        counters: Counters,
        clock: Clock,
        first_round_after_s: float = FIRST_ROUND_AFTER_S,
        step_pause_s: float = STEP_PAUSE_S,
    ) -> None:
        self.settings = settings
        self._removals = removals
        self._commit = commit
        self._counters = counters
        self._clock = clock
        self._first_round_after_s = first_round_after_s
        self._step_pause_s = step_pause_s
        self._asked_us = clock.now().mono_us
        """Monotonic instant at which a round last read the clock, or this run began."""
        self._turn = asyncio.Lock()
        self._daily: asyncio.Task[None] | None = None

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings."""
        self.settings = settings

    def start(self) -> None:
        """Start the daily rounds."""
        self._daily = asyncio.get_running_loop().create_task(self._every_day())

    async def stop(self) -> None:
        """Stop after the step under way; the next run goes on from there."""
        if self._daily is not None:
            self._daily.cancel()
            with suppress(asyncio.CancelledError):
                await self._daily

    async def _every_day(self) -> None:
        await asyncio.sleep(self._first_round_after_s)
        while True:
            try:
                async with aclosing(self.round(RECEIVER)) as steps:
                    async for _ in steps:
                        pass
            except VetllaError as error:
                log.error("retention.interrupted", why=str(error))  # noqa: TRY400 - the disk's fault, not ours
            await asyncio.sleep(ROUND_EVERY_S)

    # --- a round ----------------------------------------------------------------------------------------------------

    async def round(self, by: str) -> AsyncGenerator[dict[str, int], None]:
        """Remove what is too old; after each step yield how many rows of each kind were removed. Raises StoreError."""
        removed = Counter[str]()
        async with self._turn:
            began_us = self._clock.now().mono_us
            async with aclosing(self._steps(self._round)) as steps:
                async for step in steps:
                    removed[step.what] += step.rows
                    self._count(step)
                    yield _counts_of(removed)
            took_s = (self._clock.now().mono_us - began_us) / SECOND_US
            counts = {f"{what}_removed": count for what, count in _counts_of(removed).items()}
            log.info("retention.done", by=by, took_s=round(took_s, 1), **counts)
            if self.settings.sink and (sink := await self._on_writer(self._waits_for)):
                log.warning("retention.waits", sink=sink)

    def _round(self) -> Iterator[RowsRemoved]:
        now, before_us = self._clock.now(), self._asked_us
        self._asked_us = now.mono_us
        now_us = self._removals.believed_us(now.utc_us, now.mono_us - before_us)
        return self._removals.too_old(terms(self.settings, now_us, now.utc_us))

    def _waits_for(self) -> str:
        now_us = self._clock.now().utc_us
        return self._removals.waits_for(terms(self.settings, now_us, now_us))

    def _count(self, step: RowsRemoved) -> None:
        if isinstance(step.what, What):  # a step of an erasure has another name
            self._counters.removed[step.what] += step.rows
            if step.upto_us is not None:
                self._counters.removed_upto_us[step.what] = step.upto_us
        for one in step.refused:
            self._counters.removals_refused += 1
            why = "no audit record covers them" if not one.digest else "they are not those that were committed"
            log.error("retention.refused", first=one.first, last=one.last, why=why)

    async def _steps(self, begin: Callable[[], Iterator[RowsRemoved]]) -> AsyncGenerator[RowsRemoved, None]:
        """Yield the steps of a removal as they become durable. The writer's thread calls ``begin`` and each step."""
        steps: list[Iterator[RowsRemoved]] = []

        def take() -> RowsRemoved | None:
            if not steps:
                steps.append(begin())
            return next(steps[0], None)

        while (step := await self._on_writer(take)) is not None:
            yield step
            await asyncio.sleep(self._step_pause_s)

    async def _on_writer(self, work: Callable[[], _T]) -> _T:
        """Do work with the journal when no report waits. Raises what it raises; only StoreError is a store failure."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        result: list[_T] = []
        mistakes: list[Exception] = []

        def job() -> None:
            try:
                result.append(work())
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - a removal that breaks must not end acknowledgements
                mistakes.append(error)

        def done(failure: StoreError | None) -> None:
            if ended.done():
                return
            if failure is not None:
                ended.set_exception(failure)
            else:
                ended.set_result(None)

        self._commit.in_spare_time(Spare(job, done))
        await ended
        if mistakes:
            if isinstance(mistakes[0], VetllaError):
                raise mistakes[0]
            log.error("retention.failed", exc_info=mistakes[0])
            raise StoreError("a removal failed and was rolled back", remedy="report this with the receiver's log")
        return result[0]

    # --- requests ---------------------------------------------------------------------------------------------------

    def routes(self) -> list[Route]:
        """Return the route of each kind of request."""
        return [PruneJournal.told_by(self.prune), EraseHome.told_by(self.erase)]

    async def prune(self, _: PruneJournal, caller: Caller) -> AsyncGenerator[Removed | RoundDone, None]:
        """Remove now what is too old; stream the counts of removed rows, and at the end the event ``done``."""
        self._must_supervise(caller, "remove what is too old")
        removed: dict[str, int] = {}
        async with aclosing(self.round(caller.operator)) as steps:
            async for removed in steps:
                yield {"event": "removed", "removed": removed}
        yield {"event": "done", "removed": removed}

    async def erase(self, request: EraseHome, caller: Caller) -> AsyncGenerator[Removed | HomeErased, None]:
        """Erase a home's data in the journal; stream the counts, and at the end the record that proves the erasure."""
        self._must_supervise(caller, "erase a home")
        erasure = Erasure(request.home, request.accounts, _person(request, caller), request.others)
        registry, window_us = request.registry, emergency_us(self.settings)
        async with self._turn:
            emptied = Counter[str]()
            begun = self._steps(lambda: self._removals.of_home(erasure, registry, window_us))
            async with aclosing(begun) as steps:
                async for step in steps:
                    emptied[step.what] += step.rows
                    self._count(step)
                    yield {"event": "removed", "removed": dict(emptied)}
            proof = await self._on_writer(lambda: self._removals.finish(erasure))
            log.warning("erasure.done", by=erasure.by, record=proof.record)
            yield {"event": "done", **proof.told()}

    def _must_supervise(self, caller: Caller, deed: str) -> None:
        if not caller.supervisor:
            raise refused(caller, deed, self.settings.control.supervisors)


def _counts_of(removed: Counter[str]) -> dict[str, int]:
    return {what.value: removed[what] for what in What}


def _person(request: EraseHome, caller: Caller) -> str:
    """Return the user that the kernel names, with the person who used sudo if the command knows that person."""
    return request.by if request.by.endswith(f" (as {caller.operator})") else caller.operator
