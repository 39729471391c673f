"""One sink: reads what was stored, leaves out what its filter does not want, hands it over, and moves its position.

The intake never waits for a sink: it only sets an event. New signals go before those that are sent again, so a replay
uses the time in which nothing new waits, and never changes the order of new signals. A refused signal of a replay holds
back only the replay.
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
from vetlla.receiver.sinks.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.onward import KeptSink, Onward
    from vetlla.receiver.sinks.bounds import SinkBounds
    from vetlla.receiver.sinks.contract import SinkDelivery
    from vetlla.receiver.sinks.pieces import Piece
    from vetlla.receiver.sinks.positions import Positions
    from vetlla.receiver.sinks.reading import Reading
    from vetlla.settings.sinks.model import Sink

log = structlog.get_logger()


class _Refusal(NamedTuple):
    """A signal whose content the peer refuses, and its reason."""

    record: Onward
    error: RefusedContentError
    retry_at: float
    """When the signal is sent again, in seconds of the event loop's clock."""


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
        self.waiting = 0
        """Signals above the position."""
        self.delivered = 0
        """Signals that the peer took in this run, with those that were sent again."""
        self.failures = 0
        """Attempts that failed in this run."""
        self._positions = positions
        self._reading = reading
        self._pieces = Pieces(described, Filter(settings).wants)
        self._clock = clock
        self._bounds = bounds
        self._oldest_us: int | None = None
        """When the first signal above the position was received (UTC)."""
        self._unread_us: int | None = None
        """When the first signal was committed that the last read cannot have seen (UTC)."""
        self._absence: VetllaError | None = None
        """Why the peer was away at the last attempt."""
        self._refusal: _Refusal | None = None
        """The last refusal. It is void after its signal was passed."""
        self._at_once = delivery.at_once
        self._first_durable = positions.durable
        self._turn = asyncio.Lock()
        """Held during a call of the delivery, because a test of the sink may come at any time."""
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        """Set to end a pause between two attempts."""
        self._is_counted = self._has_begun = self._is_stopping = False
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
        return SinkState.WORKING if self._absence is None else SinkState.RETRYING

    @property
    def blocked_on(self) -> int | None:
        """Number of the signal whose content the peer refuses."""
        blocked = self._blocked
        return None if blocked is None else blocked.record.number

    @property
    def why(self) -> str:
        """Why the peer took nothing at the last attempt; empty if it took something."""
        error = self._error
        return "" if error is None else str(error.args[0])

    @property
    def remedy(self) -> str:
        """What helps against it."""
        error = self._error
        return "" if error is None else error.remedy

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
        self._pieces.forget()
        if self._blocked is None:
            self._refusal = None  # or a second replay of its signal would seem blocked before its first attempt
        self._hurry.set()
        self._wake.set()

    def skipped(self, *, is_new: bool) -> None:
        """Take notice that the position was moved beyond the refused new signal, or the replay beyond an old one."""
        if is_new:
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
        while not self._is_stopping:
            if self._hurry.is_set() and self._refusal is not None:
                self._refusal = self._refusal._replace(retry_at=0.0)
            self._hurry.clear()
            try:
                await self._begin()
                if not await self._step():
                    await self._nothing_to_do()
                pause_s = first_pause_s
                await self._rest_if_blocked()
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

    async def _begin(self) -> None:
        """Learn what was left by the previous run, and do what the peer expects before the first signal; each once."""
        if not self._is_counted:
            backlog = await self._reading.backlog(self.kept.position, self._first_durable)
            self.waiting += backlog.signals
            self._oldest_us = backlog.oldest_us
            self._is_counted = True
        if not self._has_begun:
            await self.delivery.begin()
            self._has_begun = True

    async def _nothing_to_do(self) -> None:
        self._wake.clear()
        if not (self._is_stopping or self._has_work):
            await self._wake.wait()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    async def _rest_if_blocked(self) -> None:
        """Wait until the refused signal is sent again. New signals end it if that signal is one of a replay."""
        blocked = self._blocked
        if blocked is None:
            return
        left_s = blocked.retry_at - asyncio.get_running_loop().time()
        if not blocked.record.replayed:
            await self._rest(left_s)
            return
        self._wake.clear()
        if not (self._has_new or self._hurry.is_set()):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left_s)

    # --- one step ---------------------------------------------------------------------------------------------------

    @property
    def _has_new(self) -> bool:
        return self.kept.paused_us is None and self.kept.position < self._positions.durable

    @property
    def _has_work(self) -> bool:
        return self._has_new or (self.kept.paused_us is None and self.kept.replays)

    async def _step(self) -> bool:
        """Send some signals; return False if there is nothing to do."""
        if not self._has_work:
            return False
        if self._has_new:
            await self._forward()
        elif self._blocked is None or self._blocked.retry_at <= asyncio.get_running_loop().time():
            await self._replay()
        return True

    async def _forward(self) -> None:
        position, durable = self.kept.position, self._positions.durable
        if self._oldest_us is None:
            self._oldest_us = self._unread_us  # so that the lag is known if this read fails
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
        upto, count = piece.passed(await self._hand_over(piece))
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
            upto, count = piece.passed(await self._hand_over(piece))
        if self.kept.replay_upto == kept.replay_upto:  # or an engineer ended it meanwhile
            self._positions.move(self.name, count, replay_after=max(upto, self.kept.replay_after))
        if not self.kept.replays:
            log.info("sink.replayed", sink=self.name, upto=kept.replay_upto)

    def _piece(self, records: list[Onward]) -> Piece:
        """Return the beginning of what was read that the peer gets at once."""
        return self._pieces.cut(records, 1 if self._is_blocked_in(records[0].replayed) else self._at_once)

    async def _hand_over(self, piece: Piece) -> int:
        """Return how many of the first signals the peer has taken; 0 if it refuses the first, or one of several.

        Raises PeerAwayError, ConfigError.
        """
        wanted = piece.wanted
        if not wanted:
            return 0
        self._pieces.tries(piece)
        try:
            async with self._turn, asyncio.timeout(self._bounds.hand_over_s):
                taken = await self.delivery.deliver(wanted)
        except RefusedContentError as error:
            self._pieces.settled(piece)
            self._refused(wanted, error)
            return 0
        except TimeoutError as error:
            raise PeerAwayError("the peer did not take the signals in time", remedy="see its log") from error
        if not 0 < taken <= len(wanted):
            raise PeerAwayError(f"the peer took {taken} of {len(wanted)} signals", remedy="see its log")
        self._pieces.settled(piece)
        self.delivered += taken
        self._at_once = min(2 * self._at_once, self.delivery.at_once)
        was_blocked = self._is_blocked_in(piece.is_replay)
        if was_blocked or self._absence is not None:
            log.info("sink.recovered", sink=self.name, address=self.delivery.address)
        self._absence = None
        if was_blocked:
            self._refusal = None
        return taken

    # --- failures ---------------------------------------------------------------------------------------------------

    @property
    def _blocked(self) -> _Refusal | None:
        """The refusal of a signal that is still to be sent."""
        refusal, kept = self._refusal, self.kept
        if refusal is None:
            return None
        number = refusal.record.number
        if refusal.record.replayed:
            return refusal if kept.replay_after < number <= kept.replay_upto else None
        return refusal if number > kept.position else None

    def _is_blocked_in(self, again: bool) -> bool:  # noqa: FBT001 - a key, not a switch
        """Return True if the replay is blocked, or if the new signals are."""
        return self._blocked is not None and self._blocked.record.replayed == again

    @property
    def _error(self) -> VetllaError | None:
        return self._absence if self._blocked is None else self._blocked.error

    def _away(self, error: VetllaError) -> None:
        self.failures += 1
        if self._absence is None:
            log.warning("sink.retrying", sink=self.name, why=error.args[0], remedy=error.remedy)
        self._absence = error

    def _refused(self, wanted: Sequence[Onward], error: RefusedContentError) -> None:
        self.failures += 1
        if len(wanted) > 1:
            self._at_once = len(wanted) // 2  # to find out which one is meant
            return
        (record,) = wanted
        before = self._blocked
        retry_at = asyncio.get_running_loop().time() + self._bounds.blocked_retry_s
        self._refusal, self._absence = _Refusal(record, error, retry_at), None
        if self._blocked is None:
            return  # an engineer skipped it meanwhile
        if before is None or before.record.number != record.number:
            log.error("sink.blocked", sink=self.name, signal=record.number, why=error.args[0], remedy=error.remedy)
