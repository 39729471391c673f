"""A timing wheel: who must be looked at when, at a cost that does not grow with how many there are.

Devices are numbers. Each waits in one slot of a quarter of a second; a sign of life does not touch the wheel: whoever
is looked at and was heard meanwhile is put into a later slot. So a heartbeat costs nothing here, and a device is looked
at once per interval. An entry that was overtaken by an earlier one stays where it is and is passed over when its slot
comes.
"""

from __future__ import annotations

from array import array
from heapq import heappop, heappush

SLOT_US = 250_000
"""A quarter of the second within which a quiet device must be noticed."""
NOWHERE = -1


class Wheel:
    """The slots. Instants are on the monotonic clock."""

    __slots__ = ("_order", "_slots", "_where")

    def __init__(self) -> None:
        self._slots: dict[int, array[int]] = {}
        self._order: list[int] = []
        self._where = array("q")
        """By device: the slot in which it waits."""

    def grow(self, devices: int) -> None:
        """Make room for device numbers below ``devices``."""
        self._where.extend([NOWHERE] * (devices - len(self._where)))

    def put(self, device: int, at_us: int) -> None:
        """Let a device be looked at as soon as an instant has passed, instead of whenever it waited for before."""
        slot = -(-at_us // SLOT_US)
        self._where[device] = slot
        waiting = self._slots.get(slot)
        if waiting is None:
            self._slots[slot] = array("I", (device,))
            heappush(self._order, slot)
        else:
            waiting.append(device)

    def remove(self, device: int) -> None:
        """Let a device be looked at no more."""
        self._where[device] = NOWHERE

    @property
    def next_us(self) -> int | None:
        """When the next slot comes; None: nobody waits."""
        return self._order[0] * SLOT_US if self._order else None

    def take(self, now_us: int, at_most: int) -> list[int]:
        """Take devices whose slot has come out of the wheel, so many at the most; fewer: that was all."""
        taken: list[int] = []
        where, order = self._where, self._order
        while order and order[0] * SLOT_US <= now_us and len(taken) < at_most:
            slot = order[0]
            waiting = self._slots[slot]
            some = waiting[-(at_most - len(taken)) :]
            del waiting[-len(some) :]
            if not waiting:
                del self._slots[heappop(order)]
            for device in some:
                if where[device] == slot:
                    where[device] = NOWHERE
                    taken.append(device)
        return taken
