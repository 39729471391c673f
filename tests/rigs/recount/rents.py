"""The months of rented devices, day by day."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.rigs.recount.attended import Record
    from tests.rigs.recount.exports import Row

LINES: Final = (
    "terminal_analog", "terminal_digital", "smoke", "gas", "passivity", "door", "geolocator", "fall_ucr", "oral",
    "smartwatch", "remote_fall", "voice_extender", "choice",
)  # fmt: skip
LINE_OF_TYPE: Final = {
    "terminal_pstn": "terminal_analog", "terminal_gsm": "terminal_analog", "terminal_ip": "terminal_digital",
}  # fmt: skip


def line_of(device: str) -> str:
    """Return the line of a device that is named TYPE:SERIAL. A UCR has a line that is not in ``LINES``."""
    kind = device.split(":", maxsplit=1)[0]
    return LINE_OF_TYPE.get(kind, kind)


def rent_units(
    record: Record, devices: dict[str, list[Row]], values: dict[str, str], days: list[str], length: int
) -> dict[str, Decimal]:
    """Return the units of each line in a month of ``length`` days, of which these ones are days of the contract."""
    lived_in = {day: _homes_with_attended(record, day) for day in days}
    places = _places(devices)
    units = {}
    for line in LINES:
        ours = [device for device in devices if line_of(device) == line]
        free: set[str] = set()
        if line in [name.strip() for name in values["rent.pilot_lines"].split(",")]:
            free = {
                device for device in ours if places.get(device, 0) and places[device] <= int(values["rent.pilot_free"])
            }
        rented: dict[str, set[str]] = {}
        for device in ours:
            rented[device] = set()
            if device not in free:
                for day in days:
                    if _is_rented(record, devices[device], values, day, lived_in[day]):
                        rented[device].add(day)
        units[line] = _units(devices, rented, values["rent.pro_rata"], days, length)
    return units


def _homes_with_attended(record: Record, day: str) -> set[str]:
    return {record.home_of(person, day) for person in record.people if record.attended(person, day)}


def _is_rented(record: Record, movements: list[Row], values: dict[str, str], day: str, lived_in: set[str]) -> bool:
    """Return True if the device is rented on that day, pilots apart."""
    past = [one for one in movements if one["day"] <= day]
    if not past or past[-1]["ownership"] != "leased":
        return False
    place, home = past[-1]["place"], past[-1]["home"]
    if place == "warehouse":
        return values["rent.warehouse"] == "yes" and any(one["place"] == "home" for one in past)
    if place != "home":
        return False
    if not record.in_service(home, day):
        return values["rent.home_left"] == "yes"
    return values["rent.suspended"] == "yes" or home in lived_in


def _places(devices: dict[str, list[Row]]) -> dict[str, int]:
    """Return the place of each device in the order of its line, from 1 on. One that replaced another has its place."""
    first = {}
    for device, movements in devices.items():
        for one in movements:
            if one["place"] == "home":
                first[device] = one
                break
    places: dict[str, int] = {}
    counted: dict[str, int] = {}
    for device in sorted(first, key=lambda device: first[device]["day"]):
        older = first[device]["other"]
        if first[device]["kind"] == "replaces" and older in places and line_of(older) == line_of(device):
            places[device] = places[older]
            continue
        counted[line_of(device)] = counted.get(line_of(device), 0) + 1
        places[device] = counted[line_of(device)]
    return places


def _units(
    devices: dict[str, list[Row]], rented: dict[str, set[str]], pro_rata: str, days: list[str], length: int
) -> Decimal:
    if pro_rata == "days":
        total = sum(len(some) for some in rented.values())
        return (Decimal(total) / length).quantize(Decimal("0.00000001"), ROUND_HALF_UP)
    wanted = 1 if pro_rata == "whole_month" else length
    return Decimal(sum(len(some) >= wanted for some in _positions(devices, rented, days)))


def _positions(devices: dict[str, list[Row]], rented: dict[str, set[str]], days: list[str]) -> list[set[str]]:
    """Return the rented days of each position. A leased device and the one that it replaces exchange theirs."""
    position = {device: device for device, some in rented.items() if some}
    found: dict[str, set[str]] = {device: set() for device in position}
    before: dict[str, str] = {}
    for day in days:
        for replaced, new in _replacements_of(day, devices, rented):
            old = before.get(replaced, replaced)
            if old in position and new in position:
                position[old], position[new] = position[new], position[old]
            elif new not in position:
                before[new] = old
        for device, where in position.items():
            if day in rented[device]:
                found[where].add(day)
    return list(found.values())


def _replacements_of(day: str, devices: dict[str, list[Row]], ours: Iterable[str]) -> list[tuple[str, str]]:
    """Return old and new devices of the replacements of a day, each after those that its two devices had before."""
    to_come = {
        device: [pair for one in devices[device] if one["day"] == day for pair in _pair(device, one)] for device in ours
    }
    to_come = {
        device: [pair for pair in pairs if pair[0] in to_come and pair[1] in to_come]
        for device, pairs in to_come.items()
    }
    done = []
    while some := [pairs[0] for pairs in to_come.values() if pairs]:
        pair = next(pair for pair in some if all(to_come[device][0] == pair for device in pair))
        for device in pair:
            to_come[device].pop(0)
        done.append(pair)
    return [pair for pair in done if _replaces_as_leased(devices[pair[1]], day, pair[0])]


def _replaces_as_leased(movements: list[Row], day: str, old: str) -> bool:
    found = [one for one in movements if one["day"] == day and one["kind"] == "replaces" and one["other"] == old]
    return any(one["ownership"] == "leased" for one in found)


def _pair(device: str, movement: Row) -> list[tuple[str, str]]:
    """Return the old and the new device of a movement that is a replacement."""
    if movement["kind"] == "replaces":
        return [(movement["other"], device)]
    return [(device, movement["other"])] if movement["kind"] == "replaced_by" else []
