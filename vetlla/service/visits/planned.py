"""Which duties follow from the plan of renewals, from the upkeep that is due, and from the homes that left or stay.

Each wanted duty has a reference that is made of what it follows from. So making the duties again changes nothing, and a
duty whose reason changed is found.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.visits import Work
from vetlla.service.calendar import add_months
from vetlla.service.inventory.movements import name
from vetlla.service.visits.visit import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set

    from vetlla.domain.devices import Home
    from vetlla.domain.visits import Visit
    from vetlla.service.inventory.upkeep import UpkeepDue
    from vetlla.service.parameters import Reading

DAY: Final = timedelta(days=1)


class WantedDuty(NamedTuple):
    """A duty that follows from what the registry knows."""

    purpose: Purpose
    subject: str
    ref: str
    work: str
    """What is to be done; a subject has at most one open duty of a purpose for each."""
    last: date
    """Last day on which it is kept; for a removal, the last day on which the home was attended."""
    since: str = ""
    """Day of the last upkeep from which its day was counted, in ISO 8601; empty if it was not."""


def renewals(visits: Iterable[Visit], names: Mapping[int, str], until: date) -> Iterator[WantedDuty]:
    """Yield the renewals of a plan whose devices' lives end up to a day. They must be done before that end."""
    for visit in visits:
        for task in visit.tasks:
            device = names.get(task.device, "")
            if task.work is Work.RENEWAL and visit.home and device and task.due <= until:
                ref = f"renewal {task.due} {visit.home}"
                yield WantedDuty(Purpose.RENEWAL, device, ref, Work.RENEWAL.value, task.due - DAY)


def upkeep(found: Iterable[UpkeepDue]) -> Iterator[WantedDuty]:
    """Yield the battery changes and checks that are due; they may still be done on the day itself."""
    for one in found:
        kept = one.kept
        last = kept.last_battery if one.kind.value == Work.BATTERY.value else kept.last_maintenance
        ref = f"{one.kind} {one.due} {kept.standing.home}"
        since = str(last or kept.device.first_installed or "")
        yield WantedDuty(Purpose.MAINTENANCE, name(kept.device), ref, one.kind.value, one.due, since)


def removals(homes: Mapping[str, Home], equipped: Set[str], today: date) -> Iterator[WantedDuty]:
    """Yield the recovery of equipment from the homes that left before today and still have some."""
    for code in sorted(equipped):
        home = homes.get(code)
        if home is None or home.active_from(today):
            continue
        days = [period.until for period in home.active if period.until is not None]
        if days:
            left = max(days)
            yield WantedDuty(Purpose.REMOVAL, code, f"left {left}", Purpose.REMOVAL.value, left)


def follow_up_visits(
    homes: Iterable[Home], visited: Mapping[str, date], values: Reading, today: date, until: date
) -> Iterator[WantedDuty]:
    """Yield the follow-up visits that are due up to a day to homes that are attended and not suspended.

    The period of the home's support level counts from the last follow-up visit (``visited``), or from the day on which
    the service to it began.
    """
    months = {level: values.integer(f"visit.follow_up.level_{level}", least=1) for level in (1, 2, 3)}
    for home in homes:
        period = next((one for one in home.active if one.covers(today)), None)
        if period is None or any(one.covers(today) for one in home.suspended):
            continue
        since = max(period.since, visited.get(home.code, period.since))
        due = add_months(since, months[home.level])
        if due <= until and (period.until is None or due <= period.until):
            ref = f"{Purpose.FOLLOW_UP_VISIT} {due}"
            work = Purpose.FOLLOW_UP_VISIT.value
            yield WantedDuty(Purpose.FOLLOW_UP_VISIT, home.code, ref, work, due, str(since))
