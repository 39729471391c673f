"""Finds faults, and counts the faulty devices of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import as_of, last_of_month
from vetlla.domain.devices import Place
from vetlla.domain.errors import UsageError
from vetlla.service.faults.report import ModelFaults, by_model
from vetlla.service.visits.visit import HomeVisit, details_of
from vetlla.store.duties.events import LATEST
from vetlla.store.homes import queries as home_store
from vetlla.store.inventory import queries as inventory
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.bases import RecordedBase, bases_of
from vetlla.tasks.duties import book, looking
from vetlla.tasks.faults.book import FAULT, FAULT_VISIT, device_of, must_be_fault
from vetlla.tasks.visits.looking import VisitFilter, visits

if TYPE_CHECKING:
    import sqlite3
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.devices import DeviceRecord, Movement
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules


class FaultFilter(NamedTuple):
    """Which faults are looked for; an empty filter leaves out none."""

    home: str = ""
    base: str = ""
    device: str = ""
    is_open: bool = False


class FaultView(NamedTuple):
    """A fault with its visits and what was done to its device since."""

    fault: Standing
    visit: Standing | None
    """The duty to schedule a visit; None if another system opened the fault without one."""
    visits: list[HomeVisit]
    movements: list[Movement]


class FaultReport(NamedTuple):
    """The faults of a month, and the share that a model may have."""

    first: date
    last: date
    models: list[ModelFaults]
    unknown: int
    """Faults that name no device of the registry, and so count for no model."""


def faults(connection: sqlite3.Connection, rules: DutyRules, wanted: FaultFilter, now_us: int) -> list[Standing]:
    """Return faults in the order of their opening. Raises UsageError for an unknown home, base or device."""
    base = home_store.must_know_base(connection, wanted.base)
    if wanted.home:
        home_store.home(connection, wanted.home)
    device = ""
    if wanted.device:
        kept = inventory.device(connection, wanted.device).device
        device = f"{kept.type}:{kept.serial}"
    found = looking.found(
        connection, rules, looking.Wanted(kinds=[FAULT], subject=wanted.home, is_open=wanted.is_open), now_us
    )
    kept_ones = [one for one in found if device in {"", device_of(one).device}]
    if base:
        recorded = (_base(rules, one) for one in kept_ones)
        bases = bases_of(connection, list(recorded))
        kept_ones = [one for one, its_base in zip(kept_ones, bases, strict=True) if its_base == base]
    return sorted(kept_ones, key=lambda one: (one.duty.opened_us, one.duty.id))


def _base(rules: DutyRules, one: Standing) -> RecordedBase:
    day = rules.calendar.date_of(one.duty.opened_us)
    return RecordedBase(details_of(one.duty).get("base", ""), one.duty.subject, day)


def view(connection: sqlite3.Connection, rules: DutyRules, number: int, now_us: int) -> FaultView:
    """Return a fault with what belongs to it. Raises UsageError if there is none."""
    fault = must_be_fault(book.standing_of(connection, rules, number, now_us))
    duty = fault.duty
    others = book.duties_of(connection, rules, FAULT_VISIT, duty.subject)
    visit = next((book.standing_of(connection, rules, one.id, now_us) for one in others if one.ref == duty.ref), None)
    made = visits(connection, rules, VisitFilter(home=duty.subject), now_us)
    device = device_of(fault).device
    history = inventory.history(connection, inventory.device(connection, device).id) if device else []
    opened = rules.calendar.date_of(duty.opened_us)
    return FaultView(
        fault,
        visit,
        [one for one in made if number in one.duties],
        [movement for movement in history if movement.day >= opened],
    )


def report(state_dir: Path, clock: Clock, rules: DutyRules, first: date, known_us: int | None = None) -> FaultReport:
    """Count the devices that were in homes in a month, and those with a fault that began in it and was not called off.

    A device counts if it was in a home on the last day of the month or had such a fault. With ``known_us`` the answer
    is the one of that time. Raises UsageError for a month to come.
    """
    now_us, last, calendar = as_of(clock, known_us), last_of_month(first), rules.calendar
    if calendar.begin_of(first.toordinal()) > now_us:
        raise UsageError(f"{first:%Y-%m} has not begun", remedy="name a month that has: --month 2026-11")
    since, until = calendar.begin_of(first.toordinal()), calendar.end_of(last.toordinal()) + 1
    with snapshot(state_dir, clock, known_us) as connection:
        wanted = looking.Wanted(kinds=[FAULT], since_us=since, until_us=min(until, LATEST))
        found = [one for one in looking.found(connection, rules, wanted, now_us) if not _was_none(one)]
        faulty = {device for one in found if (device := device_of(one).device)}
        fleet = [kept for kept in inventory.fleet(connection, last, retired=True) if _counts(kept, faulty)]
    unknown = sum(not device_of(one).device for one in found)
    return FaultReport(first, last, by_model(fleet, faulty), unknown)


def _was_none(one: Standing) -> bool:
    """Return True if a fault was called off, because there was none."""
    return one.ended is not None and one.ended.told.event in one.terms.kind.cancels


def _counts(kept: DeviceRecord, faulty: set[str]) -> bool:
    return kept.standing.place is Place.HOME or f"{kept.device.type}:{kept.device.serial}" in faulty
