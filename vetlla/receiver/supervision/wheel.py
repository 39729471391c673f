"""A timing wheel: gives the devices that must be checked now, at a cost that does not grow with the fleet.

Devices are numbers. Each waits in one slot of a quarter of a second. A sign of life does not touch the wheel: if a
device was heard meanwhile, ``states.py`` puts it into a later slot when it checks the device. So a heartbeat costs
nothing here, and a device is checked once per interval. If a device gets an earlier slot, its old entry stays and is
skipped when the old slot comes.
"""

from __future__ import annotations

from array import array
from heapq import heappop, heappush

SLOT_US = 250_000
"""A quarter of the second within which a silent device must be noticed."""
NOWHERE = -1


class Wheel:
    """The slots. Instants are readings of the clock of silence."""

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
        """Put a device into the first slot at or after an instant, instead of its previous slot."""
        slot = -(-at_us // SLOT_US)
        self._where[device] = slot
        waiting = self._slots.get(slot)
        if waiting is None:
            self._slots[slot] = array("I", (device,))
            heappush(self._order, slot)
        else:
            waiting.append(device)

    def remove(self, device: int) -> None:
        """Take a device out of the wheel."""
        self._where[device] = NOWHERE

    @property
    def next_us(self) -> int | None:
        """Instant of the next slot, or None if no device waits."""
        return self._order[0] * SLOT_US if self._order else None

    def take(self, now_us: int, at_most: int) -> list[int]:
        """Take up to ``at_most`` due devices out of the wheel. If it returns fewer, no others are due."""
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
