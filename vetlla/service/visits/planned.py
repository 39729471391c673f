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
from vetlla.service.visits.visit import VisitPurpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from vetlla.domain.homes import Home
    from vetlla.domain.visits import Visit
    from vetlla.service.inventory.upkeep import UpkeepDue
    from vetlla.service.parameters import Reading

DAY: Final = timedelta(days=1)


class WantedDuty(NamedTuple):
    """A duty that follows from what the registry knows."""

    purpose: VisitPurpose
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
                yield WantedDuty(VisitPurpose.RENEWAL, device, ref, Work.RENEWAL.value, task.due - DAY)


def upkeep(found: Iterable[UpkeepDue]) -> Iterator[WantedDuty]:
    """Yield the battery changes and checks that are due; they may still be done on the day itself."""
    for one in found:
        kept = one.kept
        last = kept.last_battery if one.kind.value == Work.BATTERY.value else kept.last_maintenance
        ref = f"{one.kind} {one.due} {kept.standing.home}"
        since = str(last or kept.device.first_installed or "")
        yield WantedDuty(VisitPurpose.MAINTENANCE, name(kept.device), ref, one.kind.value, one.due, since)


def removals(homes: Mapping[str, Home], equipped: AbstractSet[str], today: date) -> Iterator[WantedDuty]:
    """Yield the recovery of equipment from the homes that left before today and still have some."""
    for code in sorted(equipped):
        home = homes.get(code)
        if home is None or home.active_from(today):
            continue
        days = [period.until for period in home.active if period.until is not None]
        if days:
            left = max(days)
            yield WantedDuty(VisitPurpose.REMOVAL, code, f"left {left}", VisitPurpose.REMOVAL.value, left)


def follow_up_visits(
    homes: Iterable[Home], counted: Mapping[str, date], values: Reading, today: date, until: date
) -> Iterator[WantedDuty]:
    """Yield the follow-up visits that are due up to a day to homes that are attended and not suspended.

    The period of the home's support level counts from a day of ``counted``: of its last follow-up visit, or from which
    its present duty was counted. A home that is new there counts from the last whole period since the service to it
    began, because the visits of earlier years are not on record.
    """
    months = {level: values.integer(f"visit.follow_up.level_{level}", least=1) for level in (1, 2, 3)}
    for home in homes:
        period = next((one for one in home.active if one.covers(today)), None)
        if period is None or any(one.covers(today) for one in home.suspended):
            continue
        every, since = months[home.level], counted.get(home.code)
        if since is None or since < period.since:
            since = _last_whole(period.since, every, today)
        due = add_months(since, every)
        if due <= until and (period.until is None or due <= period.until):
            ref, work = f"{VisitPurpose.FOLLOW_UP_VISIT} {due}", VisitPurpose.FOLLOW_UP_VISIT.value
            yield WantedDuty(VisitPurpose.FOLLOW_UP_VISIT, home.code, ref, work, due, str(since))


def _last_whole(since: date, months: int, today: date) -> date:
    """Return the last day up to today that is a whole number of periods after a day."""
    passed = (today.year - since.year) * 12 + today.month - since.month
    whole = max(0, passed // months * months)
    found = add_months(since, whole)
    return found if found <= today else add_months(since, max(0, whole - months))
