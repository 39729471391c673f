"""Lowers the peak of a plan by single moves and exchanges of visits.

The fillings go through the days only once, so they do not foresee the fixed visits of later days. This corrects it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.renewals.slots import Slot


def lower_peak(slots: Sequence[Slot], placed: list[int], target: int) -> None:
    """Lower the peak towards ``target``: move a visit away from a peak day, or exchange it for a shorter one."""
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
