"""Puts an alarm before a supervisor if no operator answers it in time, or if its operator shows no activity.

The instant at which an alarm is due is part of the alarm (``due_mono_us``), so that no restart loses it. There is one
timer, set to the earliest instant. A mark that was moved meanwhile costs one check at its old instant.
"""

from __future__ import annotations

import heapq
from functools import partial
from typing import TYPE_CHECKING

import structlog

from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import UsageError
from vetlla.receiver.commit.operations import Operation
from vetlla.receiver.timer import EarliestTimer
from vetlla.service.queue import marks, order

if TYPE_CHECKING:
    import asyncio

    from vetlla.domain.alarms import Alarm, Cause
    from vetlla.domain.clock import Clock
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.queue.alarm_view import Deed
    from vetlla.receiver.queue.desk import Desk
    from vetlla.receiver.watchers import Watchers
    from vetlla.store.journal.batch import Batch

log = structlog.get_logger()

AT_ONCE = 200
"""Due alarms that are handled in one turn of the loop, some 10 ms. After an outage many are due, and frames must not
wait."""


class Escalation:
    """Watches the marks of open alarms. Runs in the event loop."""

    def __init__(
        self,
        *,
        desk: Desk,
        commit: GroupCommit,
        watchers: Watchers,
        counters: Counters,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._desk = desk
        self._commit = commit
        self._watchers = watchers
        self._counters = counters
        self._clock = clock
        self._due: list[tuple[int, int]] = []
        """Monotonic instant and alarm number."""
        self._followed: dict[int, int] = {}
        """By alarm: the earliest instant at which it is checked."""
        self._timer = EarliestTimer(loop, self.look)

    def follow(self, alarm: Alarm) -> None:
        """Check an alarm when it is due."""
        due_us, number = alarm.due_mono_us, alarm.id
        if due_us is None or self._followed.get(number, due_us + 1) <= due_us:
            return
        self._followed[number] = due_us
        heapq.heappush(self._due, (due_us, number))
        if self._due[0] == (due_us, number):
            self._set()

    @property
    def overdue(self) -> bool:
        """True if an alarm should be checked now."""
        return bool(self._due) and self._due[0][0] <= self._clock.now().mono_us

    def stop(self) -> None:
        """Forget all marks."""
        self._due.clear()
        self._followed.clear()
        self._timer.stop()

    def _set(self) -> None:
        self._timer.within(max(0, self._due[0][0] - self._clock.now().mono_us) / SECOND_US)

    def look(self) -> None:
        """Handle the alarms that are due, a bounded number at once. The timer calls this."""
        left = AT_ONCE
        while self.overdue and left:
            due_us, number = heapq.heappop(self._due)
            if self._followed.get(number) == due_us:
                del self._followed[number]
                self._commit.perform(Operation(partial(self._fall_due, number), self._fallen_due))
                left -= 1
        if self._due:
            self._set()

    def _fall_due(self, number: int, batch: Batch) -> Deed | None:
        try:
            alarm, _ = self._desk.find(number)
        except UsageError:
            return None  # an operator closed it meanwhile
        acting, limits = self._desk.limits.by_receiver(self._clock.now()), self._desk.limits.marks
        if not marks.due(alarm, acting.now):
            self.follow(alarm)
            return None
        cause = marks.cause(alarm, acting.now)
        if cause is None:
            return self._desk.act(number, acting, "warn", lambda waiting: marks.warn(waiting, acting, limits), batch)

        def escalate(left: Alarm, why: Cause = cause) -> Alarm:
            return marks.fall_due(left, acting, why)

        return self._desk.act(number, acting, "escalate", escalate, batch, why=cause.value)

    def _fallen_due(self, deed: Deed | None, _: bool) -> None:  # noqa: FBT001 - the signature of Operation.done
        if not isinstance(deed, tuple):
            return
        now, alarm = self._clock.now(), deed.view.alarm
        waited_us = order.waited_us(alarm, now) if alarm.t3_us is None else alarm.t3_us
        known = {"alarm": alarm.id, "priority": alarm.priority.name, "t3_s": (waited_us or 0) / SECOND_US}
        if deed.action == "warn":
            self._counters.warnings[alarm.priority] += 1
            log.warning("alarm.warned", **known)
        else:
            self._counters.escalations[alarm.priority, deed.cause] += 1
            log.warning("alarm.escalated", why=deed.cause.value, **known)
        if self._watchers:
            self._watchers.publish(deed.event(now))
