"""Changes the inventory, one change at a time. Each call must be made within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import date

    from vetlla.domain.devices import Change, Device, Movement, UpkeepKind

ADD = "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
MOVE = (
    "INSERT INTO movements (device, day, kind, place, home, ownership, other, note, recorded_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
KEEP_UP = "INSERT OR IGNORE INTO upkeep VALUES (?, ?, ?, ?)"


def iso(day: date | None) -> str | None:
    """Return a day in the form in which it is stored."""
    return day.isoformat() if day else None


def device_row(number: int, device: Device) -> tuple[object, ...]:
    """Return a device in the order of its table's columns."""
    year, week = device.made or (None, None)
    return (
        number,
        device.type.value,
        device.serial,
        device.model,
        device.imei,
        device.account,
        year,
        week,
        iso(device.first_installed),
        iso(device.cost_from),
        iso(device.guarantee_until),
    )


def movement_row(number: int, movement: Movement, recorded_us: int) -> tuple[object, ...]:
    """Return a movement in the order of the columns of ``MOVE``."""
    return (
        number,
        movement.day.isoformat(),
        movement.kind.value,
        movement.place.value,
        movement.home,
        movement.ownership.value,
        movement.other,
        movement.note,
        recorded_us,
    )


def next_number(connection: sqlite3.Connection) -> int:
    """Return the number that the next new device gets."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM devices").fetchone()
    return int(last) + 1


def add(connection: sqlite3.Connection, device: Device, movement: Movement, recorded_us: int) -> int:
    """Register a new device with its first movement; return its number. Raises UsageError if it exists."""
    key = (device.type.value, device.serial)
    if connection.execute("SELECT 1 FROM devices WHERE type = ? AND serial = ?", key).fetchone():
        raise UsageError(f"{device.type}:{device.serial} is registered already")
    number = next_number(connection)
    connection.execute(ADD, device_row(number, device))
    connection.execute(MOVE, movement_row(number, movement, recorded_us))
    return number


def apply(connection: sqlite3.Connection, changes: Iterable[Change], recorded_us: int) -> None:
    """Append movements, and set the dates that they give to their devices."""
    for number, device, movement in changes:
        connection.execute(MOVE, movement_row(number, movement, recorded_us))
        connection.execute(
            "UPDATE devices SET first_installed = ?, cost_from = ? WHERE id = ?",
            (iso(device.first_installed), iso(device.cost_from), number),
        )


def keep_up(connection: sqlite3.Connection, number: int, kind: UpkeepKind, day: date, recorded_us: int) -> None:
    """Record a battery change or a preventive check; recording the same one again changes nothing."""
    connection.execute(KEEP_UP, (number, kind.value, day.isoformat(), recorded_us))
