"""Movements of devices: each function takes a device's present state and returns the change.

The history is append-only, so a movement has the day of the device's last one or a later day. A wrong record is
corrected by a further movement. Nothing here reads a clock; the day is an argument.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vetlla.domain.devices import (
    BUTTONS,
    IMPORTED,
    TERMINALS,
    Change,
    Device,
    DeviceRecord,
    Movement,
    MovementKind,
    Ownership,
    Place,
)
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from vetlla.domain.devices import DeviceType, ImportedDevice, Standing

FIRST = {
    Place.HOME: MovementKind.INSTALLED,
    Place.WAREHOUSE: MovementKind.RECEIVED,
    Place.RETIRED: MovementKind.RETIRED,
}
"""First movement of a device that comes from a file, by the place where it is."""


def receive(day: date, ownership: Ownership, note: str = "") -> Movement:
    """Return the first movement of a new device, which is into the warehouse."""
    return Movement(day=day, kind=MovementKind.RECEIVED, place=Place.WAREHOUSE, home="", ownership=ownership, note=note)


def install(kept: DeviceRecord, home: str, day: date, there: Iterable[DeviceRecord], note: str = "") -> Change:
    """Install a device from the warehouse. ``there``: the devices that the home already has.

    Raises UsageError if the device is not in the warehouse, or if the home would have a second terminal.
    """
    _must_be(kept, Place.WAREHOUSE, "install", "remove it from its place, or move it")
    _check_room(kept.device, home, there)
    movement = _next(kept, day, MovementKind.INSTALLED, place=Place.HOME, home=home, note=note)
    return Change(kept.id, _begun(kept.device, day), movement)


def move(kept: DeviceRecord, home: str, day: date, there: Iterable[DeviceRecord], note: str = "") -> Change:
    """Move an installed device to another home.

    Raises UsageError if the device is not installed, or if the home would have a second terminal.
    """
    _must_be(kept, Place.HOME, "move", "install it")
    if kept.standing.home == home:
        raise UsageError(f"{name(kept.device)} is in home {home} already")
    _check_room(kept.device, home, there)
    return Change(kept.id, kept.device, _next(kept, day, MovementKind.MOVED, place=Place.HOME, home=home, note=note))


def remove(kept: DeviceRecord, day: date, note: str = "") -> Change:
    """Bring an installed device back to the warehouse."""
    _must_be(kept, Place.HOME, "remove", "it is not in a home, so there is nothing to remove")
    return Change(
        kept.id, kept.device, _next(kept, day, MovementKind.REMOVED, place=Place.WAREHOUSE, home="", note=note)
    )


def repair(kept: DeviceRecord, day: date, note: str = "") -> Change:
    """Record a repair, which leaves the device in its place."""
    must_live(kept, "repair")
    return Change(kept.id, kept.device, _stays(kept, day, MovementKind.REPAIRED, note))


def transfer(kept: DeviceRecord, day: date, ownership: Ownership, note: str = "") -> Change:
    """Record a new owner, for example because leased equipment is bought."""
    must_live(kept, "transfer")
    movement = replace(_stays(kept, day, MovementKind.TRANSFERRED, note), ownership=ownership)
    return Change(kept.id, kept.device, movement)


def retire(kept: DeviceRecord, day: date, note: str = "") -> Change:
    """Take a device out of the service for good."""
    must_live(kept, "retire")
    return Change(kept.id, kept.device, _next(kept, day, MovementKind.RETIRED, place=Place.RETIRED, home="", note=note))


def substitute(
    old: DeviceRecord, new: DeviceRecord, day: date, *, renewal: bool, retire_old: bool, note: str = ""
) -> list[Change]:
    """Replace an installed device by one from the warehouse; return the changes of both.

    A replacement inherits the cost date of the old device, and a replacement of municipal equipment is municipal
    (tender, section 5). What was offered at no cost stays offered, because the offered number is kept for the whole
    contract (13.2.c). A renewal at the end of a life is a new installation: its cost counts from its own day, and its
    owner does not change.
    """
    _must_be(old, Place.HOME, "replace", "install the new device instead")
    _must_be(new, Place.WAREHOUSE, "install as replacement", "choose a device in the warehouse")
    if _family(old.device.type) != _family(new.device.type):
        raise UsageError(
            f"a {new.device.type} cannot replace a {old.device.type}",
            remedy="remove the old device and install the new one",
        )
    leaving = replace(
        _next(
            old,
            day,
            MovementKind.REPLACED_BY,
            place=Place.RETIRED if retire_old else Place.WAREHOUSE,
            home="",
            note=note,
        ),
        other=new.id,
    )
    arriving = replace(
        _next(new, day, MovementKind.REPLACES, place=Place.HOME, home=old.standing.home, note=note), other=old.id
    )
    device = _begun(new.device, day)
    if not renewal:
        device = device._replace(cost_from=old.device.cost_from or old.device.first_installed or day)
        arriving = replace(arriving, ownership=_inherited(old.standing.ownership, new.standing.ownership))
    return [Change(old.id, old.device, leaving), Change(new.id, device, arriving)]


def imported(found: ImportedDevice, before: Standing | None, day: date) -> Movement | None:
    """Return the movement from where a device was to where a file says it is; None if neither place nor owner changed.

    ``before`` is None for a new device, and ``day`` is the day of the import. Raises UsageError if the registry has a
    movement after that day.
    """
    if before is None:
        return _imported(found, FIRST[found.place], found.since)
    moved = (before.place, before.home) != (found.place, found.home)
    if not moved and before.ownership is found.ownership:
        return None
    if before.last_moved > day:
        raise UsageError(f"last moved on {before.last_moved}, after the import's day {day}")
    if not moved:
        return _imported(found, MovementKind.TRANSFERRED, day)
    # Use the file's day of the move, if it is after the last known movement and not after the import's day.
    on = found.moved if found.moved is not None and before.last_moved < found.moved <= day else day
    return _imported(found, _kind(before.place, found.place), on)


def without_news(found: ImportedDevice, before: Standing, imported: Standing) -> bool:
    """Return True if a file repeats what the last import said of a device that was moved by hand since.

    The file has news if its day of the move is later than the last movement: the device came back.
    """
    state = found.place, found.home, found.ownership
    if state == before[:3] or state != imported[:3]:
        return False
    return found.moved is None or found.moved <= before.last_moved


def must_live(kept: DeviceRecord, verb: str) -> None:
    """Raise UsageError if the device is retired."""
    if kept.standing.place is Place.RETIRED:
        raise UsageError(f"cannot {verb} {name(kept.device)}: it is retired")


def must_be_known(kept: DeviceRecord, day: date, verb: str) -> None:
    """Raise UsageError for upkeep on a day before the device came into the service, as far as is known."""
    came = min(filter(None, (kept.device.first_installed, kept.standing.last_moved)))
    if day < came:
        raise UsageError(f"cannot {verb} {name(kept.device)} on {day}: it came on {came}", remedy="correct --day")


def name(device: Device) -> str:
    """Return the name of a device for people and on the command line."""
    return f"{device.type}:{device.serial}"


def _imported(found: ImportedDevice, kind: MovementKind, day: date) -> Movement:
    return Movement(day=day, kind=kind, place=found.place, home=found.home, ownership=found.ownership, note=IMPORTED)


def _kind(before: Place, now: Place) -> MovementKind:
    """Return the kind of a movement that a file tells of, between two places or two homes."""
    match now:
        case Place.RETIRED:
            return MovementKind.RETIRED
        case Place.WAREHOUSE:
            return MovementKind.REMOVED if before is Place.HOME else MovementKind.RECEIVED
        case Place.HOME:
            return MovementKind.MOVED if before is Place.HOME else MovementKind.INSTALLED


def _inherited(old: Ownership, new: Ownership) -> Ownership:
    """Return who owns a device that replaces another within its life.

    Offered equipment is municipal, too, and the word offered must not get lost from either device. A terminal that
    fulfils the offer often replaces a municipal analog one.
    """
    if Ownership.OFFERED in (old, new):
        return Ownership.OFFERED
    return Ownership.MUNICIPAL if old is Ownership.MUNICIPAL else new


def _family(kind: DeviceType) -> frozenset[DeviceType]:
    """Return the types that may replace a device of this type."""
    return next((family for family in (TERMINALS, BUTTONS) if kind in family), frozenset({kind}))


def _begun(device: Device, day: date) -> Device:
    first = device.first_installed or day
    return device._replace(first_installed=first, cost_from=device.cost_from or first)


def _check_room(device: Device, home: str, there: Iterable[DeviceRecord]) -> None:
    if device.type in TERMINALS:
        for other in there:
            if other.device.type in TERMINALS and other.device.serial != device.serial:
                raise UsageError(
                    f"home {home} has terminal {name(other.device)} already",
                    remedy=f"vetlla inventory replace {name(other.device)} {name(device)}",
                )


def _must_be(kept: DeviceRecord, place: Place, verb: str, remedy: str) -> None:
    if kept.standing.place is not place:
        at = f"home {kept.standing.home}" if kept.standing.place is Place.HOME else str(kept.standing.place)
        raise UsageError(f"cannot {verb} {name(kept.device)}: it is in {at}", remedy=remedy)


def _stays(kept: DeviceRecord, day: date, kind: MovementKind, note: str) -> Movement:
    return _next(kept, day, kind, place=kept.standing.place, home=kept.standing.home, note=note)


def _next(kept: DeviceRecord, day: date, kind: MovementKind, *, place: Place, home: str, note: str) -> Movement:
    if day < kept.standing.last_moved:
        raise UsageError(
            f"{name(kept.device)} last moved on {kept.standing.last_moved}, and {day} is before that",
            remedy="history cannot be changed: record a movement on a later day, with a note",
        )
    return Movement(day=day, kind=kind, place=place, home=home, ownership=kept.standing.ownership, note=note)
