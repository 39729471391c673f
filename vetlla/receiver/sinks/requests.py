"""Requests about sinks on the control socket. Engineers change them; everyone may look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.domain.clock import iso
from vetlla.domain.errors import UsageError, VetllaError
from vetlla.receiver.commit.perform import perform
from vetlla.receiver.control.messages.sinks import (
    ListSinks,
    PauseSink,
    ProbeSink,
    ReplaySink,
    ResumeSink,
    SkipSignal,
    StopReplay,
)
from vetlla.receiver.control.roles import refused
from vetlla.receiver.sinks.view import former, sheet

if TYPE_CHECKING:
    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.messages.base import Route
    from vetlla.receiver.control.messages.sinks import ReplayOrdered, SinkChanged, SinkList, SinkTested
    from vetlla.receiver.control.roles import Caller
    from vetlla.receiver.sinks.sink import RunningSink
    from vetlla.receiver.sinks.sinks import Sinks
    from vetlla.settings.model import Settings
    from vetlla.store.journal.batch import Batch


class SinkRequests:
    """Answers the requests about sinks."""

    def __init__(self, *, settings: Settings, sinks: Sinks, commit: GroupCommit, clock: Clock) -> None:
        self.settings = settings
        self._sinks = sinks
        self._commit = commit
        self._clock = clock

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings: who is an engineer. Sinks themselves change only at a restart."""
        self.settings = settings

    def routes(self) -> list[Route]:
        """Return the route of each kind of request."""
        return [
            ListSinks.answered_by(self._list),
            PauseSink.answered_by(self._pause),
            ResumeSink.answered_by(self._resume),
            ReplaySink.answered_by(self._replay),
            StopReplay.answered_by(self._stop_replay),
            SkipSignal.answered_by(self._skip),
            ProbeSink.answered_by(self._test),
        ]

    async def _list(self, _: ListSinks, __: Caller) -> SinkList:
        now = self._clock.now()
        return {
            "sinks": [sheet(one, now) for one in self._sinks.running],
            "others": [former(one) for one in self._sinks.others],
            "durable": self._sinks.positions.durable,
        }

    # --- pauses -----------------------------------------------------------------------------------------------------

    async def _pause(self, request: PauseSink, caller: Caller) -> SinkChanged:
        sink = self._meant(request.sink, caller, "pause a sink")
        since_us = sink.kept.paused_us or self._clock.now().utc_us
        values = {"paused_us": since_us, "paused_by": caller.operator, "reason": request.reason}
        return await self._changed(sink, caller, "pause sink", values, reason=request.reason)

    async def _resume(self, request: ResumeSink, caller: Caller) -> SinkChanged:
        sink = self._meant(request.sink, caller, "resume a sink")
        values = {"paused_us": None, "paused_by": "", "reason": ""}
        return await self._changed(sink, caller, "resume sink", values, paused=iso(sink.kept.paused_us))

    # --- replays ----------------------------------------------------------------------------------------------------

    async def _replay(self, request: ReplaySink, caller: Caller) -> ReplayOrdered:
        sink = self._meant(request.sink, caller, "send signals again")
        if sink.kept.replays:
            raise UsageError(
                f"sink {sink.name} already sends signals again, up to {sink.kept.replay_upto}",
                remedy=f"wait for its end, or end it: vetlla sinks replay {sink.name} --stop",
            )
        first, last = await self._range(request, sink.kept.position)
        count = (await self._sinks.backlog(first - 1, last)).signals if first <= last else 0
        if not count:
            raise UsageError(
                f"sink {sink.name} has sent no stored signal in this range", remedy="vetlla signals list shows numbers"
            )
        done = None
        if not request.dry_run:
            values = {"replay_after": first - 1, "replay_upto": last}
            detail = {"reason": request.reason, "first": first, "last": last, "signals": count}
            done = await self._changed(sink, caller, "replay sink", values, **detail)
        return {
            "operator": caller.operator,
            "sink": sheet(sink, self._clock.now()),
            "first": first,
            "last": last,
            "signals": count,
            "durable": None if done is None else done["durable"],
        }

    async def _range(self, request: ReplaySink, position: int) -> tuple[int, int]:
        """Return the first and the last number that a request means; signals above the position are sent anyway."""
        if request.from_signal is None and request.since_us is None:
            raise UsageError("a replay needs a beginning", remedy="add --since or --from-signal")
        first, last = request.from_signal or 1, min(request.to_signal or position, position)
        if request.since_us is not None or request.until_us is not None:
            earliest, latest = await self._sinks.numbers(request.since_us, request.until_us)
            first, last = max(first, earliest), min(last, latest)
        return first, last

    async def _stop_replay(self, request: StopReplay, caller: Caller) -> SinkChanged:
        sink = self._meant(request.sink, caller, "end a replay")
        kept = sink.kept
        if not kept.replays:
            raise UsageError(f"sink {sink.name} sends nothing again", remedy="vetlla sinks list")
        values = {"replay_after": 0, "replay_upto": 0}
        return await self._changed(
            sink, caller, "end replay of sink", values, after=kept.replay_after, upto=kept.replay_upto
        )

    # --- a refused signal, a test -----------------------------------------------------------------------------------

    async def _skip(self, request: SkipSignal, caller: Caller) -> SinkChanged:
        sink = self._meant(request.sink, caller, "leave out a signal")
        number = request.signal

        def step(batch: Batch) -> None:
            # Look at this within the step, because the peer may have taken the signal meanwhile.
            if sink.blocked_on != number:
                raise UsageError(f"sink {sink.name} is not blocked on signal {number}", remedy="vetlla sinks list")
            now = self._clock.now()
            is_new = number > sink.kept.position
            values = {"position": number} if is_new else {"replay_after": number}
            self._sinks.positions.change(sink.name, now, batch, **values)
            batch.record(
                now.utc_us, caller.operator, "skip signal", f"sink {sink.name}", signal=number, reason=request.reason
            )
            sink.skipped(is_new=is_new)

        _, durable = await perform(self._commit, step)
        return {"operator": caller.operator, "sink": sheet(sink, self._clock.now()), "durable": durable}

    async def _test(self, request: ProbeSink, caller: Caller) -> SinkTested:
        sink = self._meant(request.sink, caller, "test a sink")
        began_us = self._clock.now().mono_us
        why = remedy = ""
        try:
            await sink.test()
        except VetllaError as error:
            why, remedy = error.args[0], error.remedy
        except TimeoutError:
            why, remedy = "the peer did not answer in time", "see its log"
        return {
            "sink": sink.name,
            "address": sink.delivery.address,
            "ok": not why,
            "why": why,
            "remedy": remedy,
            "took_ms": (self._clock.now().mono_us - began_us) / 1e3,
        }

    # --- what they share --------------------------------------------------------------------------------------------

    def _meant(self, name: str, caller: Caller, deed: str) -> RunningSink:
        if not caller.engineer:
            raise refused(caller, deed, self.settings.control.engineers)
        return self._sinks.find(name)

    async def _changed(
        self, sink: RunningSink, caller: Caller, action: str, values: dict[str, Any], **detail: object
    ) -> SinkChanged:
        """Change what is kept of a sink, with an audit record; then let the sink look at it."""

        def step(batch: Batch) -> None:
            now = self._clock.now()
            self._sinks.positions.change(sink.name, now, batch, **values)
            batch.record(now.utc_us, caller.operator, action, f"sink {sink.name}", **detail)
            sink.hurry()

        _, durable = await perform(self._commit, step)
        return {"operator": caller.operator, "sink": sheet(sink, self._clock.now()), "durable": durable}
