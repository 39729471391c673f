"""Checks that rows of devices agree with each other and the registry, and turns devices back into rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.columns import Fault
from vetlla.domain.devices import Device, DeviceRecord, DeviceType, ImportedDevice, Place
from vetlla.domain.homes import Home
from vetlla.service.homes.columns import FIRST_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from vetlla.domain.homes import Home
    from vetlla.service.homes.rows import HomeCodes
    from vetlla.service.inventory.columns import DeviceRow


class DeviceRows:
    """Checks devices against the calendar, the homes and the earlier rows; it remembers the row of each serial."""

    def __init__(self, homes: HomeCodes, today: date) -> None:
        self._homes = homes
        self._today = today
        self._row_of: dict[tuple[DeviceType, str], int] = {}

    def found(self, row: int, values: DeviceRow) -> ImportedDevice | list[Fault]:
        """Return the device of a row, or the faults of the row."""
        faults = self._dates(row, values)
        kind, serial, home, place = values["type"], values["serial"], values["home"] or "", values["place"]
        before = self._row_of.setdefault((kind, serial), row)
        if before != row:
            faults.append(Fault(row, "serial", serial, f"the same {kind} is in row {before} already"))
        if place is Place.HOME and not home:
            faults.append(Fault(row, "home", "", "is empty, but place says home"))
        if place is not Place.HOME and home:
            faults.append(Fault(row, "home", home, f"place says {place}"))
        if home and (missing := self._homes.missing(home)):
            faults.append(Fault(row, "home", home, missing))
        if faults:
            return faults
        first = values["first_installed"]
        return ImportedDevice(
            device=Device(
                type=kind,
                serial=serial,
                model=values["model"] or "",
                imei=values["imei"] or "",
                account=values["account"] or "",
                made=values["made"],
                first_installed=first,
                cost_from=values["cost_from"] or first,
                guarantee_until=values["guarantee_until"],
            ),
            place=place,
            home=home,
            ownership=values["ownership"],
            since=values["since"] or first or self._today,
            moved=values["since"],
            last_battery=values["last_battery"],
            last_maintenance=values["last_maintenance"],
        )

    def _dates(self, row: int, values: DeviceRow) -> list[Fault]:
        faults = []
        for name in ("since", "first_installed", "cost_from", "last_battery", "last_maintenance"):
            when = values[name]
            if when is not None and when > self._today:
                faults.append(Fault(row, name, str(when), "lies in the future"))
            elif when is not None and when.year < FIRST_YEAR:
                faults.append(Fault(row, name, str(when), f"lies before {FIRST_YEAR}"))
        first, made, since = values["first_installed"], values["made"], values["since"]
        if values["place"] is Place.HOME and first is None:
            faults.append(Fault(row, "first_installed", "", "is empty, but the device is in a home"))
        if first is not None and made is not None and (first.isocalendar()[:2] < made):
            faults.append(Fault(row, "first_installed", str(first), f"before it was made ({made})"))
        if first is not None and since is not None and values["place"] is Place.HOME and since < first:
            faults.append(Fault(row, "since", str(since), f"before its first installation ({first})"))
        if made is not None and made > self._today.isocalendar()[:2]:
            faults.append(Fault(row, "made", str(made), "lies in the future"))
        return faults


def device_row(kept: DeviceRecord) -> dict[str, str]:
    """Return a device as a row that can be imported again without a change."""
    device, standing = kept.device, kept.standing
    return {
        "type": device.type.value,
        "serial": device.serial,
        "model": device.model,
        "imei": device.imei,
        "account": device.account,
        "made": str(device.made or ""),
        "ownership": standing.ownership.value,
        "place": standing.place.value,
        "home": standing.home,
        "since": str(standing.last_moved),
        "first_installed": str(device.first_installed or ""),
        "cost_from": str(device.cost_from or ""),
        "last_battery": str(kept.last_battery or ""),
        "last_maintenance": str(kept.last_maintenance or ""),
        "guarantee_until": str(device.guarantee_until or ""),
    }


def account_row(kept: DeviceRecord, homes: Mapping[str, Home]) -> dict[str, str]:
    """Return an installed terminal as a row of ``vetlla accounts import``."""
    home = homes[kept.standing.home]
    return {"account": kept.device.account, "home": home.code, "support_level": str(home.level)}
