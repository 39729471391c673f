"""Opens and ends faults: each is two duties of its home, to schedule the visit and to solve it, with one reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.devices import Place
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import details_text
from vetlla.service.duties.standing import standing
from vetlla.service.inventory import movements as rules_of_movements
from vetlla.service.inventory.movements import name
from vetlla.service.visits.visit import details_of
from vetlla.store.duties import events as store
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory import write as inventory_write
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties import book
from vetlla.tasks.inventory import movements

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.devices import Change
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.faults.troubles import FaultCode
    from vetlla.tasks.duties.book import Recording
    from vetlla.tasks.duties.equipment import Following

FAULT: Final = "fault"
FAULT_VISIT: Final = "fault_visit"
"""The second term of ANS 14: the visit must be scheduled in time."""


class FaultDevice(NamedTuple):
    """The device of a fault, and what it has."""

    device: str
    """As TYPE:SERIAL; empty if the registry does not know it."""
    zone: str
    """As the terminal names the device; empty for the terminal itself, or if a person opened the fault."""
    code: str


class OpenedFault(NamedTuple):
    """A fault: to be solved, and its visit to be scheduled."""

    fault: Standing
    visit: Standing


class SolvedFault(NamedTuple):
    """A fault that ended, and the changes of devices that ended it."""

    fault: Standing
    changes: Sequence[Change]


def open_fault(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    told: NewEvent,
    recording: Recording,
    *,
    device: str,
    code: FaultCode,
    alarm: int = 0,
    dry_run: bool = False,
) -> OpenedFault:
    """Open a fault of a device in a home. Raises UsageError if the device is not there, or has that fault already."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        inventory.home(connection, told.subject)
        kept = inventory.device(connection, device)
        if (kept.standing.place, kept.standing.home) != (Place.HOME, told.subject):
            where = f"home {kept.standing.home}" if kept.standing.home else str(kept.standing.place)
            raise UsageError(
                f"{name(kept.device)} is in {where}, and not in home {told.subject}",
                remedy=f"vetlla inventory show {told.subject} lists the devices of the home",
            )
        of = FaultDevice(name(kept.device), "", code.value)
        for one in faults_of(connection, rules, told.subject, recording.now_us):
            if one.is_open and device_of(one) == of:
                raise UsageError(
                    f"fault {one.duty.id} of {of.device} ({code}) is open already",
                    remedy=f"vetlla faults show {one.duty.id}",
                )
        return opened(connection, rules, told, of, recording, alarm=alarm)


def opened(
    connection: sqlite3.Connection,
    rules: DutyRules,
    told: NewEvent,
    of: FaultDevice,
    recording: Recording,
    *,
    alarm: int = 0,
) -> OpenedFault:
    """Open both duties of a fault within the caller's transaction; ``told`` has home, time and reference."""
    base = inventory.home(connection, told.subject).base
    details = details_text({**of._asdict(), "base": base, "alarm": str(alarm) if alarm else ""})
    ref = told.ref or f"F{store.next_number(connection)}"
    event = told._replace(ref=ref, details=details)
    fault = book.open_duty(connection, rules, event._replace(kind=FAULT), recording)
    return OpenedFault(fault, book.open_duty(connection, rules, event._replace(kind=FAULT_VISIT), recording))


def solve(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    number: int,
    told: NewEvent,
    how: Following,
    *,
    replaced: tuple[str, str] | None = None,
    repaired: bool = False,
    dry_run: bool = False,
) -> SolvedFault:
    """End a fault, and record the movement that ended it in the same transaction.

    ``replaced`` are the device that leaves and the one that takes its place; ``repaired`` is about the device of the
    fault. Raises UsageError if the fault is over, or for a movement that is not possible.
    """
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        one = the_fault(connection, rules, number, how.recording.now_us)
        day, home = rules.calendar.date_of(told.at_us), one.duty.subject
        changes: Sequence[Change] = ()
        if replaced:
            _must_be_in(connection, replaced[0], home)
            changes = movements.substituted(connection, clock, replaced, day, how, note=told.note).changes
        elif repaired:
            kept = _must_be_in(connection, device_of(one).device, home)
            changes = [rules_of_movements.repair(inventory.device(connection, kept), day, told.note)]
            inventory_write.apply(connection, changes, clock.now().utc_us)
        return SolvedFault(ended(connection, rules, one, told._replace(event="solved"), how.recording), changes)


def cancel(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    number: int,
    told: NewEvent,
    recording: Recording,
    *,
    dry_run: bool = False,
) -> Standing:
    """Call a fault off, because it was none. Raises UsageError if it is over."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        one = the_fault(connection, rules, number, recording.now_us)
        return ended(connection, rules, one, told._replace(event="cancelled"), recording)


def ended(
    connection: sqlite3.Connection, rules: DutyRules, one: Standing, told: NewEvent, recording: Recording
) -> Standing:
    """Record the end of a fault; a visit that was not scheduled by then is called off, because none is needed."""
    for visit in book.open_duties_of(connection, rules, [FAULT_VISIT], one.duty.subject, recording.now_us):
        if visit.duty.ref == one.duty.ref:
            note = told.note if told.event == "cancelled" else "solved without a scheduled visit"
            event = told._replace(event="cancelled", note=note)
            book.record(connection, rules, visit.duty.id, event, recording)
    return book.record(connection, rules, one.duty.id, told, recording)


def the_fault(
    connection: sqlite3.Connection, rules: DutyRules, number: int, now_us: int, *, is_open: bool = True
) -> Standing:
    """Return a fault by its number. Raises UsageError if there is none, or with ``is_open`` if it is over."""
    one = book.standing_of(connection, rules, number, now_us)
    if one.duty.kind != FAULT:
        raise UsageError(f"duty {number} is a {one.duty.kind}, and no fault", remedy="vetlla faults list")
    if is_open and one.ended is not None:
        raise UsageError(f"fault {number} is {one.ended.told.event} already", remedy=f"vetlla faults show {number}")
    return one


def faults_of(connection: sqlite3.Connection, rules: DutyRules, home: str, now_us: int) -> list[Standing]:
    """Return all faults of a home, in the order of their opening."""
    return [standing(duty, rules, now_us) for duty in book.duties_of(connection, rules, FAULT, home)]


def device_of(one: Standing) -> FaultDevice:
    """Return the device of a fault, as the events of the fault say."""
    details = details_of(one.duty)
    return FaultDevice(details.get("device", ""), details.get("zone", ""), details.get("code", ""))


def _must_be_in(connection: sqlite3.Connection, device: str, home: str) -> str:
    if not device:
        raise UsageError("the fault names no device", remedy="record the movement with vetlla inventory")
    kept = inventory.device(connection, device)
    if kept.standing.home != home:
        raise UsageError(
            f"{name(kept.device)} is not in home {home}", remedy=f"vetlla inventory show {home} lists its devices"
        )
    return name(kept.device)
