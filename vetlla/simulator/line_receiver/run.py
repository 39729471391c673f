"""Runs a simulated line receiver over a wire: calls come in, and the talker sends them in their order."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Final

from vetlla.links.wire.way import kept_open
from vetlla.protocols.automation.reports import Heartbeat, Unwritable
from vetlla.protocols.automation.talker import Talker
from vetlla.protocols.automation.writers import writer_of
from vetlla.simulator.line_receiver.calls import Calls
from vetlla.simulator.line_receiver.mishaps import arrival
from vetlla.simulator.line_receiver.plan import BUFFER_MOST, ReceiverCounts, conclude
from vetlla.simulator.message import Fate, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.domain.errors import LinkError
    from vetlla.links.wire.contract import Wire
    from vetlla.links.wire.way import Way
    from vetlla.protocols.automation.talker import Turn
    from vetlla.simulator.line_receiver.plan import ReceiverPlan, ReceiverReport

TICK_S: Final = 0.001
"""Shortest wait between two calls. A timer cannot do less."""
PIECE_S: Final = 0.002
"""Pause between two pieces of a frame, so that the computer reads them apart."""
DRAIN_S: Final = 30.0
"""Time after the last call in which messages may still be acknowledged, besides the interval of two heartbeats: an
absent computer is asked once in an interval."""


class LineReceiver:
    """One receiver. As the user of a wire, it sends over whatever wire is open."""

    def __init__(self, plan: ReceiverPlan, counts: ReceiverCounts, settled: Callable[[Message], None]) -> None:
        """Take a function that is called with each message that is acknowledged or lost."""
        self._plan = plan
        self._counts = counts
        self._settled = settled
        self._random = Random(plan.seed + 1)  # noqa: S311 - a simulation, not a secret
        heartbeat = writer_of(plan.protocol, plan.form).write(Heartbeat(plan.receiver))
        assert not isinstance(heartbeat, Unwritable), "the number of the receiver was checked with its events"
        self._heartbeat = heartbeat
        self._talker: Talker[Message] = Talker(heartbeat, plan.patience)
        counts.talker = self._talker.counts
        self._wire: Wire | None = None
        self._pieces: deque[bytes] = deque()
        """What is still to be written; the first piece has been written if there are others."""
        self._piece_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._absent_since: float | None = None
        self.changed = asyncio.Event()
        """Set when a message is done."""

    @property
    def backlog(self) -> int:
        """Messages that are not acknowledged."""
        return self._talker.backlog

    @property
    def is_absent(self) -> bool:
        """True if the computer does not answer."""
        return self._talker.is_absent

    def take(self, message: Message, due_ns: int) -> None:
        """Take a message that is due."""
        message.due_ns = due_ns
        self._counts.told += 1
        if self._talker.backlog >= BUFFER_MOST:
            self._counts.overflowed += 1
            self._settle(message, Fate.LOST)
            return
        self._do(self._talker.offer(message, time.monotonic()))

    def end(self) -> None:
        """Stop, and settle what was not acknowledged as lost."""
        if self._timer is not None:
            self._timer.cancel()
        self._watch_absence(is_absent=False)
        for message in self._talker.drop():
            self._settle(message, Fate.LOST)

    # --- the wire's user --------------------------------------------------------------------------------------------

    def opened(self, wire: Wire) -> None:
        """Take a wire."""
        self._wire = wire
        self._counts.connections += 1
        self._do(self._talker.connected(time.monotonic()))

    def received(self, data: bytes) -> None:
        """Take bytes of the computer."""
        self._do(self._talker.received(data, time.monotonic()))

    def closed(self, why: str) -> None:  # noqa: ARG002 the contract's
        """Take the end of the wire."""
        self._wire = None
        self._pieces.clear()
        if self._piece_timer is not None:
            self._piece_timer.cancel()
        self._talker.disconnected()

    # --- what the talker says -----------------------------------------------------------------------------------------

    def _do(self, turn: Turn[Message]) -> None:
        if turn.done is not None:
            turn.done.settled_ns = time.monotonic_ns()
            self._counts.latencies.add((turn.done.settled_ns - turn.done.due_ns) // 1000)
            self._settle(turn.done, Fate.ACKNOWLEDGED)
        if turn.write:
            self._send(turn.write)
        self._watch_absence(is_absent=self._talker.is_absent)
        if self._timer is not None:
            self._timer.cancel()
        wakes_at = self._talker.wakes_at
        self._timer = None
        if wakes_at is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, wakes_at - time.monotonic()), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._do(self._talker.tick(time.monotonic()))

    def _send(self, frame: bytes) -> None:
        message = self._talker.outstanding
        pieces = [frame]
        if message is not None and frame is message.frame:
            message.attempts += 1
            if message.attempts == 1:
                message.sent_ns = time.monotonic_ns()
                pieces, more_answers = arrival(frame, self._plan.faults, self._random)
                self._talker.expect(more_answers)
        is_idle = not self._pieces
        self._pieces += pieces
        if is_idle:
            self._write()

    def _write(self) -> None:
        """Write the next piece. A line carries one byte after the other, so the next frame waits for the last piece."""
        if self._wire is None:
            self._pieces.clear()
            return
        self._wire.write(self._pieces[0])
        if len(self._pieces) > 1:
            self._piece_timer = asyncio.get_running_loop().call_later(PIECE_S, self._next_piece)
        else:
            self._pieces.clear()

    def _next_piece(self) -> None:
        if self._pieces:
            self._pieces.popleft()
            self._write()

    def _settle(self, message: Message, fate: Fate) -> None:
        message.fate = fate
        self._settled(message)
        self.changed.set()

    def _watch_absence(self, *, is_absent: bool) -> None:
        now = time.monotonic()
        if is_absent and self._absent_since is None:
            self._absent_since = now
        elif not is_absent and self._absent_since is not None:
            self._counts.absent_s += now - self._absent_since
            self._absent_since = None


async def report(
    plan: ReceiverPlan,
    way: Way,
    *,
    stop: asyncio.Event,
    counts: ReceiverCounts,
    settled: Callable[[Message], None],
    failed: Callable[[LinkError], None],
    opened: Callable[[str, int], None] = lambda _host, _port: None,
    drain_s: float | None = None,
) -> ReceiverReport:
    """Run the plan over a line to its end, or until ``stop`` is set, and return the result.

    ``settled`` is called with each message whose fate is decided, ``failed`` after each attempt to open the line that
    failed, and ``opened`` with host and port of a port to accept on, or with the device. ``counts`` are kept up to
    date. A message that is not acknowledged ``drain_s`` after the last call is lost.
    Raises UsageError if the dialect cannot write an account, LinkError if a port to accept on cannot be used.
    """
    calls = Calls(plan)
    receiver = LineReceiver(plan, counts, settled)
    began = time.monotonic()
    async with kept_open(way, receiver, failed) as address:
        opened(*address)
        with suppress(TimeoutError):
            async with asyncio.timeout(plan.duration_s):
                await (_by_answers if plan.rate is None else _by_rate)(plan, calls, receiver, stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S + 2 * plan.patience.heartbeat_s if drain_s is None else drain_s):
                while receiver.backlog:
                    receiver.changed.clear()
                    await receiver.changed.wait()
        receiver.end()
    return conclude(counts, homes=len(plan.accounts), seconds=time.monotonic() - began)


async def _by_rate(plan: ReceiverPlan, calls: Calls, receiver: LineReceiver, stop: asyncio.Event) -> None:
    """Let calls come at random instants (a Poisson process), answered or not."""
    assert plan.rate is not None
    random = Random(plan.seed + 2)  # noqa: S311 - a simulation, not a secret
    due_s = time.monotonic()
    told = 0
    for messages in calls:
        if plan.reports is not None and told >= plan.reports:
            return
        due_s += random.expovariate(plan.rate)
        if (wait_s := due_s - time.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, TICK_S)):
                    await stop.wait()
        if stop.is_set():
            return
        for message in messages:
            told += 1
            receiver.take(message, round(due_s * 1e9))


async def _by_answers(plan: ReceiverPlan, calls: Calls, receiver: LineReceiver, stop: asyncio.Event) -> None:
    """Let each call come when the one before was acknowledged."""
    told = 0
    stopped = asyncio.ensure_future(stop.wait())
    try:
        for messages in calls:
            if stop.is_set() or (plan.reports is not None and told >= plan.reports):
                return
            for message in messages:
                told += 1
                receiver.take(message, time.monotonic_ns())
            while receiver.backlog and not stop.is_set():
                receiver.changed.clear()
                changed = asyncio.ensure_future(receiver.changed.wait())
                try:
                    await asyncio.wait({stopped, changed}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
    finally:
        stopped.cancel()
