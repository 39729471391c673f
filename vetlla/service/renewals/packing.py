"""Fills a base's days with visits up to their levels, earliest deadline first.

One rule is proven: on each day begin visits, earliest deadline first, while the day has less than its level. Proof:
suppose that a visit missed its deadline d, and that t < d is the last day that ran out of visits or began one due after
d. Then on days t+1..d only visits released after t and due by d were begun, and each of these days reached its level.
The levels of t+1..d add up to at least the work that must be done within them. So all of it was done, which is a
contradiction. No day exceeds its level by a whole visit.

Stricter fillings are tried first, for each peak from the bound upwards, and they never exceed that peak. The first
keeps every day to its own level, the second allows one visit more, and the last two are limited only by the peak. All
but the last use up a day's level only on average (``credit``), so that a small fleet is not renewed as early as
possible. They complete a day exactly with visits that fit. The first filling that succeeds has the lowest peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from math import ceil, gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.renewals.levels import Stretch

LOOK = 40
"""Number of visits searched for some that fill the rest of a day exactly."""
CLOSING = 480
"""The rest of a day in minutes, some four visits, below which it is filled exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A visit to be placed: its window of working days and its minutes."""

    first: int
    last: int
    minutes: int


def fill(slots: Sequence[Slot], levels: Sequence[Stretch], capacity: Sequence[int] | None = None) -> list[int] | None:
    """Return the day of each slot, with the lowest peak that a filling finds; None if ``capacity`` is too small.

    Without ``capacity`` the result is never None.
    """
    if not slots:
        return []
    step = gcd(*(slot.minutes for slot in slots))
    longest = max(slot.minutes for slot in slots)
    own = [max(ceil(stretch.level / step) * step, longest) for stretch in levels]
    for peak in range(max(own), max(own) + longest, step):
        for limits, steady in (
            (own, True),
            ([limit + longest for limit in own], True),
            ([peak] * len(own), True),
            ([peak] * len(own), False),
        ):
            lowest = [min(limit, peak) for limit in limits]
            if capacity is not None:
                lowest = list(map(min, lowest, capacity))
            days = _strict(slots, lowest, levels if steady else None)
            if days is not None:
                return days
    return _proven(slots, levels) if capacity is None else _strict(slots, capacity, None)


def _strict(slots: Sequence[Slot], limits: Sequence[int], steady: Sequence[Stretch] | None) -> list[int] | None:
    """Return the day of each slot without exceeding a day's limit; None if a visit would miss its deadline."""
    released = _by_first(slots, len(limits))
    pending: list[tuple[int, int]] = []
    days = [-1] * len(slots)
    credit = 0.0  # minutes of the levels so far that no visit has used
    for today, limit in enumerate(limits):
        for number in released[today]:
            heappush(pending, (slots[number].last, number))
        credit = max(credit, 0.0) * bool(pending) + min(credit, 0.0) + float(steady[today].level) if steady else limit
        for number in _today(slots, pending, today, room=limit, credit=credit):
            days[number] = today
            credit -= slots[number].minutes
        if pending and pending[0][0] <= today:
            return None
    return None if pending else days


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
    return taken + _closing(slots, pending, room) if pending and credit > 0 else taken


def _closing(slots: Sequence[Slot], pending: list[tuple[int, int]], room: int) -> list[int]:
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


def _proven(slots: Sequence[Slot], levels: Sequence[Stretch]) -> list[int]:
    released = _by_first(slots, len(levels))
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


def _by_first(slots: Sequence[Slot], days: int) -> list[list[int]]:
    released: list[list[int]] = [[] for _ in range(days)]
    for number, slot in enumerate(slots):
        released[slot.first].append(number)
    return released


def lower(slots: Sequence[Slot], placed: list[int], target: int) -> None:
    """Lower the peak towards ``target``: move a visit away from a peak day, or exchange it for a shorter one.

    The fillings go through the days only once, so they do not foresee the fixed visits of later days. This corrects it.
    """
    on_day: dict[int, list[int]] = {}
    for number, day in enumerate(placed):
        on_day.setdefault(day, []).append(number)
    load = {day: sum(slots[number].minutes for number in numbers) for day, numbers in on_day.items()}
    for _ in range(len(slots)):
        peak_day = max(load, key=lambda day: (load[day], -day))
        peak = load[peak_day]
        step = _better(slots, on_day, load, peak_day) if peak > target else None
        if step is None:
            return
        for number, before, after in step:
            on_day[before].remove(number)
            on_day.setdefault(after, []).append(number)
            load[before] -= slots[number].minutes
            load[after] = load.get(after, 0) + slots[number].minutes
            placed[number] = after


def _better(
    slots: Sequence[Slot], on_day: dict[int, list[int]], load: dict[int, int], day: int
) -> list[tuple[int, int, int]] | None:
    """Return the moves (visit, from, to) that lower a day's load without raising another day to the old load."""
    peak = load[day]
    for number in on_day[day]:
        slot = slots[number]
        windows = range(slot.first, slot.last + 1)
        emptiest = min(windows, key=lambda other: load.get(other, 0))
        if load.get(emptiest, 0) + slot.minutes < peak:
            return [(number, day, emptiest)]
    for number in on_day[day]:
        slot = slots[number]
        for other in range(slot.first, slot.last + 1):
            for partner in on_day.get(other, ()):
                shorter = slots[partner]
                gain = slot.minutes - shorter.minutes
                if gain > 0 and load[other] + gain < peak and shorter.first <= day <= shorter.last:
                    return [(number, day, other), (partner, other, day)]
    return None
