"""Computes the lowest possible peak of a base's plan, and the most even level of every other day.

A visit is work (minutes) that must be done within a window of working days. In any plan, the work with windows inside
days a..b is done within a..b, so some day of a..b has at least that work divided by the number of days. The largest
such quotient over all windows is a bound that no plan can beat (together with the longest single visit).

The bound can be reached, except for the rounding to whole visits. Take the window with the largest quotient, the
*critical stretch*, and give its days that quotient as their level. Remove its days and visits, close the gap, and
repeat. This is the optimal speed schedule of Yao, Demers and Shenker (FOCS 1995, "A scheduling model for reduced CPU
energy"). It makes the peak and every other stretch as even as possible. ``filling`` fills the levels with visits.

One pass over all windows costs days^2 / 2 additions: some 20 ms for three years.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import accumulate
from operator import truediv
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Work: TypeAlias = "Mapping[tuple[int, int], int]"
"""Minutes by window: (first, last) working day, both included, as indexes of the list of working days."""


class Stretch(NamedTuple):
    """Days first..last and the minutes that must be done in them; ``days`` does not count days of denser stretches."""

    first: int
    last: int
    minutes: int
    days: int

    @property
    def level(self) -> Fraction:
        """Minutes a day. In any plan, at least one day of the stretch has this much work or more."""
        return Fraction(self.minutes, self.days)


def levels(work: Work, days: int) -> list[Stretch]:
    """Return for each day the stretch that sets its level. Every level is as low as possible."""
    found = [Stretch(0, max(days - 1, 0), 0, max(days, 1))] * days
    left = {window: minutes for window, minutes in work.items() if minutes}
    alive = list(range(days))
    while left:
        critical = _critical(left, len(alive))
        gone = set()
        for stretch in critical:
            true = stretch._replace(first=alive[stretch.first], last=alive[stretch.last])
            for place in range(stretch.first, stretch.last + 1):
                found[alive[place]] = true
                gone.add(place)
        left = _without(left, gone, len(alive))
        alive = [day for place, day in enumerate(alive) if place not in gone]
    return found


def _critical(work: Work, days: int) -> list[Stretch]:
    """Return the window of several days with the most minutes a day, or the single days with at least as many.

    All such single days can be removed at once, because the others stay at least as high when one is removed. Agreed
    visits and homes that join make hundreds of them.
    """
    single = [0] * days
    ending = [0] * days  # minutes by last day of all windows that begin on `first` or later
    by_first = _by_first(work)
    best = (0.0, Stretch(0, 0, 0, 1))
    for first in sorted(by_first, reverse=True):
        for last, minutes in by_first[first]:
            ending[last] += minutes
            single[first] += minutes * (first == last)
        inside = list(accumulate(ending[first:]))
        quotients = list(map(truediv, inside[1:], range(2, days - first + 1)))
        if quotients and (top := max(quotients)) > best[0]:
            last = first + 1 + quotients.index(top)
            best = (top, Stretch(first, last, inside[last - first], last - first + 1))
    alone = [Stretch(day, day, minutes, 1) for day, minutes in enumerate(single) if minutes and minutes >= best[0]]
    return alone or [best[1]]


def _by_first(work: Work) -> dict[int, list[tuple[int, int]]]:
    by_first: dict[int, list[tuple[int, int]]] = {}
    for (first, last), minutes in work.items():
        by_first.setdefault(first, []).append((last, minutes))
    return by_first


def _without(work: Work, gone: set[int], days: int) -> dict[tuple[int, int], int]:
    """Return the work that remains when days are removed, with its windows counted in the remaining days."""
    before = [0, *accumulate(day not in gone for day in range(days))]
    left: Counter[tuple[int, int]] = Counter()
    for (first, last), minutes in work.items():
        begin, end = before[first], before[last + 1] - 1
        if begin <= end:
            left[begin, end] += minutes
    return left


def shortage(work: Work, capacity: Sequence[int]) -> tuple[Stretch, int] | None:
    """Return the window that lacks the most capacity, and how many minutes; None if every window has enough.

    If it is None, a plan exists, except for the rounding to whole visits.
    """
    total = [0, *accumulate(capacity)]
    by_first = _by_first(work)
    ending = [0] * len(capacity)
    worst: tuple[Stretch, int] | None = None
    for first in sorted(by_first, reverse=True):
        for last, minutes in by_first[first]:
            ending[last] += minutes
        inside = 0
        for last in range(first, len(capacity)):
            inside += ending[last]
            short = inside - (total[last + 1] - total[first])
            if short > 0 and (worst is None or short > worst[1]):
                worst = (Stretch(first, last, inside, last - first + 1), short)
    return worst
