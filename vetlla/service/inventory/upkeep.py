"""Finds the battery changes and preventive maintenance that are due, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vetlla.domain.devices import DeviceRecord, DeviceType, Place, UpkeepKind
from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.domain.homes import Home
    from vetlla.service.parameters import Reading

Intervals: TypeAlias = "dict[tuple[DeviceType, UpkeepKind], int]"
"""Months between two battery changes or checks of a type."""


class UpkeepDue(NamedTuple):
    """Upkeep that an installed device needs by the day ``due``."""

    kept: DeviceRecord
    kind: UpkeepKind
    due: date


def intervals(reading: Reading) -> Intervals:
    """Return the months between two battery changes or checks, for the types that need them."""
    return {
        (kind, upkeep): months
        for kind in DeviceType
        for upkeep in UpkeepKind
        if (months := reading.months_if_any(f"{upkeep}.{kind}")) is not None
    }


def upkeep_due(fleet: Iterable[DeviceRecord], every: Intervals, until: date) -> list[UpkeepDue]:
    """Return the upkeep of installed devices that is due up to a day, in the order of the due days.

    The interval counts from the last upkeep, or from the first installation if there was no upkeep.
    """
    found = []
    for kept in fleet:
        if kept.standing.place is not Place.HOME:
            continue
        for kind, last in (
            (UpkeepKind.BATTERY, kept.last_battery),
            (UpkeepKind.MAINTENANCE, kept.last_maintenance),
        ):
            months = every.get((kept.device.type, kind))
            since = last or kept.device.first_installed
            if months is not None and since is not None and (when := add_months(since, months)) <= until:
                found.append(UpkeepDue(kept, kind, when))
    return sorted(found, key=lambda one: (one.due, one.kept.id))


def attended(found: Iterable[UpkeepDue], homes: Mapping[str, Home], day: date) -> list[UpkeepDue]:
    """Return the upkeep without homes that are no longer attended when it is due: their equipment must be recovered.

    In tender, section 16, standard 16 applies to them (recovery within 15 days), not 17 (preventive maintenance).
    """
    return [
        one
        for one in found
        if (home := homes.get(one.kept.standing.home)) is not None and home.active_from(max(one.due, day))
    ]
