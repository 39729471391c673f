"""Battery changes and preventive maintenance: what falls due, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vetlla.domain.devices import DeviceType, Home, Kept, Place, UpkeepKind
from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.service.parameters import Reading

Intervals: TypeAlias = "dict[tuple[DeviceType, UpkeepKind], int]"
"""Months between two battery changes or checks of a type."""


class UpkeepDue(NamedTuple):
    """Upkeep that an installed device needs by a day."""

    kept: Kept
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


def upkeep_due(fleet: Iterable[Kept], every: Intervals, until: date) -> list[UpkeepDue]:
    """Return the upkeep of installed devices that falls due up to a day, the first due first.

    Counted from the last time, or from the first installation when there was none.
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
    """Leave out what falls due in homes that are not attended any more by then: their equipment is to be recovered.

    Tender, section 16: standard 16 (recovery within 15 days), not 17 (preventive maintenance).
    """
    return [
        one
        for one in found
        if (home := homes.get(one.kept.standing.home)) is not None and home.active_from(max(one.due, day))
    ]
