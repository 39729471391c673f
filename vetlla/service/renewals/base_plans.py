"""Plans the calendar of home visits: the work of each base is as even as possible, and priority homes come first.

For each base, ``levels`` computes the daily levels that no plan can beat, and ``filling`` fills visits into them. Then
visits of homes with priority are exchanged with later visits of the same length. Such an exchange does not change the
minutes of any day, so the peak stays the proven one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import TERMINALS
from vetlla.domain.visits import RANKS, Rank, Task, Visit, Why, Work
from vetlla.service.renewals.filling import fill
from vetlla.service.renewals.levels import Stretch, levels, shortage
from vetlla.service.renewals.peak_lowering import lower_peak
from vetlla.service.renewals.slots import Slot
from vetlla.service.renewals.visits_needed import NeededVisit, turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date


LAST_TURN = RANKS.index(Rank.NONE)
"""Place of homes without priority in the order of ranks."""
BRINGS = frozenset({Work.RENEWAL, Work.INSTALLATION})
"""Work that brings a new device into the home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFigures:
    """Result of planning one base. No plan can have a peak day with fewer minutes than ``bound``."""

    base: str
    visits: int
    minutes: int
    peak: int
    """Minutes of the day with the most work."""
    peak_day: date
    bound: Fraction
    stretch_first: date
    stretch_last: date
    """``stretch_first`` and ``stretch_last``: the stretch with the highest level (``levels``)."""
    longest: int
    """Minutes of the longest visit. The peak is above the bound by less than this, because visits are whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """Why the capacity of a base is not enough."""

    base: str
    first: date
    last: date
    days: int
    minutes_needed: int
    minutes_short: int
    """0 if every window has enough minutes, but the planner found no way to fit whole visits into the days."""
    least_capacity: int
    """Technician-minutes a working day with which a plan exists."""
    tasks: tuple[Task, ...]
    """Work that must be done within first..last."""
    homes: tuple[str, ...]


class Plan(NamedTuple):
    """Visits in the order of their days. If there are shortages, the plan needs their ``least_capacity``."""

    visits: list[Visit]
    bases: list[BaseFigures]
    shortages: list[Shortage]


def plan(wishes: Iterable[NeededVisit], days: Sequence[date], capacity: Mapping[str, Sequence[int]]) -> Plan:
    """Return a plan with a day for every visit. ``capacity``: technician-minutes of each base on each of the days."""
    by_base: defaultdict[str, list[NeededVisit]] = defaultdict(list)
    for wish in wishes:
        by_base[wish.base].append(wish)
    visits: list[Visit] = []
    figures: list[BaseFigures] = []
    shortages: list[Shortage] = []
    for base, wanted in sorted(by_base.items()):
        # A fixed order decides between equal visits, so that the same registry always gives the same plan.
        wanted.sort(key=lambda wish: (wish.last, turn(wish), wish.home))
        of_base, figure, short = _plan_base(base, wanted, days, capacity[base])
        visits += of_base
        figures.append(figure)
        shortages += [short] if short else []
    visits.sort(key=lambda visit: (visit.day, visit.base, RANKS.index(visit.why.rank), visit.home))
    return Plan(visits, figures, shortages)


def work_of(wanted: Iterable[NeededVisit]) -> Counter[tuple[int, int]]:
    """Return the minutes of work for each window of working days."""
    work: Counter[tuple[int, int]] = Counter()
    for wish in wanted:
        work[wish.first, wish.last] += wish.minutes
    return work


def with_terminals(visits: Iterable[Visit], *, digital: int, homes: Mapping[int, int], target: int) -> list[Visit]:
    """Return all visits in their order, and decide for each new terminal whether it is GSM-IP.

    Every new or renewed terminal is digital until the target share is reached: ``target`` % of the homes attended at
    the end of its year. After that it is digital only if the home's level demands it. ``digital``: the number of GSM-IP
    terminals installed before the plan.
    """
    decided = []
    for visit in visits:
        if any(task.type in TERMINALS and task.work in BRINGS for task in visit.tasks):
            wanted = digital * 100 < target * homes[visit.day.year] or visit.why.rank is Rank.LEVEL_3
            digital += wanted
            decided.append(replace(visit, digital=wanted))
        else:
            decided.append(visit)
    return decided


def _plan_base(
    base: str, wanted: list[NeededVisit], days: Sequence[date], capacity: Sequence[int]
) -> tuple[list[Visit], BaseFigures, Shortage | None]:
    work = work_of(wanted)
    level = levels(work, len(days))
    slots = [Slot(first=wish.first, last=wish.last, minutes=wish.minutes) for wish in wanted]
    placed = fill(slots, level)
    assert placed is not None
    top = max(level, key=lambda stretch: stretch.level)
    longest = max(wish.minutes for wish in wanted)
    lower_peak(slots, placed, max(ceil(top.level), longest))
    load = _load(slots, placed)
    peak = max(load.values())
    short: Shortage | None = None
    if any(minutes > capacity[day] for day, minutes in load.items()):
        within = fill(slots, level, capacity)
        if within is None:
            short = _shortage(base, wanted, days, capacity, peak)
        else:
            placed, load = within, _load(slots, within)
    before = list(placed)
    exchange(wanted, placed)
    figures = BaseFigures(
        base=base,
        visits=len(wanted),
        minutes=sum(load.values()),
        peak=max(load.values()),
        peak_day=days[min(load, key=lambda day: (-load[day], day))],
        bound=max(top.level, Fraction(longest)),
        stretch_first=days[top.first],
        stretch_last=days[top.last],
        longest=longest,
    )
    visits = [
        _visit(wish, days, placed[number], before[number], level[before[number]]) for number, wish in enumerate(wanted)
    ]
    return visits, figures, short


def exchange(wanted: Sequence[NeededVisit], placed: list[int]) -> None:
    """Bring visits with priority forward, each in exchange with a visit of the same length and lower rank."""
    by_minutes: defaultdict[int, list[int]] = defaultdict(list)
    for number, wish in enumerate(wanted):
        if wish.first < wish.last:
            by_minutes[wish.minutes].append(number)
    turns = [turn(wish) for wish in wanted]
    latest = [wish.last for wish in wanted]
    for numbers in by_minutes.values():
        order = sorted(numbers, key=placed.__getitem__)
        day_of = [placed[number] for number in order]
        place_of = {number: place for place, number in enumerate(order)}
        claims = [number for number in numbers if turns[number] < LAST_TURN]
        for number in sorted(claims, key=lambda number: (turns[number], placed[number])):
            here = place_of[number]
            mine, today = turns[number], day_of[here]
            begin, end = bisect_left(day_of, wanted[number].first), bisect_left(day_of, today)
            for place in range(begin, end):
                other = order[place]
                if turns[other] > mine and latest[other] >= today:
                    order[place], order[here] = number, other
                    place_of[number], place_of[other] = place, here
                    placed[number], placed[other] = day_of[place], today
                    break


def _visit(wish: NeededVisit, days: Sequence[date], day: int, before: int, stretch: Stretch) -> Visit:
    if wish.agreed is not None:
        return replace(wish.agreed, tasks=wish.tasks)
    return Visit(
        home=wish.home,
        base=wish.base,
        day=days[day],
        minutes=wish.minutes,
        tasks=wish.tasks,
        digital=None,
        agreed=False,
        why=Why(
            earliest=days[wish.first],
            latest=days[wish.last],
            stretch_first=days[stretch.first],
            stretch_last=days[stretch.last],
            stretch_minutes=stretch.minutes,
            stretch_days=stretch.days,
            rank=wish.rank,
            instead_of=days[before] if before != day else None,
            overdue=wish.overdue,
        ),
    )


def _shortage(
    base: str, wanted: Sequence[NeededVisit], days: Sequence[date], capacity: Sequence[int], least: int
) -> Shortage:
    worst = shortage(work_of(wanted), capacity)
    stretch, short = worst or (Stretch(0, len(days) - 1, sum(wish.minutes for wish in wanted), len(days)), 0)
    inside = [wish for wish in wanted if stretch.first <= wish.first and wish.last <= stretch.last]
    return Shortage(
        base=base,
        first=days[stretch.first],
        last=days[stretch.last],
        days=stretch.days,
        minutes_needed=stretch.minutes,
        minutes_short=short,
        least_capacity=least,
        tasks=tuple(task for wish in inside for task in wish.tasks),
        homes=tuple(sorted({wish.home for wish in inside if wish.home})),
    )


def _load(slots: Sequence[Slot], placed: Sequence[int]) -> Counter[int]:
    load: Counter[int] = Counter()
    for slot, day in zip(slots, placed, strict=True):
        load[day] += slot.minutes
    return load
