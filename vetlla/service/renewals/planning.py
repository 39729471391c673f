"""Makes a plan from a fleet in steps: needed visits, agreed visits, days, terminals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vetlla.domain.devices import DIGITAL, DeviceRecord, Place
from vetlla.domain.errors import UsageError
from vetlla.service.calendar import working_days
from vetlla.service.inventory.in_service import in_service
from vetlla.service.renewals.agreed import around_agreed
from vetlla.service.renewals.base_plans import BaseFigures, Shortage, plan, with_terminals
from vetlla.service.renewals.forecast import spans
from vetlla.service.renewals.growth import expected, growth_visits
from vetlla.service.renewals.visits_needed import wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from vetlla.domain.homes import Home
    from vetlla.domain.visits import Visit
    from vetlla.service.parameters import Reading

MAX_YEARS = 20
"""Longest plan or forecast: twice the longest life. The cost of a plan grows with the square of its days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """A plan, with facts that a planner should know."""

    visits: list[Visit]
    bases: list[BaseFigures]
    shortages: list[Shortage]
    overdue: int
    """Number of visits for devices whose life is already over; they are planned first, but still late."""
    unattended: int
    """Number of devices in homes that are no longer attended; they must be recovered, not renewed."""
    no_local_holidays: list[int]
    """Years without holidays of the city in the parameters; the plan may have work on these holidays."""


def make(
    fleet: Sequence[DeviceRecord],
    homes: Mapping[str, Home],
    agreed: Iterable[Visit],
    reading: Reading,
    span: tuple[date, date],
    *,
    today: date | None = None,
    growth: bool = True,
) -> PlanResult:
    """Return a plan of all visits in a span. Raises UsageError if the span has no working day.

    Visits agreed for ``today`` or later stay; if ``today`` is None, it is the span's first day.
    """
    first, last = span
    within_reach(first, last)
    local = reading.dates("holidays.local")
    days = working_days(first, last, local)
    if not days:
        raise UsageError(f"no working day from {first} to {last}")
    installed = {kept.id: kept.standing.home for kept in fleet if kept.standing.place is Place.HOME}
    wishes = wanted(fleet, homes, days, last, reading)
    again = around_agreed(
        wishes, agreed, days, installed=installed, travel=reading.integer("duration.travel"), today=today or first
    )
    joining = growth_visits(homes, days, reading) if growth else []
    bases = {wish.base for wish in (*again.wishes, *joining)}
    made = plan([*again.wishes, *joining], days, {base: capacities(base, days, reading) for base in bases})
    attended = {code for code, home in homes.items() if home.active_from(first)}
    visits = with_terminals(
        made.visits,
        digital=sum(kept.device.type is DIGITAL for kept in in_service(fleet, homes, first)),
        homes=_homes_at_year_ends(sum(home.active_on(first) for home in homes.values()), span, reading),
        target=reading.integer("digital.target") + reading.integer("digital.offered"),
    )
    return PlanResult(
        visits=sorted([*visits, *again.aside], key=lambda visit: visit.day),
        bases=made.bases,
        shortages=made.shortages,
        overdue=sum(visit.why.overdue for visit in visits),
        unattended=sum(home not in attended for home in installed.values()),
        no_local_holidays=sorted({day.year for day in days} - {day.year for day in local}),
    )


def within_reach(first: date, last: date) -> None:
    """Raise UsageError for a span that is too long to plan."""
    if last.year - first.year > MAX_YEARS:
        raise UsageError(f"from {first} to {last} are more than {MAX_YEARS} years", remedy="choose an earlier last day")


def capacities(base: str, days: Sequence[date], reading: Reading) -> list[int]:
    """Return a base's technician-minutes on each working day, from its parameter on that day."""
    return [reading.at(day).integer(f"capacity.{base}", "capacity.default") for day in days]


def _homes_at_year_ends(homes: int, span: tuple[date, date], reading: Reading) -> dict[int, int]:
    at_end = {}
    for year in spans(*span):
        homes += expected(year.first, year.last, reading)
        at_end[year.first.year] = homes
    return at_end
