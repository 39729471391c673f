"""The inventory's queries: devices, and the fleet of any day.

The functions take a connection to ``registry.db``; ``write.py`` and ``bulk.py`` write. A device's standing is its last
movement up to the given day (index ``movements_device``), never a column that could disagree. A first installation
after that day does not count.
"""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.devices import (
    Device,
    DeviceHistory,
    DeviceRecord,
    DeviceType,
    Manufacture,
    Movement,
    MovementKind,
    Ownership,
    Place,
    Standing,
)
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

FLEET = """
SELECT d.id, d.type, d.serial, d.model, d.imei, d.account, d.made_year, d.made_week,
       iif(d.first_installed > :day, NULL, d.first_installed), iif(d.first_installed > :day, NULL, d.cost_from),
       d.guarantee_until, m.place, m.home, m.ownership, m.day,
       (SELECT max(day) FROM upkeep WHERE device = d.id AND kind = 'battery' AND day <= :day),
       (SELECT max(day) FROM upkeep WHERE device = d.id AND kind = 'maintenance' AND day <= :day)
  FROM devices AS d
  JOIN movements AS m ON m.id = (
           SELECT id FROM movements WHERE device = d.id AND day <= :day ORDER BY day DESC, id DESC LIMIT 1)
"""
DAYS_KEPT = 1 << 16
"""Different days that are cached: a fleet has a million days, but only some ten thousand different ones."""
LAST_DAY = date.max
"""Asks for the present state of a device, because no movement has a later date."""

_CODES = (
    ("serial", "SELECT type, serial FROM devices WHERE serial NOT GLOB '*[^0-9]*'"),
    ("account", "SELECT '', account FROM devices WHERE account != '' AND account NOT GLOB '*[^0-9]*'"),
    ("account", "SELECT '', account FROM accounts WHERE account NOT GLOB '*[^0-9]*'"),
)

_TYPES = {kind.value: kind for kind in DeviceType}
_KINDS = {kind.value: kind for kind in MovementKind}
_PLACES = {place.value: place for place in Place}
_OWNERS = {owner.value: owner for owner in Ownership}


class DeviceStay(NamedTuple):
    """Days on which a device was in a home."""

    type: str
    serial: str
    first: date
    last: date | None
    """The day on which it left; None if it is still there."""


def fleet(
    connection: sqlite3.Connection, day: date = LAST_DAY, *, home: str = "", retired: bool = False
) -> Iterator[DeviceRecord]:
    """Yield every device of the service on a day, by number, also in the warehouse; ``retired`` adds retired ones."""
    sql, values = FLEET, {"day": day.isoformat(), "home": home}
    wanted = [] if retired else ["m.place != 'retired'"]
    if home:
        wanted.append("m.home = :home AND d.id IN (SELECT device FROM movements WHERE home = :home)")
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    for row in connection.execute(f"{sql}{where} ORDER BY d.id", values):
        yield _kept(row)


def device(connection: sqlite3.Connection, named: str, day: date = LAST_DAY) -> DeviceRecord:
    """Return the device that ``named`` means: ``type:serial``, serial, IMEI or account.

    Raises UsageError unless exactly one device matches.
    """
    found = find(connection, named, day)
    if not found:
        raise UsageError(f"no device {named!r}", remedy="vetlla inventory find PART shows similar devices")
    if len(found) > 1:
        names = ", ".join(f"{kept.device.type}:{kept.device.serial}" for kept in found)
        raise UsageError(f"{named!r} means {len(found)} devices: {names}", remedy="name it as TYPE:SERIAL")
    return found[0]


def find(connection: sqlite3.Connection, named: str, day: date = LAST_DAY) -> list[DeviceRecord]:
    """Return the devices whose ``type:serial``, serial, IMEI or account is exactly ``named``."""
    kind, _, serial = named.partition(":")
    exact = kind in _TYPES and serial
    where = "d.type = :kind AND d.serial = :serial" if exact else ":named IN (d.serial, d.imei, d.account)"
    if not exact:
        where = (
            "d.id IN (SELECT id FROM devices WHERE serial = :named UNION SELECT id FROM devices WHERE imei = :named"
            " AND imei != '' UNION SELECT id FROM devices WHERE account = :named AND account != '')"
        )
    values = {"day": day.isoformat(), "kind": kind, "serial": serial, "named": named}
    return [_kept(row) for row in connection.execute(f"{FLEET} WHERE {where} ORDER BY d.id", values)]


def containing(connection: sqlite3.Connection, part: str, limit: int) -> list[DeviceRecord]:
    """Return devices whose serial, IMEI, account or home contains ``part``, retired ones included."""
    where = "instr(d.serial, :part) OR instr(d.imei, :part) OR instr(d.account, :part) OR instr(m.home, :part)"
    values = {"day": LAST_DAY.isoformat(), "part": part, "limit": limit}
    rows = connection.execute(f"{FLEET} WHERE {where} ORDER BY d.id LIMIT :limit", values)
    return [_kept(row) for row in rows]


def history(connection: sqlite3.Connection, number: int) -> list[Movement]:
    """Return a device's movements, oldest first."""
    rows = connection.execute(
        "SELECT day, kind, place, home, ownership, other, note FROM movements WHERE device = ? ORDER BY day, id",
        (number,),
    )
    return [
        Movement(
            day=date.fromisoformat(day),
            kind=MovementKind(kind),
            place=Place(place),
            home=home,
            ownership=Ownership(ownership),
            other=other,
            note=note,
        )
        for day, kind, place, home, ownership, other, note in rows
    ]


