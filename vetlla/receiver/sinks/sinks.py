"""All sinks of the receiver together: they are started, stopped and looked at as one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import structlog

from vetlla.domain.errors import UsageError
from vetlla.receiver.sinks.bounds import SinkBounds
from vetlla.receiver.sinks.positions import Positions
from vetlla.receiver.sinks.reading import Reading
from vetlla.receiver.sinks.sink import RunningSink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.onward import Backlog, KeptSink, Onward, SinkState
    from vetlla.domain.previous_run import Recovered
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.sinks.contract import SinkDelivery
    from vetlla.settings.model import Settings
    from vetlla.settings.sinks.model import Sink
    from vetlla.store.ports import OutboxReader

log = structlog.get_logger()


class SinkFigures(NamedTuple):
    """The state of one sink as numbers, for the metrics."""

    name: str
    state: SinkState
    lag_s: float
    lag_max_s: float
    waiting: int
    delivered: int
    failures: int


class Sinks:
    """The configured sinks. Without any, nothing is done for a commit and no thread is started."""

    def __init__(
        self,
        settings: Settings,
        recovered: Recovered,
        *,
        outbox: OutboxReader,
        delivery_of: Callable[[Sink], SinkDelivery],
        book: Callable[[], AccountBook],
        commit: GroupCommit,
        clock: Clock,
        bounds: SinkBounds = SinkBounds(),
    ) -> None:
        """Take the settings, the signals, a function that makes a delivery, and one that returns the accounts."""
        self.positions = Positions((one.name for one in settings.sink), recovered, commit, clock, bounds)
        self._book = book
        self._commit = commit
        self._reading = Reading(outbox)
        self.running = tuple(
            RunningSink(
                one,
                delivery_of(one),
                positions=self.positions,
                reading=self._reading,
                described=self._described,
                clock=clock,
                bounds=bounds,
            )
            for one in settings.sink
        )
        self.positions.on_stored = self._stored

    @property
    def participants(self) -> tuple[Positions, ...]:
        """What takes part in each commit: nothing if there is no sink, so that a frame costs the same as before."""
        return (self.positions,) if self.running else ()

    @property
    def others(self) -> Sequence[KeptSink]:
        """What is kept of sinks that are not configured."""
        return self.positions.others

    def find(self, name: str) -> RunningSink:
        """Return a configured sink. Raises UsageError."""
        found = next((one for one in self.running if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.running) or "none is configured"
            raise UsageError(f"no sink {name}", remedy=f"vetlla sinks list; configured: {known}")
        return found

    async def numbers(self, since_us: int | None, until_us: int | None) -> tuple[int, int]:
        """Return the numbers of the first and the last signal received in a time; the first is greater if none was."""
        return await self._reading.numbers(since_us, until_us)

    async def backlog(self, position: int, upto: int) -> Backlog:
        """Return how many signals are above a number, up to another one, and when the first was received."""
        return await self._reading.backlog(position, upto)

    def figures(self, now: Instant) -> list[SinkFigures]:
        """Return the state of each sink as numbers."""
        return [
            SinkFigures(
                one.name, one.state, one.lag_s(now), one.settings.lag_max_s, one.waiting, one.delivered, one.failures
            )
            for one in self.running
        ]

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to send."""
        for name in self.positions.began:
            log.info("sink.began", sink=name, after=self.positions.of(name).position)
        if self.positions.began:
            self._commit.wake()
        for one in self.running:
            one.start()

    async def stop(self) -> None:
        """Stop after what is under way, within a time. The positions are written with the last commit."""
        await asyncio.gather(*(one.stop() for one in self.running))
        if self.running:
            await self._reading.close()

    def _stored(self, count: int, now: Instant) -> None:
        for one in self.running:
            one.stored(count, now)

    def _described(self, record: Onward) -> Onward:
        # Look this up each time, because a reload replaces the accounts.
        book = self._book()
        account = book.find(record.signal.id)
        labels = () if account is None else account.labels
        return record._replace(labels=labels, district=book.districts.get(record.home, ""))
