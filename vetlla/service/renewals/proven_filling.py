"""Fills days by a rule that is proven to miss no deadline and to exceed no level by a whole visit.

The rule: on each day begin visits, earliest deadline first, while the day has less than its level. Proof: suppose that
a visit missed its deadline d, and that t < d is the last day that ran out of visits or began one due after d. Then on
days t+1..d only visits released after t and due by d were begun, and each of these days reached its level. The levels
of t+1..d add up to at least the work that must be done within them. So all of it was done, which is a contradiction.
No day exceeds its level by a whole visit.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from vetlla.service.renewals.slots import by_first_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.renewals.levels import Stretch
    from vetlla.service.renewals.slots import Slot


def proven_filling(slots: Sequence[Slot], levels: Sequence[Stretch]) -> list[int]:
    """Return the day of each slot."""
    released = by_first_day(slots, len(levels))
    pending: list[tuple[int, int]] = []
    days = [-1] * len(slots)
    for today, stretch in enumerate(levels):
        for number in released[today]:
            heappush(pending, (slots[number].last, number))
        load = 0
        while pending and load < stretch.level:
            _, number = heappop(pending)
            days[number] = today
            load += slots[number].minutes
    assert not pending, "the levels leave room for all work"
    return days
