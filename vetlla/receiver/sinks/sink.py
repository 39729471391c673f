"""One sink: reads what was stored, leaves out what its filter does not want, hands it over, and moves its position.

The intake never waits for a sink: it only sets an event. New signals go before those that are sent again, so a replay
uses the time in which nothing new waits, and never changes the order of new signals.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import uniform
from typing import TYPE_CHECKING, NamedTuple

import structlog

from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import VetllaError
from vetlla.domain.onward import SinkState, invented
from vetlla.receiver.sinks.contract import PeerAwayError, RefusedContentError
from vetlla.receiver.sinks.filters import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.onward import KeptSink, Onward
    from vetlla.receiver.sinks.bounds import SinkBounds
    from vetlla.receiver.sinks.contract import SinkDelivery
    from vetlla.receiver.sinks.positions import Positions
    from vetlla.receiver.sinks.reading import Reading
    from vetlla.settings.sinks.model import Sink

log = structlog.get_logger()


class _Piece(NamedTuple):
    """A stretch of the journal, and those of its signals that the sink wants."""

    read: Sequence[Onward]
    wanted: Sequence[Onward]

    def passed(self, taken: int) -> tuple[int, int]:
        """Return the position after the peer took the first wanted signals, and how many signals are up to it."""
        if taken == len(self.wanted):
            return self.read[-1].number, len(self.read)
        upto = self.wanted[taken].number - 1
        return upto, sum(record.number <= upto for record in self.read)


class RunningSink:
    """One configured sink. Runs in the event loop, in a task of its own."""

    def __init__(
        self,
        settings: Sink,
        delivery: SinkDelivery,
        *,
        positions: Positions,
        reading: Reading,
        described: Callable[[Onward], Onward],
        clock: Clock,
        bounds: SinkBounds,
    ) -> None:
        """Take the settings, what speaks with the peer, and a function that adds what the registry knows."""
        self.settings = settings
        self.delivery = delivery
        self.why = ""
        """Why the peer took nothing at the last attempt; empty if it took something."""
        self.remedy = ""
        self.blocked_on: int | None = None
        """Number of the signal whose content the peer refuses."""
        self.waiting = 0
        """Signals above the position."""
        self.delivered = 0
        """Signals that the peer took in this run, with those that were sent again."""
        self.failures = 0
        """Attempts that failed in this run."""
        self._positions = positions
        self._reading = reading
        self._described = described
        self._filter = Filter(settings)
        self._clock = clock
        self._bounds = bounds
        self._oldest_us: int | None = None
        """When the first signal above the position was received (UTC)."""
        self._unread_us: int | None = None
        """When the first signal was committed that the last read cannot have seen (UTC)."""
        self._at_once = delivery.at_once
        self._first_durable = positions.durable
        self._turn = asyncio.Lock()
        """Held during a call of the delivery, because a test of the sink may come at any time."""
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        """Set to end a pause between two attempts."""
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    # --- what others see --------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the sink."""
        return self.settings.name

    @property
    def kept(self) -> KeptSink:
        """How far the sink has come."""
        return self._positions.of(self.name)

    @property
    def state(self) -> SinkState:
        """What the sink does."""
        if self.kept.paused_us is not None:
            return SinkState.PAUSED
        if self.blocked_on is not None:
            return SinkState.BLOCKED
        return SinkState.RETRYING if self.why else SinkState.WORKING

    def lag_s(self, now: Instant) -> float:
        """Return the age of the oldest signal that was neither sent nor left out; 0 if there is none."""
        oldest_us = self._unread_us if self._oldest_us is None else self._oldest_us
        return 0.0 if oldest_us is None else max(0, now.utc_us - oldest_us) / SECOND_US

    # --- what others tell it ----------------------------------------------------------------------------------------

    def stored(self, count: int, now: Instant) -> None:
        """Take notice of signals that were committed."""
        self.waiting += count
        if self._unread_us is None:
            self._unread_us = now.utc_us
        self._wake.set()

    def hurry(self) -> None:
        """Try again at once, because an engineer changed something."""
        self._hurry.set()
        self._wake.set()

    def skipped(self, number: int) -> None:
        """Take notice that the position was moved beyond the refused signal, or the replay beyond it."""
        self.blocked_on, self.why, self.remedy = None, "", ""
        if number == self.kept.position:
            self.waiting -= 1
        self.hurry()

    async def test(self) -> None:
        """Hand over an invented signal. Raises what the delivery raises, and TimeoutError."""
        async with asyncio.timeout(self._bounds.test_s), self._turn:
            await self.delivery.deliver([invented(self._clock.now())])

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"sink {self.name}")

    async def stop(self) -> None:
        """Stop after what is under way, within a time; then close the connection."""
        self._is_stopping = True
        self.hurry()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=self._bounds.goodbye_s)
            if late:
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=self._bounds.goodbye_s)
        try:
            async with asyncio.timeout(self._bounds.goodbye_s):
                await self.delivery.close()
        except Exception as error:
            log.warning("sink.failed", sink=self.name, why=repr(error), exc_info=error)

    async def _run(self) -> None:
        first_pause_s = pause_s = min(self._bounds.first_retry_s, self.settings.retry_max_s)
        is_counted = False
        while not self._is_stopping:
            self._hurry.clear()
            try:
                if not is_counted:
                    await self._count()
                    await self.delivery.begin()
                    is_counted = True
                if not await self._step():
                    await self._nothing_to_do()
                pause_s = first_pause_s
                if self.blocked_on is not None:
                    await self._rest(self._bounds.blocked_retry_s)
            except VetllaError as error:
                self._away(error)
                after_s = error.after_s if isinstance(error, PeerAwayError) else 0.0
                # A random pause, so that not all sinks come back to a returning peer at the same moment.
                await self._rest(
                    max(uniform(pause_s / 2, pause_s), min(after_s, self._bounds.retry_after_max_s))  # noqa: S311 - no secret
                )
                pause_s = min(2 * pause_s, self.settings.retry_max_s)
            except Exception as error:
                # A fault of ours or of a library: other sinks and the receiver go on, and this one tries again.
                log.exception("sink.failed", sink=self.name, why=repr(error))
                self._away(PeerAwayError(f"the receiver failed to send: {error!r}", remedy="report it with its log"))
                await self._rest(pause_s)
                pause_s = min(2 * pause_s, self.settings.retry_max_s)

    async def _count(self) -> None:
        """Learn what was left by the previous run."""
        backlog = await self._reading.backlog(self.kept.position, self._first_durable)
        self.waiting += backlog.signals
        self._oldest_us = backlog.oldest_us

    async def _nothing_to_do(self) -> None:
        self._wake.clear()
        if not (self._is_stopping or self._has_work):
            await self._wake.wait()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    # --- one step ---------------------------------------------------------------------------------------------------

    @property
    def _has_work(self) -> bool:
        kept = self.kept
        return kept.paused_us is None and (kept.position < self._positions.durable or kept.replays)

    async def _step(self) -> bool:
        """Send some signals; return False if there is nothing to do."""
        if not self._has_work:
            return False
        if self.kept.position < self._positions.durable:
            await self._forward()
        else:
            await self._replay()
        return True

    async def _forward(self) -> None:
        position, durable = self.kept.position, self._positions.durable
        self._unread_us = None
        records = await self._reading.after(position, durable, self._bounds.read_rows + 1)
        if not records:
            self._positions.move(self.name, 0, position=durable)
            self._oldest_us = None
            return
        self._oldest_us = records[0].received_us
        if self.kept.position != position or self.kept.paused_us is not None:
            return  # an engineer changed it during the read
        piece = self._piece(records[: self._bounds.read_rows])
        upto, count = piece.passed(await self._hand_over(piece.wanted))
        self.waiting -= count
        self._oldest_us = next((record.received_us for record in records if record.number > upto), None)
        # An engineer may have skipped a signal meanwhile, and a position never goes back.
        self._positions.move(self.name, count, position=max(upto, self.kept.position))

    async def _replay(self) -> None:
        kept = self.kept
        records = await self._reading.after(kept.replay_after, kept.replay_upto, self._bounds.read_rows)
        if self.kept != kept:
            return  # an engineer changed it during the read
        if not records:
            upto, count = kept.replay_upto, 0
        else:
            piece = self._piece([record._replace(replayed=True) for record in records])
            upto, count = piece.passed(await self._hand_over(piece.wanted))
        if self.kept.replay_upto == kept.replay_upto:  # or an engineer ended it meanwhile
            self._positions.move(self.name, count, replay_after=max(upto, self.kept.replay_after))
        if not self.kept.replays:
            log.info("sink.replayed", sink=self.name, upto=kept.replay_upto)

    def _piece(self, records: Sequence[Onward]) -> _Piece:
        """Return the beginning of what was read that has as many wanted signals as the peer takes at once."""
        wanted: list[Onward] = []
        for count, bare in enumerate(records):
            record = self._described(bare)
            if not self._filter.wants(record):
                continue
            if len(wanted) == self._at_once:
                return _Piece(records[:count], wanted)
            wanted.append(record)
        return _Piece(records, wanted)

    async def _hand_over(self, wanted: Sequence[Onward]) -> int:
        """Return how many of the first signals the peer has taken; 0 if it refuses the first, or one of several.

        Raises PeerAwayError, ConfigError.
        """
        if not wanted:
            return 0
        try:
            async with self._turn, asyncio.timeout(self._bounds.hand_over_s):
                taken = await self.delivery.deliver(wanted)
        except RefusedContentError as error:
            self._refused(wanted, error)
            return 0
        except TimeoutError as error:
            raise PeerAwayError("the peer did not take the signals in time", remedy="see its log") from error
        if not 0 < taken <= len(wanted):
            raise PeerAwayError(f"the peer took {taken} of {len(wanted)} signals", remedy="see its log")
        self.delivered += taken
        self._at_once = min(2 * self._at_once, self.delivery.at_once)
        if self.why:
            log.info("sink.recovered", sink=self.name, address=self.delivery.address)
        self.blocked_on, self.why, self.remedy = None, "", ""
        return taken

    # --- failures ---------------------------------------------------------------------------------------------------

    def _away(self, error: VetllaError) -> None:
        self.failures += 1
        if not self.why:
            log.warning("sink.retrying", sink=self.name, why=error.args[0], remedy=error.remedy)
        self.why, self.remedy = error.args[0], error.remedy

    def _refused(self, wanted: Sequence[Onward], error: RefusedContentError) -> None:
        self.failures += 1
        if len(wanted) > 1:
            self._at_once = len(wanted) // 2  # to find out which one is meant
            return
        (record,) = wanted
        kept = self.kept
        if record.number <= (kept.replay_after if record.replayed else kept.position):
            return  # an engineer skipped it meanwhile
        if self.blocked_on != record.number:
            log.error("sink.blocked", sink=self.name, signal=record.number, why=error.args[0], remedy=error.remedy)
        self.blocked_on, self.why, self.remedy = record.number, error.args[0], error.remedy
