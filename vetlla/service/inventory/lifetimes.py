"""Finds the useful life of each type of device, and the day on which the life of a device ends."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from vetlla.domain.devices import DeviceType
from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from vetlla.domain.devices import DeviceRecord
    from vetlla.service.parameters import Reading

_FROM: Final = ("first_installed", "made")
"""The days from which a life may be counted (``life.from.TYPE``)."""


class Lives:
    """Gives the end of life of any device; it reads the life of each type once."""

    def __init__(self, reading: Reading) -> None:
        self._months = {kind: reading.integer(f"life.{kind}", least=1) for kind in DeviceType}
        self._made = {
            kind: reading.choice(f"life.from.{kind}", _FROM, "life.from.default") == "made" for kind in DeviceType
        }

    def months(self, kind: DeviceType) -> int:
        """Return the useful life of a type in months."""
        return self._months[kind]

    def end(self, kept: DeviceRecord) -> date | None:
        """Return the day on which a device's life ends; None if it has not begun."""
        device = kept.device
        begins = device.first_installed
        if self._made[device.type] and device.made is not None:
            begins = date.fromisocalendar(device.made.year, min(device.made.week, 52), 1)
        return None if begins is None else add_months(begins, self._months[device.type])
