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

    from vetlla.alarms import Alarm
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
        self.use(settings)
        self._desk = desk
        self._commit = commit
        self._dispatch = dispatch
        self._counters = counters
        self._clock = clock
        self._loop = loop
        self._due: list[tuple[int, int]] = []
        """Monotonic deadline and alarm."""
        self._timer: asyncio.TimerHandle | None = None

    def use(self, settings: QueueSettings) -> None:
        """Go on with other limits; alarms that are followed already keep theirs."""
        self._steps_us = [round(limit * SECOND_US) for limit in (settings.t3_warn_s, settings.t3_max_s)]

    def watch(self, alarm: Alarm) -> None:
        """Follow an alarm that just became ready, or more urgent."""
        self._follow(alarm, self._steps_us, self._clock.now().mono_us)

    def watch_open(self) -> None:
        """After a start: follow what is open from where its clock stands; what an earlier life escalated stays so."""
        now = self._clock.now()
        for alarm, _ in self._desk.cards(now):
            ready_us = now.mono_us - (queue.waited_us(alarm, now) or 0)
            self._follow(alarm, self._steps_us[alarm.escalated :], ready_us)

    def stop(self) -> None:
        """Forget all deadlines."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _follow(self, alarm: Alarm, steps_us: Iterable[int], since_us: int) -> None:
        if not _is_urgent(alarm):
            return
        earliest = self._due[0] if self._due else None
        for step_us in steps_us:
            heapq.heappush(self._due, (since_us + step_us, alarm.id))
        if self._due and self._due[0] != earliest:
            self._set()

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_us = max(0, self._due[0][0] - self._clock.now().mono_us)
        self._timer = self._loop.call_later(wait_us / SECOND_US, self._fall_due)

    def _fall_due(self) -> None:
        self._timer = None
        now_us = self._clock.now().mono_us
        while self._due and self._due[0][0] <= now_us:
            _, number = heapq.heappop(self._due)
            self._commit.perform(Operation(partial(self._escalate, number), self._escalated))
        if self._due:
            self._set()

    def _escalate(self, number: int, batch: Batch) -> Card | None:
        try:
            alarm, _ = self._desk.find(number)
        except UsageError:
            return None  # closed meanwhile
        if alarm.state is State.ANSWERED or not _is_urgent(alarm):
            return None
        hand = queue.Hand("receiver", self._clock.now(), 0)
        return self._desk.act(number, hand, "escalate", queue.escalate, batch, why="unanswered")

    def _escalated(self, card: Card | None, _: bool) -> None:  # noqa: FBT001 - the shape of Operation.done
        if card is None:
            return
        now, alarm = self._clock.now(), card.alarm
        self._counters.escalations += 1
        waited_us = queue.waited_us(alarm, now) or 0
        log.warning("alarm.escalated", alarm=alarm.id, priority=alarm.priority.name, waited_s=waited_us / SECOND_US)
        if self._dispatch:
            self._dispatch.publish({"event": "escalated", "alarm": card.fields(now)})


def _is_urgent(alarm: Alarm) -> bool:
    return alarm.priority in ESCALATED and not alarm.on_test
