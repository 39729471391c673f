"""Makes the monthly inventory that the contract demands (tender, section 15): every device, and the totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import BUTTONS, DIGITAL, DeviceRecord, DeviceType, Ownership, Place
from vetlla.service.inventory.in_service import in_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.domain.homes import Home

COLUMNS = (
    "type",
    "place",
    "home",
    "serial",
    "model",
    "made_week",
    "made_year",
    "first_installed",
    "last_maintenance",
    "last_battery",
    "ownership",
    "cost_from",
    "replaces",
)
TOTAL_COLUMNS = ("type", "ownership", "in_homes", "in_warehouse", "total")
ALL = "all"


class Total(NamedTuple):
    """Number of devices of a type and an owner; ``all`` in either field means the sum over all of them."""

    type: str
    ownership: str
    in_homes: int
    in_warehouse: int

    @property
    def total(self) -> int:
        """Devices in homes and in the warehouse."""
        return self.in_homes + self.in_warehouse

    def row(self) -> dict[str, str | int]:
        """Return the total in the order of ``TOTAL_COLUMNS``."""
        return {
            "type": self.type,
            "ownership": self.ownership,
            "in_homes": self.in_homes,
            "in_warehouse": self.in_warehouse,
            "total": self.total,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The inventory on the last day of a month."""

    day: date
    rows: list[tuple[str | int | date | None, ...]]
    """One row for each device, in the order of ``COLUMNS``."""
    totals: list[Total]
    terminals_at_no_cost: int
    """GSM-IP terminals installed as the offered improvement, in homes that are in the service (tender, 13.2.c). They
    are neither rented nor bought."""
    buttons_at_no_cost: int


def report(fleet: Iterable[DeviceRecord], day: date, replaced: Mapping[int, str], homes: Mapping[str, Home]) -> Report:
    """Return the report of a fleet as it was on a day. ``homes``: the homes as they were on that day.

    ``replaced``: for each device's number, the name of the device that it replaced. The inventory must show that link
    (tender, section 5), since the cost date comes from that device.
    """
    order = {kind: place for place, kind in enumerate(DeviceType)}
    devices = sorted(fleet, key=lambda kept: (order[kept.device.type], kept.standing.home, kept.id))
    free = [kept for kept in in_service(devices, homes, day) if kept.standing.ownership is Ownership.OFFERED]
    return Report(
        day=day,
        rows=[cells(kept, replaced.get(kept.id, "")) for kept in devices],
        totals=totals(devices),
        terminals_at_no_cost=sum(kept.device.type is DIGITAL for kept in free),
        buttons_at_no_cost=sum(kept.device.type in BUTTONS for kept in free),
    )


def totals(fleet: Iterable[DeviceRecord]) -> list[Total]:
    """Return how many devices of each type and owner there are, and the sums over them."""
    kept_by = Counter((kept.device.type, kept.standing.ownership, kept.standing.place) for kept in fleet)
    count: Counter[tuple[str, str, Place]] = Counter()
    for (device_type, ownership, place), number in kept_by.items():
        for kind in (device_type.value, ALL):
            for owner in (ownership.value, ALL):
                count[kind, owner, place] += number
    return [
        Total(kind, owner, count[kind, owner, Place.HOME], count[kind, owner, Place.WAREHOUSE])
        for kind in (*(kind.value for kind in DeviceType), ALL)
        for owner in (*(owner.value for owner in Ownership), ALL)
        if any(count[kind, owner, place] for place in (Place.HOME, Place.WAREHOUSE))
    ]


def cells(kept: DeviceRecord, replaces: str) -> tuple[str | int | date | None, ...]:
    """Return the row of a device in the order of ``COLUMNS``."""
    device, standing = kept.device, kept.standing
    year, week = device.made or (None, None)
    return (
        device.type.value,
        standing.place.value,
        standing.home,
        device.serial,
        device.model,
        week,
        year,
        device.first_installed,
        kept.last_maintenance,
        kept.last_battery,
        standing.ownership.value,
        device.cost_from,
        replaces,
    )
