"""Finds the devices that must be renewed, and the visits that each home needs for them.

A device is renewed before the end of its useful life, but not earlier than a lead time before that. A terminal and the
UCRs of its home are renewed together (tender, 13.1.g: a renewal installs the basic package, terminal and all UCRs). If
the life of a UCR ends before the terminal may be renewed, the UCR is renewed alone. Other renewals, battery changes and
checks of the home join a visit while it keeps enough choice of day (parameter ``renewal.bundle_window``). A bundle that
is possible on one day only would raise the peak, which planning must lower.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import DIGITAL, TERMINALS, DeviceRecord, DeviceType, Place
from vetlla.domain.visits import RANKS, Rank, Task, Visit, Work
from vetlla.service.calendar import add_months, first_on_or_after, last_before, last_on_or_before
from vetlla.service.inventory.lifetimes import Lives
from vetlla.service.inventory.upkeep import intervals, upkeep_due

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vetlla.domain.homes import Home
    from vetlla.service.parameters import Reading


BEYOND = timedelta(days=366)
"""Upkeep that is due up to this long after the last planned day may still join a visit."""


class Due(NamedTuple):
    """A device and the day on which its useful life ends."""

    kept: DeviceRecord
    ends: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededVisit:
    """A visit that a home needs: its work and its window, as indexes of the list of working days."""

    home: str
    base: str
    rank: Rank
    tasks: tuple[Task, ...]
    first: int
    last: int
    minutes: int
    overdue: bool = False
    agreed: Visit | None = None
    """The visit that was agreed; its day, its number and its reasons stay. None if no visit was agreed."""


def due(fleet: Iterable[DeviceRecord], reading: Reading, until: date) -> list[Due]:
    """Return the installed devices whose life ends up to a day, in the order of these ends."""
    lives = Lives(reading)
    ending = (
        Due(kept, ends)
        for kept in fleet
        if kept.standing.place is Place.HOME and (ends := lives.end(kept)) is not None and ends <= until
    )
    return sorted(ending, key=lambda one: (one.ends, one.kept.id))


def rank(home: Home, *, digital: bool) -> Rank:
    """Return the rank of a home: homes that must be digital and are not come first."""
    match home.level, home.alone, digital:
        case 3, _, False:
            return Rank.LEVEL_3
        case 2, True, False:
            return Rank.LEVEL_2_ALONE
        case 2, False, False:
            return Rank.LEVEL_2
    return Rank.NONE


def wanted(
    fleet: Iterable[DeviceRecord], homes: Mapping[str, Home], days: Sequence[date], end: date, reading: Reading
) -> list[NeededVisit]:
    """Return the visits that all homes need for the lives that end up to ``end``; ``days`` are the working days.

    Homes that are no longer attended get no visits. A home that leaves gets none for work due after its last day. Such
    equipment is recovered, not renewed.
    """
    by_home: defaultdict[str, list[DeviceRecord]] = defaultdict(list)
    for kept in fleet:
        if kept.standing.place is Place.HOME:
            by_home[kept.standing.home].append(kept)
    bundler = _Bundler(days, end, reading)
    return [
        visit
        for code, devices in by_home.items()
        if code in homes and homes[code].active_from(days[0])
        for visit in bundler.visits(homes[code], devices)
    ]


class _Unit(NamedTuple):
    """Tasks that are done together, and the days on which they may be done."""

    tasks: list[Task]
    first: int
    last: int
    renews: bool
    overdue: bool


class _Bundler:
    """Makes the visits of each home from figures that are the same for all homes."""

    def __init__(self, days: Sequence[date], end: date, reading: Reading) -> None:
        self._days = list(days)
        self._end = end
        self._intervals = intervals(reading)
        self._lives = Lives(reading)
        self._lead = reading.integer("renewal.lead")
        self._within = reading.integer("renewal.overdue_within", least=1)
        self._choice = reading.integer("renewal.bundle_window", least=1)
        self._travel = reading.integer("duration.travel")
        self._minutes = {kind: reading.integer(f"duration.{kind}", least=1) for kind in DeviceType}
        self._upkeep_minutes = {work: reading.integer(f"duration.{work}") for work in (Work.BATTERY, Work.MAINTENANCE)}
        self._upkeep_lead = reading.integer("upkeep.lead")

    def visits(self, home: Home, devices: Sequence[DeviceRecord]) -> Iterator[NeededVisit]:
        """Yield the visits of one home."""
        units = [*self._renewals(devices)]
        if not units:
            return
        renewed = {task.device for unit in units for task in unit.tasks}
        units += self._upkeep(devices, renewed)
        units.sort(key=lambda unit: (unit.last, unit.first))
        turn = rank(home, digital=any(kept.device.type is DIGITAL for kept in devices))
        while anchor := next((unit for unit in units if unit.renews), None):
            units.remove(anchor)
            first, last = anchor.first, anchor.last
            together = [anchor]
            for unit in list(units):
                begin, finish = max(first, unit.first), min(last, unit.last)
                if finish - begin + 1 >= min(self._choice, last - first + 1):
                    first, last = begin, finish
                    together.append(unit)
                    units.remove(unit)
            tasks = tuple(task for unit in together for task in unit.tasks)
            window = self._at_home(home, first, last)
            if window is None:
                continue
            first, last = window
            yield NeededVisit(
                home=home.code,
                base=home.base,
                rank=turn,
                tasks=tasks,
                first=first,
                last=last,
                minutes=self._travel + sum(task.minutes for task in tasks),
                overdue=any(unit.overdue for unit in together),
            )

    def _renewals(self, devices: Sequence[DeviceRecord]) -> Iterator[_Unit]:
        ends = [(kept, end) for kept in devices if (end := self._lives.end(kept)) is not None]
        terminal = next((pair for pair in ends if pair[0].device.type in TERMINALS), None)
        package = [terminal] if terminal else []
        for kept, end in ends:
            if kept.device.type in TERMINALS:
                continue
            if terminal and kept.device.type is DeviceType.UCR and end >= add_months(terminal[1], -self._lead):
                package.append((kept, end))
            elif end <= self._end:
                yield self._unit([(kept, end)], end)
        if package and min(end for _, end in package) <= self._end:
            yield self._unit(package, package[0][1])

    def _unit(self, pairs: list[tuple[DeviceRecord, date]], leads_from: date) -> _Unit:
        last_day = min(end for _, end in pairs)
        first, last, overdue = self._window(add_months(leads_from, -self._lead), last_day)
        tasks = [
            Task(Work.RENEWAL, kept.id, kept.device.type, end, self._minutes[kept.device.type]) for kept, end in pairs
        ]
        return _Unit(tasks, first, last, renews=True, overdue=overdue)

    def _window(self, earliest: date, end: date) -> tuple[int, int, bool]:
        first = first_on_or_after(self._days, earliest)
        last = min(last_before(self._days, end), len(self._days) - 1)
        if last < 0:  # its life is over, so it is renewed within the time that the service promises
            return 0, min(self._within, len(self._days)) - 1, True
        return min(first, last), last, False

    def _upkeep(self, devices: Sequence[DeviceRecord], renewed: set[int]) -> Iterator[_Unit]:
        for one in upkeep_due(devices, self._intervals, self._days[-1] + BEYOND):
            if one.kept.id in renewed:
                continue
            work = Work(one.kind.value)
            task = Task(work, one.kept.id, one.kept.device.type, one.due, self._upkeep_minutes[work])
            first = first_on_or_after(self._days, add_months(one.due, -self._upkeep_lead))
            last = last_before(self._days, one.due)
            if last < 0:  # it is already late, so any visit may include it
                first, last = 0, len(self._days) - 1
            yield _Unit([task], first, last, renews=False, overdue=False)

    def _at_home(self, home: Home, first: int, last: int) -> tuple[int, int] | None:
        """Return the longest part of a window in which the home is attended and its service not suspended.

        If suspensions leave no such part, return the longest attended part. Return None if the home is not attended.
        """
        attended = [
            part
            for period in home.active
            if (part := self._overlap(period.since, period.until, first, last)) is not None
        ]
        free = attended
        for period in home.suspended:
            if period.until is None:
                continue  # its end is unknown: the visit is arranged when the users are back
            away = first_on_or_after(self._days, period.since), last_on_or_before(self._days, period.until)
            free = [
                part
                for begin, finish in free
                for part in ((begin, min(finish, away[0] - 1)), (max(begin, away[1] + 1), finish))
                if part[0] <= part[1]
            ]
        return max(free or attended, key=lambda part: part[1] - part[0], default=None)

    def _overlap(self, since: date, until: date | None, first: int, last: int) -> tuple[int, int] | None:
        begin = max(first, first_on_or_after(self._days, since))
        finish = last if until is None else min(last, last_on_or_before(self._days, until))
        return (begin, finish) if begin <= finish else None


_TURNS = {rank: place for place, rank in enumerate(RANKS)}


def turn(wish: NeededVisit) -> int:
    """Return the place of a visit's rank in the order of ranks."""
    return _TURNS[wish.rank]
