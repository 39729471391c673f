"""Fills days in their order, earliest deadline first, without ever exceeding a day's limit.

On average a day is filled to its level, and one day may have more or less: ``credit`` is what the levels so far allow
and no visit has used. The end of a day is completed exactly with visits that fit (``exact_fit``).
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from vetlla.service.renewals.exact_fit import take_nearest
from vetlla.service.renewals.slots import by_first_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.renewals.levels import Stretch
    from vetlla.service.renewals.slots import Slot

CLOSING = 480
"""The rest of a day in minutes, some four visits, below which it is filled exactly."""


def strict_filling(slots: Sequence[Slot], limits: Sequence[int], steady: Sequence[Stretch] | None) -> list[int] | None:
    """Return the day of each slot without exceeding a day's limit; None if a visit would miss its deadline."""
    released = by_first_day(slots, len(limits))
    pending: list[tuple[int, int]] = []
    days = [-1] * len(slots)
    credit = 0.0  # minutes of the levels so far that no visit has used
    for today, limit in enumerate(limits):
        for number in released[today]:
            heappush(pending, (slots[number].last, number))
        credit = _carried(credit, has_pending=bool(pending)) + float(steady[today].level) if steady else limit
        for number in _today(slots, pending, today, room=limit, credit=credit):
            days[number] = today
            credit -= slots[number].minutes
        if pending and pending[0][0] <= today:
            return None
    return None if pending else days


def _carried(credit: float, *, has_pending: bool) -> float:
    """Return the credit of earlier days. What was used too much counts; what is left counts only if visits wait."""
    return credit if has_pending else min(credit, 0.0)


def _today(slots: Sequence[Slot], pending: list[tuple[int, int]], today: int, *, room: int, credit: float) -> list[int]:
    """Remove the visits of one day from ``pending``: at most ``room`` minutes, begun while ``credit`` is left."""
    taken = []
    while pending:
        last, number = pending[0]
        minutes = slots[number].minutes
        full = credit <= 0 or (room < CLOSING and credit > room - CLOSING // 4)
        if minutes > room or (full and last > today):
            break
        heappop(pending)
        taken.append(number)
        room -= minutes
        credit -= minutes
    return taken + take_nearest(slots, pending, room) if pending and credit > 0 else taken
