"""Counts how long each communication waited for an operator (*t3*), when the wait ends.

ANS 6 is about communications, not alarms: every report of an alarm counts from the moment at which it was ready. A
report that joins an alarm whose operator is already speaking with the home has not waited. The reports of an alarm that
is closed without an answer have waited until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.alarms import State
from vetlla.domain.signals import Kind, Priority

if TYPE_CHECKING:
    from vetlla.domain.alarms import Alarm
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.queue.alarm_view import AlarmView
    from vetlla.service.queue.marks import Marks

GROUPS_MAX = 1_000
"""Moments remembered for one alarm. Reports that join later count from the last of them, so that none of them seems to
have waited less than it did."""


class Calls:
    """The communications that wait, by alarm."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._waiting: dict[int, list[tuple[int, int]]] = {}
        """By alarm: the monotonic instants at which reports became ready, each with the number of reports."""

    def apply(self, marks: Marks) -> None:
        """Apply limits."""
        self._marks = marks

    def ready(self, alarm: Alarm, count: int, mono_us: int) -> None:
        """Start the wait of an alarm's reports at this moment, unless an operator is speaking with the home."""
        if alarm.on_test or not count:
            return
        if alarm.state is State.ANSWERED:
            self._observe(alarm.priority, 0, count)
            return
        waiting = self._waiting.setdefault(alarm.id, [])
        if len(waiting) < GROUPS_MAX:
            waiting.append((mono_us, count))
        else:
            last_us, before = waiting[-1]
            waiting[-1] = (last_us, before + count)

    def ended(self, alarm: Alarm, mono_us: int) -> None:
        """Count the reports of an alarm that has just been answered or closed."""
        for ready_us, count in self._waiting.pop(alarm.id, ()):
            self._observe(alarm.priority, mono_us - ready_us, count)

    def answered_by_receiver(self, count: int) -> None:
        """Count reports that no operator has to see: routine ones, and those that a runaway device repeats."""
        if count:
            self._observe(Priority.ROUTINE, 0, count)

    def _observe(self, priority: Priority, t3_us: int, count: int) -> None:
        counters = self._counters
        counters.t3[priority].observe(t3_us, count)
        if t3_us > self._marks.warn_us:
            counters.t3_slow[priority] += count
        if t3_us > self._marks.max_us:
            counters.t3_breaches[priority] += count


def reports(view: AlarmView) -> int:
    """Return how many communications an alarm stands for. A refused report opens an alarm, too, but has no signal.

    An alarm of a silence that the receiver noticed itself stands for no communication.
    """
    alarm, tally = view
    return tally.signals or (0 if alarm.kind is Kind.DEVICE_LOST else 1)
