"""Plans the homes that are expected to join: how many, in which base and on which day."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vetlla.domain.devices import DIGITAL, DeviceType
from vetlla.domain.visits import Rank, Task, Work
from vetlla.service.renewals.visits_needed import NeededVisit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from vetlla.domain.homes import Home
    from vetlla.service.parameters import Reading


EVERY = 5
"""Every fifth new home gets a second UCR: 1.2 UCR a home (tender, section 5)."""


def growth_visits(
    homes: Mapping[str, Home], days: Sequence[date], reading: Reading, *, kind: DeviceType = DIGITAL
) -> list[NeededVisit]:
    """Return the visits of homes that are expected to join, spread evenly over each base's working days.

    The planner cannot move them, so each has a window of one day.
    """
    weight: defaultdict[str, int] = defaultdict(int)
    for home in homes.values():
        weight[home.base] += home.active_on(days[0])
    found: list[NeededVisit] = []
    by_year: defaultdict[int, list[int]] = defaultdict(list)
    for place, day in enumerate(days):
        by_year[day.year].append(place)
    travel, terminal, ucr = (reading.integer(f"duration.{name}") for name in ("travel", kind, "ucr"))
    for places in by_year.values():
        joining = expected(days[places[0]], days[places[-1]], reading)
        for base, number in shares(joining, weight).items():
            for one in range(number):
                place = places[(2 * one + 1) * len(places) // (2 * number)]
                pendants = 2 if one % EVERY == 0 else 1
                tasks = [
                    Task(Work.INSTALLATION, 0, kind, days[place], terminal),
                    *[Task(Work.INSTALLATION, 0, DeviceType.UCR, days[place], ucr)] * pendants,
                ]
                found.append(
                    NeededVisit(
                        home="",
                        base=base,
                        rank=Rank.NONE,
                        tasks=tuple(tasks),
                        first=place,
                        last=place,
                        minutes=travel + terminal + ucr * pendants,
                    )
                )
    return found


def expected(first: date, last: date, reading: Reading, name: str = "homes") -> int:
    """Return how many homes (or devices of a pilot) join between two days of one year, counted in whole months."""
    yearly = reading.at(last).started(f"growth.{name}")
    months = last.month - first.month + 1
    return (yearly * months + 6) // 12


def shares(total: int, weight: Mapping[str, int]) -> dict[str, int]:
    """Return a total divided in proportion to weights, as whole numbers with that sum (largest remainders)."""
    whole = sum(weight.values())
    if not whole:
        return {}
    exact = {name: divmod(total * part, whole) for name, part in sorted(weight.items())}
    left = total - sum(quotient for quotient, _ in exact.values())
    favoured = set(sorted(exact, key=lambda name: -exact[name][1])[:left])
    return {name: quotient + (name in favoured) for name, (quotient, _) in exact.items()}
