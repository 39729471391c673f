"""Imports many devices at once: one statement per batch of rows. A second import of the same file changes nothing.

Everything happens in the caller's transaction. A crash before its commit leaves the registry as it was.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.columns import Effect
from vetlla.domain.devices import IMPORTED, Ownership, Place, Standing
from vetlla.store.inventory.write import ADD, KEEP_UP, MOVE, device_row, iso, movement_row, next_number

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.devices import Device, ImportedDevice, Movement

BATCH = 5_000
"""Rows held before they are written: enough to save calls, and too few to need much memory."""


_LAST = (
    "SELECT place, home, ownership, day, note FROM movements"
    " WHERE device = ? {which} ORDER BY day DESC, id DESC LIMIT 1"
)


class KnownDevice(NamedTuple):
    """What the registry holds of a device: its number, its row and its standing."""

    number: int
    row: tuple[Any, ...]
    standing: Standing
    imported: Standing | None
    """What the last import said, if the device was moved by hand since; None otherwise."""

    def with_cost_days(self, device: Device) -> Device:
        """Return a device with the first installation and the cost date of the registry."""
        first, cost = (date.fromisoformat(day) if day else None for day in self.row[8:10])
        return device._replace(first_installed=first, cost_from=cost)


class DeviceImport:
    """Takes devices row by row; ``flush`` writes the last ones."""

    def __init__(self, connection: sqlite3.Connection, recorded_us: int) -> None:
        self._connection = connection
        self._recorded_us = recorded_us
        self._next = next_number(connection)
        self._empty = self._next == 1
        self._devices: list[tuple[object, ...]] = []
        self._movements: list[tuple[object, ...]] = []
        self._upkeep: list[tuple[object, ...]] = []

    def known(self, device: Device) -> KnownDevice | None:
        """Return what the registry held of a device before the import; None for a new device."""
        if self._empty:
            return None
        row = self._connection.execute(
            "SELECT * FROM devices WHERE type = ? AND serial = ?", (device.type.value, device.serial)
        ).fetchone()
        if row is None:
            return None
        number: int = row[0]
        *last, note = self._connection.execute(_LAST.format(which=""), (number,)).fetchone()
        said = None
        if note != IMPORTED:
            said = self._connection.execute(_LAST.format(which="AND note = ?"), (number, IMPORTED)).fetchone()
        return KnownDevice(number, row, _standing(*last), _standing(*said[:4]) if said else None)

    def put(self, found: ImportedDevice, known: KnownDevice | None, movement: Movement | None) -> Effect:
        """Import a device with the movement that the file tells of it, if any; return how that changed the registry."""
        number = self._add(found.device) if known is None else known.number
        changed = known is not None and self._update(found.device, known)
        if movement is not None:
            self._movements.append(movement_row(number, movement, self._recorded_us))
        kept_up = self._keep_up(number, found, only_new=known is not None)
        if len(self._devices) + len(self._movements) >= BATCH:
            self.flush()
        if known is None:
            return Effect.NEW
        return Effect.CHANGED if changed or movement is not None or kept_up else Effect.UNCHANGED

    def flush(self) -> None:
        """Write the rows that are held."""
        self._connection.executemany(ADD, self._devices)
        self._connection.executemany(MOVE, self._movements)
        self._connection.executemany(KEEP_UP, self._upkeep)
        self._devices.clear()
        self._movements.clear()
        self._upkeep.clear()

    def _add(self, device: Device) -> int:
        number = self._next
        self._next += 1
        self._devices.append(device_row(number, device))
        return number

    def _update(self, device: Device, known: KnownDevice) -> bool:
        """Write the device's new data; return False if they are those of the registry."""
        wanted = device_row(known.number, device)
        if wanted == known.row:
            return False
        self._connection.execute(
            "UPDATE devices SET model = ?, imei = ?, account = ?, made_year = ?, made_week = ?,"
            " first_installed = ?, cost_from = ?, guarantee_until = ? WHERE id = ?",
            (*wanted[3:], known.number),
        )
        return True

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


def _standing(place: str, home: str, ownership: str, day: str) -> Standing:
    return Standing(Place(place), home, Ownership(ownership), date.fromisoformat(day))
