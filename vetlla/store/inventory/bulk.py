"""Imports many devices at once: one statement per batch of rows. A second import of the same file changes nothing.

Everything happens in the caller's transaction. A crash before its commit leaves the registry as it was.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from vetlla.domain.devices import Movement, MovementKind, Place
from vetlla.store.inventory.write import ADD, KEEP_UP, MOVE, device_row, iso, movement_row, next_number

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.devices import ImportedDevice


BATCH = 5_000
"""Rows held before they are written: enough to save calls, and too few to need much memory."""


class Effect(StrEnum):
    """How a row changed the registry."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class DeviceImport:
    """Takes devices row by row; ``flush`` writes the last ones. ``day`` is the date of the movements it finds."""

    def __init__(self, connection: sqlite3.Connection, day: date, recorded_us: int) -> None:
        self._connection = connection
        self._day = day
        self._recorded_us = recorded_us
        self._next = next_number(connection)
        self._empty = self._next == 1
        self._devices: list[tuple[object, ...]] = []
        self._movements: list[tuple[object, ...]] = []
        self._upkeep: list[tuple[object, ...]] = []

    def put(self, found: ImportedDevice) -> Effect | str:
        """Import one device; return how that changed the registry, or why the device was refused."""
        known = None if self._empty else self._known(found)
        if known is None:
            self._add(found)
            effect = Effect.NEW
        else:
            number, row, last, day = known
            if last != (found.place.value, found.home, found.ownership.value) and day > self._day.isoformat():
                return f"last moved on {day}, after the import's day {self._day}"
            effect = self._update(number, row, last, date.fromisoformat(day), found)
        if len(self._devices) + len(self._movements) >= BATCH:
            self.flush()
        return effect

    def flush(self) -> None:
        """Write the rows that are held."""
        self._connection.executemany(ADD, self._devices)
        self._connection.executemany(MOVE, self._movements)
        self._connection.executemany(KEEP_UP, self._upkeep)
        self._devices.clear()
        self._movements.clear()
        self._upkeep.clear()

    def _add(self, found: ImportedDevice) -> None:
        number = self._next
        self._next += 1
        self._devices.append(device_row(number, found.device))
        kind = {
            Place.HOME: MovementKind.INSTALLED,
            Place.WAREHOUSE: MovementKind.RECEIVED,
            Place.RETIRED: MovementKind.RETIRED,
        }[found.place]
        self._move(number, kind, found.since, found)
        self._keep_up(number, found)

    def _update(
        self, number: int, row: tuple[object, ...], last: tuple[str, str, str], last_moved: date, found: ImportedDevice
    ) -> Effect:
        wanted = device_row(number, found.device)
        changed = wanted != row
        if changed:
            self._connection.execute(
                "UPDATE devices SET model = ?, imei = ?, account = ?, made_year = ?, made_week = ?,"
                " first_installed = ?, cost_from = ?, guarantee_until = ? WHERE id = ?",
                (*wanted[3:], number),
            )
        place, home, ownership = last
        kind = _kind(place, home, found)
        if kind is not None:
            # Use the file's day of the move, if it is after the last known movement and not after the import's day.
            known = found.moved is not None and last_moved < found.moved <= self._day
            self._move(number, kind, found.moved if known and found.moved else self._day, found)
        elif ownership != found.ownership.value:
            self._move(number, MovementKind.TRANSFERRED, self._day, found)
        kept_up = self._keep_up(number, found, only_new=True)
        moved = kind is not None or ownership != found.ownership.value
        return Effect.CHANGED if changed or moved or kept_up else Effect.UNCHANGED

    def _move(self, number: int, kind: MovementKind, day: date, found: ImportedDevice) -> None:
        movement = Movement(
            day=day, kind=kind, place=found.place, home=found.home, ownership=found.ownership, note="import"
        )
        self._movements.append(movement_row(number, movement, self._recorded_us))

    def _keep_up(self, number: int, found: ImportedDevice, *, only_new: bool = False) -> bool:
        any_new = False
        for kind, day in (("battery", found.last_battery), ("maintenance", found.last_maintenance)):
            if day is None:
                continue
            key = (number, kind, iso(day))
            if (
                only_new
                and self._connection.execute(
                    "SELECT 1 FROM upkeep WHERE device = ? AND kind = ? AND day = ?", key
                ).fetchone()
            ):
                continue
            self._upkeep.append((*key, self._recorded_us))
            any_new = True
        return any_new

    def _known(self, found: ImportedDevice) -> tuple[int, tuple[object, ...], tuple[str, str, str], str] | None:
        row = self._connection.execute(
            "SELECT * FROM devices WHERE type = ? AND serial = ?", (found.device.type.value, found.device.serial)
        ).fetchone()
        if row is None:
            return None
        number: int = row[0]
        place, home, ownership, day = self._connection.execute(
            "SELECT place, home, ownership, day FROM movements WHERE device = ? ORDER BY day DESC, id DESC LIMIT 1",
            (number,),
        ).fetchone()
        return number, row, (place, home, ownership), day


def _kind(place: str, home: str, found: ImportedDevice) -> MovementKind | None:
    """Return the movement from where a device was to where the file says it is; None if it did not move."""
    if (place, home) == (found.place.value, found.home):
        return None
    match found.place:
        case Place.RETIRED:
            return MovementKind.RETIRED
        case Place.WAREHOUSE:
            return MovementKind.REMOVED if place == Place.HOME else MovementKind.RECEIVED
        case Place.HOME:
            return MovementKind.MOVED if place == Place.HOME else MovementKind.INSTALLED
