"""Checks that the rows of an import agree with each other and the registry, and turns values back into rows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vetlla.domain import telephones
from vetlla.domain.columns import Fault
from vetlla.domain.devices import (
    Device,
    DeviceRecord,
    DeviceType,
    Home,
    ImportedDevice,
    Period,
    Person,
    Place,
)
from vetlla.service.inventory.columns import FIRST_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from vetlla.service.inventory.columns import DeviceRow, HomeRow, PersonRow


class HomeCodes:
    """The codes of the existing homes, to which rows refer."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = set(codes)

    def missing(self, code: str) -> str:
        """Return the error for a code that no home has; "" if a home has it."""
        if code in self._codes:
            return ""
        if other := code.isdecimal() and self._by_number.get(code.lstrip("0")):
            return f"no such home, but there is {other}: did a spreadsheet lose the leading zeros?"
        return "no such home: import the homes first"

    @cached_property
    def _by_number(self) -> dict[str, str]:
        return {code.lstrip("0"): code for code in self._codes if code.isdecimal()}


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


def home(row: int, values: HomeRow, seen: dict[str, int], *, known: Mapping[str, Home]) -> Home | list[Fault]:
    """Return the home of a row, or its faults; ``seen`` remembers the row of each code.

    A telephone number that the registry (``known``) has for the home is taken as it is, so that every export can be
    imported.
    """
    before = seen.setdefault(values["code"], row)
    faults = [] if before == row else [Fault(row, "code", values["code"], f"is in row {before} already")]
    registered = known[values["code"]].phones if values["code"] in known else ()
    faults += _telephone_faults(row, (number for number in values["phones"] or () if number not in registered))
    if faults:
        return faults
    return Home(
        code=values["code"],
        district=values["district"],
        base=values["base"],
        level=values["level"],
        alone=values["alone"],
        language=values["language"] or "",
        phones=values["phones"] or (),
        active=values["active"] or (),
        suspended=values["suspended"] or (),
    )


def _telephone_faults(row: int, numbers: Iterable[str]) -> Iterator[Fault]:
    for number in numbers:
        try:
            telephones.checked(number)
        except ValueError as error:
            yield Fault(row, "phones", number, str(error))


def person(row: int, values: PersonRow, seen: dict[str, int], homes: HomeCodes) -> Person | list[Fault]:
    """Return the person of a row, or its faults."""
    before = seen.setdefault(values["code"], row)
    if before != row:
        return [Fault(row, "code", values["code"], f"is in row {before} already")]
    if missing := homes.missing(values["home"]):
        return [Fault(row, "home", values["home"], missing)]
    return Person(
        code=values["code"],
        home=values["home"],
        user_type=values["user_type"],
        programmes=values["programmes"] or (),
    )


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


def home_row(home: Home) -> dict[str, str]:
    """Return a home as a row that can be imported again without a change."""
    return {
        "code": home.code,
        "district": home.district,
        "base": home.base,
        "level": str(home.level),
        "alone": "yes" if home.alone else "no",
        "language": home.language,
        "phones": ";".join(home.phones),
        "active": ";".join(map(_written, home.active)),
        "suspended": ";".join(map(_written, home.suspended)),
    }


def person_row(person: Person) -> dict[str, str]:
    """Return a person as a row that can be imported again without a change."""
    return {
        "code": person.code,
        "home": person.home,
        "user_type": person.user_type.value,
        "programmes": ";".join(f"{name}:{_written(period)}" for name, period in person.programmes),
    }


def _written(period: Period) -> str:
    return f"{period.since}/{period.until or ''}"
