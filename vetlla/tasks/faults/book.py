"""Opens and ends faults: each is two duties of its home, to schedule the visit and to solve it, with one reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.devices import Place
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import details_text
from vetlla.service.duties.standing import standing
from vetlla.service.inventory.movements import name, repair
from vetlla.service.visits.visit import details_of
from vetlla.store.duties import events as store
from vetlla.store.homes import queries as home_store
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory import write as inventory_write
from vetlla.tasks.duties import book as duty_book
from vetlla.tasks.duties.equipment import Following
from vetlla.tasks.inventory import movements

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from vetlla.domain.devices import Change, DeviceRecord
    from vetlla.domain.duties import NewEvent
    from vetlla.service.duties.standing import Standing
    from vetlla.service.faults.troubles import FaultCode
    from vetlla.tasks.duties.desk import DutyDesk, OpenBook

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


def open_fault(desk: DutyDesk, told: NewEvent, *, device: str, code: FaultCode, alarm: int = 0) -> OpenedFault:
    """Open a fault of a device in a home. Raises UsageError if the device is not there, or has that fault already."""
    with desk.writing() as book:
        home_store.home(book.connection, told.subject)
        kept = inventory.device(book.connection, device)
        if (kept.standing.place, kept.standing.home) != (Place.HOME, told.subject):
            where = f"home {kept.standing.home}" if kept.standing.home else str(kept.standing.place)
            raise UsageError(
                f"{name(kept.device)} is in {where}, and not in home {told.subject}",
                remedy=f"vetlla inventory show {told.subject} lists the devices of the home",
            )
        of = FaultDevice(name(kept.device), "", code.value)
        for one in book.open_duties([FAULT], told.subject):
            if device_of(one) == of:
                raise UsageError(
                    f"fault {one.duty.id} of {of.device} ({code}) is open already",
                    remedy=f"vetlla faults show {one.duty.id}",
                )
        return opened(book, told, of, alarm=alarm)


def opened(book: OpenBook, told: NewEvent, of: FaultDevice, *, alarm: int = 0) -> OpenedFault:
    """Open both duties of a fault within a transaction; ``told`` has home, time and reference."""
    base = home_store.home(book.connection, told.subject).base
    details = details_text({**of._asdict(), "base": base, "alarm": str(alarm) if alarm else ""})
    ref = told.ref or f"F{store.next_number(book.connection)}"
    event = told._replace(ref=ref, details=details)
    fault = book.open_duty(event._replace(kind=FAULT))
    return OpenedFault(fault, book.open_duty(event._replace(kind=FAULT_VISIT)))


def solve(
    desk: DutyDesk,
    number: int,
    told: NewEvent,
    *,
    replaced: tuple[str, str] | None = None,
    repaired: bool = False,
) -> SolvedFault:
    """End a fault, and record the movement that ended it in the same transaction.

    ``replaced`` are the device that leaves and the one that takes its place; ``repaired`` is about the device of the
    fault. Raises UsageError if the fault is over, or for a movement that is not possible.
    """
    with desk.writing() as book:
        connection, clock = book.connection, desk.clock
        one = the_fault(book, number)
        day, home = desk.rules.calendar.date_of(told.at_us), one.duty.subject
        changes: Sequence[Change] = ()
        if replaced:
            _must_be_in(connection, replaced[0], home)
            how = Following(lambda: desk.rules, told.by, book.recording)
            changes = movements.substituted(connection, clock, replaced, day, how=how, note=told.note).changes
        elif repaired:
            kept = _must_be_in(connection, device_of(one).device, home)
            changes = [repair(kept, day, told.note)]
            inventory_write.apply(connection, changes, clock.now().utc_us)
        return SolvedFault(ended(book, one, told._replace(event="solved")), changes)


def cancel(desk: DutyDesk, number: int, told: NewEvent) -> Standing:
    """Call a fault off, because it was none. Raises UsageError if it is over."""
    with desk.writing() as book:
        return ended(book, the_fault(book, number), told._replace(event="cancelled"))


def ended(book: OpenBook, one: Standing, told: NewEvent) -> Standing:
    """Record the end of a fault; a visit that was not scheduled by then is called off, because none is needed."""
    for visit in book.open_duties([FAULT_VISIT], one.duty.subject):
        if visit.duty.ref == one.duty.ref:
            note = told.note if told.event == "cancelled" else "solved without a scheduled visit"
            book.record(visit.duty.id, told._replace(event="cancelled", note=note, details=""))
    return book.record(one.duty.id, told)


def the_fault(book: OpenBook, number: int) -> Standing:
    """Return a fault that is not over, by its number. Raises UsageError."""
    one = must_be_fault(book.standing(number))
    if one.ended is not None:
        raise UsageError(f"fault {number} is {one.ended.told.event} already", remedy=f"vetlla faults show {number}")
    return one


def must_be_fault(one: Standing) -> Standing:
    """Return a duty that is a fault. Raises UsageError if it is another one."""
    if one.duty.kind != FAULT:
        raise UsageError(f"duty {one.duty.id} is a {one.duty.kind}, and no fault", remedy="vetlla faults list")
    return one


def faults_of(book: OpenBook, home: str) -> list[Standing]:
    """Return all faults of a home, in the order of their opening."""
    found = duty_book.duties_of(book.connection, book.rules, FAULT, home)
    return [standing(duty, book.rules, book.now_us) for duty in found]


def device_of(one: Standing) -> FaultDevice:
    """Return the device of a fault, as the events of the fault say."""
    details = details_of(one.duty)
    return FaultDevice(details.get("device", ""), details.get("zone", ""), details.get("code", ""))


def _must_be_in(connection: sqlite3.Connection, device: str, home: str) -> DeviceRecord:
    if not device:
        raise UsageError("the fault names no device", remedy="record the movement with vetlla inventory")
    kept = inventory.device(connection, device)
    if kept.standing.home != home:
        raise UsageError(
            f"{name(kept.device)} is not in home {home}", remedy=f"vetlla inventory show {home} lists its devices"
        )
    return kept
