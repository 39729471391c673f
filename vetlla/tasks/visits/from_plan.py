"""Opens the duties that follow from the plan, from the upkeep that is due, and from the homes that left or stay.

Doing it again opens nothing twice. It also ends what the registry knows to be over by other ways than the commands
about devices, such as an import: those commands end a duty in their own transaction (``tasks.duties.equipment``).
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.devices import Place
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.calendar import add_months
from vetlla.service.duties.columns import details_text
from vetlla.service.duties.grouping import group
from vetlla.service.inventory.movements import name
from vetlla.service.inventory.upkeep import attended, intervals, upkeep_due
from vetlla.service.visits import planned
from vetlla.service.visits.planned import WantedDuty
from vetlla.service.visits.visit import OF_DEVICES, Purpose, details_of
from vetlla.store.duties import events as store
from vetlla.store.inventory import queries as inventory
from vetlla.store.registry.transaction import transaction
from vetlla.store.renewals import plan as plans
from vetlla.tasks.duties.index import keep_index

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.devices import DeviceRecord, Home
    from vetlla.domain.duties import Duty
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording

PURPOSES: Final = (Purpose.RENEWAL, Purpose.MAINTENANCE, Purpose.REMOVAL, Purpose.FOLLOW_UP_VISIT)
"""What duties are made of here; a fault is detected, and an installation is requested."""
HORIZON_MONTHS: Final = 12
"""How far ahead duties are made if there is no plan: a year, as far as a service plans its visits."""


class MadeDuties(NamedTuple):
    """How many duties were opened, were there already, and were ended because the registry knows that they are over."""

    until: date
    opened: Counter[str]
    known: Counter[str]
    ended: Counter[str]


class _Known(NamedTuple):
    """What the registry says today."""

    today: date
    homes: Mapping[str, Home]
    in_homes: Mapping[str, DeviceRecord]
    """By name, the devices that are in a home."""
    equipped: Collection[str]
    """Codes of the homes with equipment."""


def from_plan(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    today: date,
    recording: Recording,
    *,
    by: str,
    purposes: Collection[Purpose] = PURPOSES,
    until: date | None = None,
    dry_run: bool = False,
) -> MadeDuties:
    """Open the duties whose day is up to ``until``, by default the last day of the plan, or a year ahead without one.

    Raises UsageError for a day that is past.
    """
    if until is not None and until < today:
        raise UsageError(f"{until} is past", remedy="give a later day with --to")
    with transaction(state_dir, clock, dry_run=dry_run, large=not dry_run) as connection:
        span = plans.planned_span(connection)
        last = until or (max(span[1], today) if span else add_months(today, HORIZON_MONTHS))
        devices = [kept for kept in inventory.fleet(connection) if kept.standing.place is Place.HOME]
        known = _Known(
            today,
            inventory.homes(connection),
            {name(kept.device): kept for kept in devices},
            {kept.standing.home for kept in devices},
        )
        made = MadeDuties(last, Counter(), Counter(), Counter())
        events: list[NewEvent] = []
        for purpose in PURPOSES:
            if purpose in purposes:
                duties = _duties(connection, rules, purpose)
                wanted = list(_wanted(connection, rules, purpose, duties, known, last))
                events += _events(connection, rules, purpose, wanted, duties, known, made, recording)
        store.add_all(connection, [event._replace(by=by) for event in events], recording.source, recording.now_us)
        keep_index(connection, rules, [(event.kind, event.subject) for event in events])
        return made


def _duties(connection: sqlite3.Connection, rules: DutyRules, purpose: Purpose) -> dict[str, list[Duty]]:
    kind = rules.kinds.kind(purpose)
    return {subject: group(kind, events).duties for _, subject, events in store.by_subject(connection, [purpose])}


def _wanted(
    connection: sqlite3.Connection,
    rules: DutyRules,
    purpose: Purpose,
    duties: Mapping[str, list[Duty]],
    known: _Known,
    last: date,
) -> Iterator[WantedDuty]:
    values = rules.parameters.on(known.today)
    match purpose:
        case Purpose.RENEWAL:
            numbers = {kept.id: device for device, kept in known.in_homes.items()}
            yield from planned.renewals(plans.visits(connection), numbers, last)
        case Purpose.MAINTENANCE:
            found = upkeep_due(known.in_homes.values(), intervals(values), last)
            yield from planned.upkeep(attended(found, known.homes, known.today))
        case Purpose.REMOVAL:
            yield from planned.removals(known.homes, frozenset(known.equipped), known.today)
        case Purpose.FOLLOW_UP_VISIT:
            visited = dict(_visited(rules, duties))
            yield from planned.follow_up_visits(known.homes.values(), visited, values, known.today, last)


def _visited(rules: DutyRules, duties: Mapping[str, list[Duty]]) -> Iterator[tuple[str, date]]:
    """Yield each home with the day of its last follow-up visit."""
    for home, found in duties.items():
        days = [event.told.at_us for duty in found for event in duty.events if event.told.event == "done"]
        if days:
            yield home, rules.calendar.date_of(max(days))


def _events(
    connection: sqlite3.Connection,
    rules: DutyRules,
    purpose: Purpose,
    wanted: Iterable[WantedDuty],
    duties: Mapping[str, list[Duty]],
    known: _Known,
    made: MadeDuties,
    recording: Recording,
) -> Iterator[NewEvent]:
    kind = rules.kinds.kind(purpose)
    over = {*kind.ends, *kind.cancels}
    open_ones = {
        (subject, duty.ref): duty
        for subject, found in duties.items()
        for duty in found
        if not any(event.told.event in over for event in duty.events)
    }
    by_people = {subject for (subject, _), duty in open_ones.items() if "work" not in details_of(duty)}
    asked: dict[tuple[str, str], WantedDuty] = {}
    for one in wanted:
        asked[one.subject, one.work] = one
        if any(duty.ref == one.ref for duty in duties.get(one.subject, ())) or one.subject in by_people:
            made.known[purpose] += 1
        else:
            made.opened[purpose] += 1
            yield _opening(rules, kind.opens, one, recording.now_us)
    for (subject, ref), duty in open_ones.items():
        if end := _over(connection, rules, purpose, duty, asked, known, recording.now_us):
            made.ended[purpose] += 1
            yield end._replace(kind=purpose, subject=subject, ref=ref, duty=duty.id)


def _opening(rules: DutyRules, opens: str, one: WantedDuty, now_us: int) -> NewEvent:
    end_us = rules.calendar.end_of(one.last.toordinal())
    details = details_text({"work": one.work, "since": one.since})
    if one.purpose is Purpose.REMOVAL:  # it happened when the home left, and promises no time
        return NewEvent(one.purpose, one.subject, opens, min(end_us, now_us), ref=one.ref, details=details)
    return NewEvent(one.purpose, one.subject, opens, now_us, ref=one.ref, end_us=end_us, details=details)


def _over(
    connection: sqlite3.Connection,
    rules: DutyRules,
    purpose: Purpose,
    duty: Duty,
    asked: Mapping[tuple[str, str], WantedDuty],
    known: _Known,
    now_us: int,
) -> NewEvent | None:
    """Return the event that ends an open duty which the registry knows to be over; None if it is not.

    Duties that a person opened have no ``work`` among their details, and only the equipment ends them.
    """
    details = details_of(duty)
    work, opened_us = details.get("work", ""), duty.opened_us
    if purpose is Purpose.REMOVAL:
        home = known.homes.get(duty.subject)
        if home is not None and home.active_on(known.today):
            return NewEvent("", "", "cancelled", now_us, note="the home is attended again")
        if duty.subject not in known.equipped:
            day = inventory.emptied(connection, duty.subject)
            at_us = now_us if day is None else min(now_us, rules.calendar.end_of(day.toordinal()))
            return NewEvent("", "", "recovered", max(at_us, opened_us), note="no equipment is left")
        return None
    if purpose in OF_DEVICES and duty.subject not in known.in_homes:
        return NewEvent("", "", "cancelled", now_us, note="the device is in no home")
    new = asked.get((duty.subject, work)) if work else None
    if new is None or new.ref == duty.ref:
        return None
    if purpose is Purpose.MAINTENANCE and new.since != details.get("since", ""):
        at_us = min(now_us, rules.calendar.end_of(date.fromisoformat(new.since).toordinal()))
        return NewEvent("", "", "done", max(at_us, opened_us), note=f"{work} on {new.since}")
    return NewEvent("", "", "cancelled", now_us, note=f"its day is another one: {new.ref}")
