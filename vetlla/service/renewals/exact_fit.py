"""Completes a day: from the waiting visits it takes those whose minutes come nearest to the rest of the day.

This is a subset-sum problem, solved with the bits of an integer: bit N stands for a sum of N minutes.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.renewals.slots import Slot

LOOK = 40
"""Number of visits searched for some that fill the rest of a day exactly."""


def take_nearest(slots: Sequence[Slot], pending: list[tuple[int, int]], room: int) -> list[int]:
    """Remove from ``pending`` the visits, earliest deadlines first, whose sum is nearest to ``room``."""
    near = [heappop(pending) for _ in range(min(LOOK, len(pending)))]
    # Bit N of ``reached`` is set if some of these visits have N minutes together. For each visit, ``first_by`` has the
    # bits that it was the first to set.
    reached, mask = 1, (2 << room) - 1
    first_by: list[int] = []
    for _, number in near:
        fresh = (reached << slots[number].minutes) & mask & ~reached
        first_by.append(fresh)
        reached |= fresh
        if reached >> room & 1:
            break
    taken = set()
    total = reached.bit_length() - 1
    for place in reversed(range(len(first_by))):
        if first_by[place] >> total & 1:
            taken.add(place)
            total -= slots[near[place][1]].minutes
    for place, entry in enumerate(near):
        if place not in taken:
            heappush(pending, entry)
    return [near[place][1] for place in taken]
