"""The length of the queue, and how long its alarms have waited. Alarms of accounts on test are counted apart."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from vetlla.domain.alarms import State
from vetlla.domain.clock import SECOND_US
from vetlla.service.queue import marks, order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.alarms import Alarm
    from vetlla.domain.clock import Instant
    from vetlla.domain.signals import Priority


def counts(alarms: Iterable[Alarm], now: Instant) -> dict[tuple[State, Priority], int]:
    """Return the number of open alarms by state and priority."""
    return Counter((order.as_of(alarm, now).state, alarm.priority) for alarm in alarms if not alarm.on_test)


def on_test(alarms: Iterable[Alarm]) -> dict[Priority, int]:
    """Return, by priority, how many open alarms are shown apart because their accounts were on test."""
    return Counter(alarm.priority for alarm in alarms if alarm.on_test)


def unattended(alarms: Iterable[Alarm]) -> dict[Priority, int]:
    """Return, by priority, how many answered alarms have an operator who has let the hold time pass."""
    return Counter(alarm.priority for alarm in alarms if marks.unattended(alarm) and not alarm.on_test)


def oldest_waiting_s(alarms: Iterable[Alarm], now: Instant) -> dict[Priority, float]:
    """Return, by priority, the longest time in seconds that an alarm has waited since it was ready."""
    oldest: dict[Priority, float] = {}
    for alarm in alarms:
        waited_us = order.waited_us(alarm, now)
        if waited_us is not None and not alarm.on_test and order.as_of(alarm, now).state is State.WAITING:
            oldest[alarm.priority] = max(oldest.get(alarm.priority, 0.0), waited_us / SECOND_US)
    return oldest