def moved(connection: sqlite3.Connection, first: date, last: date) -> dict[tuple[MovementKind, DeviceType], int]:
    """Return how many movements there were from one day to another, both included, by kind and type of device."""
    rows = connection.execute(
        "SELECT m.kind, d.type, count(*) FROM movements AS m JOIN devices AS d ON d.id = m.device"
        " WHERE m.day BETWEEN ? AND ? GROUP BY m.kind, d.type",
        (first.isoformat(), last.isoformat()),
    )
    return {(MovementKind(kind), DeviceType(device)): number for kind, device, number in rows}


def histories(
    connection: sqlite3.Connection, last: date, *, types: Iterable[DeviceType] = (), home: str = ""
) -> Iterator[DeviceHistory]:
    """Yield devices by number with their movements up to a day.

    Without a home: those that were ever leased, and all of ``types``. With it: all that were ever in that home.
    """
    chosen = (
        "SELECT device FROM movements WHERE home = :home"
        if home
        else "SELECT device FROM movements WHERE ownership = 'leased'"
        " UNION SELECT id FROM devices WHERE type IN (SELECT value FROM json_each(:types))"
    )
    rows = connection.execute(
        "SELECT m.device, d.type, d.serial, m.day, m.kind, m.place, m.home, m.ownership, m.other"  # noqa: S608 - ours
        " FROM movements AS m JOIN devices AS d ON d.id = m.device"
        f" WHERE m.device IN ({chosen}) AND m.day <= :last"
        " ORDER BY m.device, m.day, m.id",
        {
            "home": home,
            "types": json.dumps([kind.value for kind in types]),
            "last": last.isoformat(),
        },
    )
    for (number, kind, serial), some in groupby(rows, itemgetter(0, 1, 2)):
        yield DeviceHistory(number, _TYPES[kind], serial, tuple(_movement(row) for row in some))


def _movement(row: tuple[Any, ...]) -> Movement:
    _, _, _, day, kind, place, home, ownership, other = row
    return Movement(
        day=_the_day(day),
        kind=_KINDS[kind],
        place=_PLACES[place],
        home=home,
        ownership=_OWNERS[ownership],
        other=other,
    )


def stays(connection: sqlite3.Connection, home: str) -> list[DeviceStay]:
    """Return every stay of a device in a home."""
    rows = connection.execute(
        "SELECT d.type, d.serial, m.day, (SELECT min(n.day) FROM movements AS n WHERE n.device = m.device"
        " AND n.home != :home AND (n.day, n.id) > (m.day, m.id))"
        " FROM movements AS m JOIN devices AS d ON d.id = m.device WHERE m.home = :home AND m.home != ''",
        {"home": home},
    )
    return [DeviceStay(kind, serial, date.fromisoformat(first), _day(last)) for kind, serial, first, last in rows]


def emptied(connection: sqlite3.Connection, home: str) -> date | None:
    """Return the day on which the last device that left a home did so; None if no device ever left it."""
    (day,) = connection.execute(
        "SELECT max(m.day) FROM movements AS m WHERE m.home != :home AND m.device IN"
        " (SELECT device FROM movements WHERE home = :home) AND m.day >="
        " (SELECT max(day) FROM movements WHERE device = m.device AND home = :home)",
        {"home": home},
    ).fetchone()
    return _day(day)


def upkeep(connection: sqlite3.Connection, number: int) -> list[tuple[date, str]]:
    """Return the days on which a device got a battery or a preventive check."""
    rows = connection.execute("SELECT day, kind FROM upkeep WHERE device = ? ORDER BY day, kind", (number,))
    return [(date.fromisoformat(day), kind) for day, kind in rows]


def replaced(connection: sqlite3.Connection, day: date = LAST_DAY) -> dict[int, str]:
    """Return the devices that replaced another one up to a day, each with the name (``type:serial``) of that other."""
    rows = connection.execute(
        "SELECT m.device, d.type || ':' || d.serial FROM movements AS m JOIN devices AS d ON d.id = m.other"
        " WHERE m.kind = 'replaces' AND m.day <= ? ORDER BY m.day, m.id",
        (day.isoformat(),),
    )
    return dict(rows)


def serials(connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Return the names (``type:serial``) of devices by number."""
    return {
        number: f"{kind}:{serial}"
        for asked in numbers
        for number, kind, serial in connection.execute("SELECT id, type, serial FROM devices WHERE id = ?", (asked,))
    }


def device_names(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the name (``type:serial``) of every device."""
    return (f"{kind}:{serial}" for kind, serial in connection.execute("SELECT type, serial FROM devices"))


def codes(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Yield column, group and text of every code of digits only; the group of a serial is its device's type.

    Accounts that only the receiver has are included.
    """
    for column, sql in _CODES:
        for group, code in connection.execute(sql):
            yield column, group, code


@lru_cache(maxsize=DAYS_KEPT)
def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


_the_day = lru_cache(maxsize=DAYS_KEPT)(date.fromisoformat)


def _kept(row: tuple[Any, ...]) -> DeviceRecord:
    number, kind, serial, model, imei, account, year, week, first, cost, guarantee, *now = row
    place, where, ownership, moved, battery, maintenance = now
    return DeviceRecord(
        id=number,
        device=Device(
            type=_TYPES[kind],
            serial=serial,
            model=model,
            imei=imei,
            account=account,
            made=Manufacture(year, week) if year else None,
            first_installed=_day(first),
            cost_from=_day(cost),
            guarantee_until=_day(guarantee),
        ),
        standing=Standing(place=_PLACES[place], home=where, ownership=_OWNERS[ownership], last_moved=_the_day(moved)),
        last_battery=_day(battery),
        last_maintenance=_day(maintenance),
    )
