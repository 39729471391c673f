"""From a fleet to a plan, step by step: what is wanted, what is agreed, the days, the terminals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vetlla.domain.devices import DIGITAL, Home, Kept, Place
from vetlla.domain.errors import UsageError
from vetlla.service.calendar import working_days
from vetlla.service.renewals.agreed import around_agreed
from vetlla.service.renewals.calendar import BaseFigures, Shortage, plan, with_terminals
from vetlla.service.renewals.forecast import spans
from vetlla.service.renewals.growth import expected, growth_visits
from vetlla.service.renewals.visits_needed import wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from vetlla.domain.visits import Visit
    from vetlla.service.parameters import Reading

MAX_YEARS = 20
"""Of a plan or a forecast: twice the longest life, and windows of days cost their square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A plan, and what a planner should know beside it."""

    visits: list[Visit]
    bases: list[BaseFigures]
    shortages: list[Shortage]
    overdue: int
    """Visits for devices whose life is over already: planned first, and late all the same."""
    unattended: int
    """Devices in homes no longer attended: to be recovered, not renewed."""
    no_local_holidays: list[int]
    """Years of which the parameters name none of the city's own holidays: work may be planned on them."""


def make(
    fleet: Sequence[Kept],
    homes: Mapping[str, Home],
    agreed: Iterable[Visit],
    reading: Reading,
    span: tuple[date, date],
    *,
    today: date | None = None,
    growth: bool = True,
) -> Made:
    """Plan all visits from the first to the last day of a span. Raises UsageError when it has no working day.

    Visits agreed for ``today`` (None: the span's first day) or later stay.
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
        digital=sum(kept.device.type is DIGITAL and kept.id in installed for kept in fleet),
        homes=_homes_at_year_ends(sum(home.active_on(first) for home in homes.values()), span, reading),
        target=reading.integer("digital.target") + reading.integer("digital.offered"),
    )
    return Made(
        visits=sorted([*visits, *again.aside], key=lambda visit: visit.day),
        bases=made.bases,
        shortages=made.shortages,
        overdue=sum(visit.why.overdue for visit in visits),
        unattended=sum(home not in attended for home in installed.values()),
        no_local_holidays=sorted({day.year for day in days} - {day.year for day in local}),
    )


def within_reach(first: date, last: date) -> None:
    """Raise UsageError for a span that nobody can foresee."""
    if last.year - first.year > MAX_YEARS:
        raise UsageError(f"from {first} to {last} are more than {MAX_YEARS} years", remedy="choose a nearer last day")


def capacities(base: str, days: Sequence[date], reading: Reading) -> list[int]:
    """Return a base's technician-minutes on each working day, as its parameter stands that day."""
    return [reading.at(day).integer(f"capacity.{base}", "capacity.default") for day in days]


def _homes_at_year_ends(homes: int, span: tuple[date, date], reading: Reading) -> dict[int, int]:
    at_end = {}
    for year in spans(*span):
        homes += expected(year.first, year.last, reading)
        at_end[year.first.year] = homes
    return at_end
