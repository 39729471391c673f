"""The reasons why devices are not supervised, and the pauses that people order."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.supervision import OrderedPause
from vetlla.service.supervision.rules import Pause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.clock import Instant
    from vetlla.receiver.supervision.day_counters import DayCounters
    from vetlla.receiver.supervision.states import DeviceStates
    from vetlla.store.journal.batch import Batch


class Order(NamedTuple):
    """A pause that an engineer or a supervisor orders; with ``until_us`` None it lasts until a person lifts it."""

    operator: str
    reason: str
    until_us: int | None


class Pauses:
    """Sets and lifts pauses, and records them in the day counters. Lives in the event loop."""

    def __init__(self, states: DeviceStates, day_counters: DayCounters) -> None:
        self._states = states
        self._day_counters = day_counters
        self.ordered: dict[int, OrderedPause] = {}
        """By device: its ordered pause."""
        self._ends: list[tuple[int, int]] = []
        """Pauses with an end: its monotonic instant and the device."""
        self._end_of: dict[int, int] = {}
        """By device: the end of its latest order. The ends of earlier orders are ignored."""

    def set(self, device: int, pause: Pause, among: Pause, now: Instant) -> None:
        """Replace those reasons of a device that are in ``among`` by ``pause``; its other reasons stay."""
        fleet = self._states.fleet
        before = Pause(fleet.pause[device])
        after = (before & ~among) | pause
        if after == before:
            return
        if after:
            self._day_counters.paused(device, after)
        else:
            self._day_counters.resumed(device, before, now)
        self._states.set_pause(device, after, now)

    def order(self, devices: Iterable[int], order: Order, now: Instant, batch: Batch) -> None:
        """Pause devices for an operator, and add the pauses to the current batch."""
        for device in devices:
            ordered = OrderedPause(device, now.utc_us, order.until_us, order.operator, order.reason)
            batch.supervision.pauses.append(ordered)
            self.remember(ordered, now)
            self.set(device, Pause.ORDERED, Pause.ORDERED, now)

    def lift(self, devices: Iterable[int], now: Instant, batch: Batch) -> list[int]:
        """End ordered pauses; return the devices that had one."""
        lifted = [device for device in devices if self.ordered.pop(device, None)]
        for device in lifted:
            self._end_of.pop(device, None)
            batch.supervision.pauses_ended.append(device)
            self.set(device, Pause.NONE, Pause.ORDERED, now)
        return lifted

    def remember(self, order: OrderedPause, now: Instant) -> None:
        """Keep an order and its end in memory."""
        self.ordered[order.unit] = order
        self._end_of.pop(order.unit, None)
        if order.until_us is not None:
            self._end_of[order.unit] = ends_us = now.mono_us + max(0, order.until_us - now.utc_us)
            heapq.heappush(self._ends, (ends_us, order.unit))

    @property
    def next_us(self) -> int | None:
        """Monotonic instant at which the next pause ends, or None."""
        return self._ends[0][0] if self._ends else None

    def end_due(self, now: Instant, batch: Batch) -> list[int]:
        """End the pauses that are over; return their devices. A pause that was ordered again since has a new end."""
        ended: list[int] = []
        while self._ends and self._ends[0][0] <= now.mono_us:
            ends_us, device = heapq.heappop(self._ends)
            if self._end_of.get(device) == ends_us:
                ended += self.lift([device], now, batch)
        return ended
