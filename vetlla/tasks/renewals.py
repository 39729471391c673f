"""Find the devices to renew, forecast and plan their renewals, and agree a visit with the people of a home."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.errors import StoreError, UsageError
from vetlla.service.inventory.in_service import in_service
from vetlla.service.renewals import forecast as forecasts
from vetlla.service.renewals import visits_needed
from vetlla.service.renewals.planning import make, within_reach
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import queries as inventory
from vetlla.store.registry.registry import stamp
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.store.renewals import plan as plans

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.devices import DeviceRecord
    from vetlla.domain.homes import Home
    from vetlla.domain.visits import Visit
    from vetlla.service.parameters import Reading
    from vetlla.service.renewals.base_plans import BaseFigures
    from vetlla.service.renewals.forecast import Year
    from vetlla.service.renewals.planning import PlanResult
    from vetlla.service.renewals.visits_needed import Due

TRIES = 3
"""Most plans that are computed one after the other because the registry was changed meanwhile. Each takes some seconds
for a park of 95,000 homes."""


class _ChangedMeanwhileError(Exception):
    """Another command changed the registry since it was read for a plan."""


class Planned(NamedTuple):
    """A plan, and the serials of the devices that it cannot renew in time."""

    plan: PlanResult
    serials: dict[int, str]


class Agreed(NamedTuple):
    """A visit that was agreed, and the serials of its devices."""

    visit: Visit
    serials: dict[int, str]


class DueDevice(NamedTuple):
    """A device whose useful life ends, and the intervention base of its home."""

    due: Due
    base: str


class PlannedVisits(NamedTuple):
    """Visits of the plan, and the serials of their devices."""

    visits: list[Visit]
    serials: dict[int, str]


def find_due(
    state_dir: Path,
    clock: Clock,
    values: Reading,
    on: date,
    last: date,
    *,
    base: str = "",
    known_us: int | None = None,
) -> list[DueDevice]:
    """Return the devices installed on a day whose useful life ends up to another, the first to end first.

    Homes that are no longer in the service by then are left out: their devices are recovered, not renewed.
    With ``base`` these are the devices of this intervention base, and with ``known_us`` the answer is the one of that
    time. Raises UsageError for an unknown base.
    """
    with snapshot(state_dir, clock, known_us) as connection:
        base = stored_homes.must_know_base(connection, base)
        homes = stored_homes.homes(connection, day=on)
        found = due_on(inventory.fleet(connection, on), homes, values, on, last)
        return [one for one in found if base in ("", one.base)]


def due_on(
    fleet: Iterable[DeviceRecord], homes: Mapping[str, Home], values: Reading, on: date, last: date
) -> Iterator[DueDevice]:
    """Yield the devices whose useful life ends up to ``last``, the first to end first.

    Fleet and homes are those of the day ``on``. Devices of homes that are no longer in the service by then are left
    out.
    """
    for one in visits_needed.due(fleet, values, last):
        home = homes[one.kept.standing.home]
        if home.active_from(max(one.ends, on)):
            yield DueDevice(one, home.base)


def find_visits(
    state_dir: Path,
    clock: Clock,
    *,
    number: int = 0,
    home: str = "",
    base: str = "",
    first: date | None = None,
    last: date | None = None,
) -> PlannedVisits:
    """Return the planned visits that match. Raises UsageError if nothing is planned, or for an unknown base or home."""
    with snapshot(state_dir, clock) as connection:
        if plans.planned_span(connection) is None:
            raise UsageError("nothing is planned", remedy="vetlla renewals plan")
        base = stored_homes.must_know_base(connection, base)
        stored_homes.must_know_home(connection, home)
        found = plans.visits(
            connection, number=number, home=home, base=base, first=first or date.min, last=last or date.max
        )
        if number and not found:
            raise UsageError(f"no visit {number}", remedy="vetlla renewals show --home CODE lists a home's visits")
        return PlannedVisits(found, _serials_of(connection, found))


def forecast_years(state_dir: Path, clock: Clock, values: Reading, first: date, last: date) -> list[Year]:
    """Forecast each year of a span, from the fleet and the homes of its first day. Raises UsageError for a bad span."""
    if last < first:
        raise UsageError(f"the forecast would end on {last}, before {first}")
    within_reach(first, last)
    with snapshot(state_dir, clock) as connection:
        homes = stored_homes.homes(connection, day=first)
        fleet = in_service(inventory.fleet(connection, first), homes, first)
        attended = sum(home.active_on(first) for home in homes.values())
        return forecasts.forecast(fleet, attended, values, first, last)


def plan_renewals(
    state_dir: Path,
    clock: Clock,
    values: Reading,
    span: tuple[date, date],
    *,
    today: date,
    growth: bool = True,
    dry_run: bool = False,
) -> Planned:
    """Plan all visits of a span, and keep the plan unless the capacity of a base is not enough.

    The plan is computed while other commands may write. If one of them does, the plan is computed again, because it
    would be made from old data. Raises UsageError for a span without a working day, and StoreError if the registry is
    changed each time.
    """
    for _ in range(TRIES):
        before = stamp(state_dir)
        with snapshot(state_dir, clock) as connection:
            fleet, homes = list(inventory.fleet(connection)), stored_homes.homes(connection, day=today)
            agreed = plans.visits(connection, agreed=True)
        # The registry is closed while the plan is computed, because a commit waits for all readers.
        made = make(fleet, homes, agreed, values, span, today=today, growth=growth)
        if made.shortages:
            return Planned(made, _serials(state_dir, clock, made))
        if dry_run or _keep(state_dir, clock, made, span, before):
            return Planned(made, {})
    raise StoreError(
        f"the registry was changed {TRIES} times while the plan was computed",
        remedy="plan again when no import or other command works on it",
    )


def _serials(state_dir: Path, clock: Clock, made: PlanResult) -> dict[int, str]:
    with snapshot(state_dir, clock) as connection:
        return inventory.serials(connection, [task.device for short in made.shortages for task in short.tasks])


def _keep(state_dir: Path, clock: Clock, made: PlanResult, span: tuple[date, date], before: object) -> bool:
    """Replace the previous plan; if the registry was changed meanwhile, keep that one and return False."""

    def check() -> None:
        # After an upgrade the transaction itself changes the file: it migrates the schema that the plan was read from.
        if stamp(state_dir) != before:
            raise _ChangedMeanwhileError

    try:
        with transaction(state_dir, clock, large=True, check=check) as connection:
            plans.replace_plan(
                connection,
                made.visits,
                first=span[0],
                last=span[1],
                figures={figures.base: _figures(figures) for figures in made.bases},
                made_us=clock.now().utc_us,
            )
    except _ChangedMeanwhileError:
        return False
    return True


def _figures(figures: BaseFigures) -> dict[str, Any]:
    """Return what planning a base gave, as JSON: minutes and days; ``bound`` is a fraction."""
    return {
        "visits": figures.visits,
        "minutes": figures.minutes,
        "peak": figures.peak,
        "peak_day": figures.peak_day.isoformat(),
        "bound": [figures.bound.numerator, figures.bound.denominator],
        "longest": figures.longest,
        "stretch_first": figures.stretch_first.isoformat(),
        "stretch_last": figures.stretch_last.isoformat(),
    }


def agree_visit(
    state_dir: Path, clock: Clock, number: int, day: date | None, *, agreed: bool = True, dry_run: bool = False
) -> Agreed:
    """Mark a visit as agreed with the people of the home, or as no longer agreed. Raises UsageError."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        visit = plans.agree(connection, number, day, agreed=agreed)
        return Agreed(visit, _serials_of(connection, [visit]))


def _serials_of(connection: sqlite3.Connection, visits: Iterable[Visit]) -> dict[int, str]:
    return inventory.serials(connection, {task.device for visit in visits for task in visit.tasks if task.device})
