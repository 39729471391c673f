"""The park that the tender expects: each line's installations of each period, spread evenly over its days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from vetlla.domain.devices import (
    Device,
    DeviceHistory,
    DeviceRecord,
    DeviceType,
    Movement,
    MovementKind,
    Ownership,
    Place,
    Standing,
)
from vetlla.domain.homes import Home, Period
from vetlla.service.budget.residual import Park

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.service.budget.tender import TenderTables

BEGIN = date(2024, 4, 1)
PERIODS = (
    (date(2024, 4, 1), date(2025, 1, 1)),
    (date(2025, 1, 1), date(2026, 1, 1)),
    (date(2026, 1, 1), date(2027, 1, 1)),
    (date(2027, 1, 1), date(2027, 4, 1)),
)
"""First day, and the day after the last one."""
TERMINALS = {"terminal_analog": DeviceType.TERMINAL_GSM, "terminal_digital": DeviceType.TERMINAL_IP}
PILOTS = ("smartwatch", "remote_fall", "voice_extender", "choice")
FREE = 250
"""Devices of each pilot that the city owns before the first one is rented; the tender's table begins after them."""
HOME = Home(code="H1", district="01", base="NORD", level=1, alone=True, active=(Period(BEGIN),))


def tender_park(tables: TenderTables, *, calendar: bool = False) -> Park:
    """Return the park at the end of the contract."""
    arrivals = [(line, day) for line in PILOTS for day in [BEGIN] * FREE]
    for name, line in tables.rent.items():
        installed = line.calendar_installed if calendar and line.calendar_installed else line.installed
        arrivals += [(name, day) for day in _days(installed)]
    made = [_device(number, line, day) for number, (line, day) in enumerate(arrivals, start=1)]
    fleet, histories = [kept for kept, _ in made], [history for _, history in made]
    return Park(fleet=fleet, histories=histories, homes={"H1": HOME}, attended={})


def _days(installed: Sequence[int]) -> Iterator[date]:
    for number, (first, after) in zip(installed, PERIODS, strict=True):
        length = (after - first).days
        for place in range(number):
            yield first + timedelta(days=(2 * place + 1) * length // (2 * number))


def _device(number: int, line: str, day: date) -> tuple[DeviceRecord, DeviceHistory]:
    kind = TERMINALS.get(line) or DeviceType(line)
    move = Movement(day=day, kind=MovementKind.INSTALLED, place=Place.HOME, home="H1", ownership=Ownership.LEASED)
    device = Device(type=kind, serial=f"S{number}", first_installed=day, cost_from=day)
    standing = Standing(place=Place.HOME, home="H1", ownership=Ownership.LEASED, last_moved=day)
    return DeviceRecord(number, device, standing), DeviceHistory(number, kind, device.serial, (move,))
