"""How long devices serve, by type, and when the life of one ends."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from vetlla.domain.devices import DeviceType
from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from vetlla.domain.devices import Kept
    from vetlla.service.parameters import Reading


class Lives:
    """End of life of any device; the lives of each type are read once."""

    def __init__(self, reading: Reading) -> None:
        self._months = {kind: reading.integer(f"life.{kind}", least=1) for kind in DeviceType}
        self._made = {kind: reading.text(f"life.from.{kind}", "life.from.default") == "made" for kind in DeviceType}

    def months(self, kind: DeviceType) -> int:
        """Return the useful life of a type."""
        return self._months[kind]

    def end(self, kept: Kept) -> date | None:
        """Return the day on which a device's life is over; None while it has not begun."""
        device = kept.device
        begins = device.first_installed
        if self._made[device.type] and device.made is not None:
            begins = date.fromisocalendar(device.made.year, min(device.made.week, 52), 1)
        return None if begins is None else add_months(begins, self._months[device.type])
