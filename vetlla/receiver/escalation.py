"""Escalation: an alarm that nobody answers goes before a supervisor at the limits of *t3*.

One timer for the earliest deadline; a deadline that was met meanwhile costs one look when it falls due.
"""

from __future__ import annotations

import heapq
from functools import partial
from typing import TYPE_CHECKING

import structlog

from vetlla.alarms import State
from vetlla.clock import SECOND_US
from vetlla.errors import UsageError
from vetlla.receiver.commit import Operation
from vetlla.service import queue
from vetlla.signals import Priority

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from vetlla.clock import Clock
    from vetlla.receiver.card import Card
    from vetlla.receiver.commit import GroupCommit
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.desk import Desk
    from vetlla.receiver.dispatch import Dispatch
    from vetlla.settings.model import QueueSettings
    from vetlla.store.batch import Batch

log = structlog.get_logger()

ESCALATED = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities whose waiting is a person's waiting."""


class Escalation:
    """Watches the clocks of unanswered alarms. Lives in the event loop."""

    def __init__(
        self,
        *,
        settings: QueueSettings,
        desk: Desk,
        commit: GroupCommit,
        dispatch: Dispatch,
        counters: Counters,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._steps_us = [round(limit * SECOND_US) for limit in (settings.t3_warn_s, settings.t3_max_s)]
        self._desk = desk
        self._commit = commit
        self._dispatch = dispatch
        self._counters = counters
        self._clock = clock
        self._loop = loop
        self._due: list[tuple[int, int]] = []
        """Monotonic deadline and alarm."""
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, number: int) -> None:
        """Follow an alarm that just became ready, or more urgent."""
        self._follow(number, self._steps_us, self._clock.now().mono_us)

    def watch_open(self) -> None:
        """After a start: follow what is open from where its clock stands; what an earlier life escalated stays so."""
        now = self._clock.now()
        for alarm, _ in self._desk.cards(now):
            ready_us = now.mono_us - (queue.waited_us(alarm, now) or 0)
            self._follow(alarm.id, self._steps_us[alarm.escalated :], ready_us)

    def _follow(self, number: int, steps_us: Iterable[int], since_us: int) -> None:
        for step_us in steps_us:
            heapq.heappush(self._due, (since_us + step_us, number))
        self._set()

    def stop(self) -> None:
        """Forget all deadlines."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._due:
            wait_us = max(0, self._due[0][0] - self._clock.now().mono_us)
            self._timer = self._loop.call_later(wait_us / SECOND_US, self._fall_due)

    def _fall_due(self) -> None:
        self._timer = None
        now_us = self._clock.now().mono_us
        while self._due and self._due[0][0] <= now_us:
            _, number = heapq.heappop(self._due)
            self._commit.perform(Operation(partial(self._escalate, number), _said))
        self._set()

    def _escalate(self, number: int, batch: Batch) -> Card | None:
        try:
            alarm, _ = self._desk.find(number)
        except UsageError:
            return None  # closed meanwhile
        if alarm.state is State.ANSWERED or alarm.priority not in ESCALATED or alarm.on_test:
            return None
        now = self._clock.now()
        hand = queue.Hand("receiver", now, 0)
        card = self._desk.act(number, hand, "escalate", queue.escalate, batch, why="unanswered")
        self._counters.escalations += 1
        waited_us = queue.waited_us(alarm, now) or 0
        log.warning("alarm.escalated", alarm=number, priority=alarm.priority.name, waited_s=waited_us / SECOND_US)
        self._dispatch.publish({"event": "escalated", "alarm": card.fields(now)})
        return card


def _said(_: object, __: bool) -> None:  # noqa: FBT001 - the shape of Operation.done
    """Nobody waits for an escalation's outcome: log, metric and watchers have it."""
