"""What the registry says about expected devices: terminals and their places, the UCRs of each home, resting homes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.devices import BUTTONS, TERMINALS, DeviceType, Place
from vetlla.domain.supervision import Expected, Terminal, Ucr
from vetlla.store.homes.queries import resting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import date


_STANDING = """
SELECT d.type, d.serial, d.account, m.place, m.home FROM devices AS d JOIN movements AS m ON m.id = (
    SELECT id FROM movements WHERE device = d.id ORDER BY day DESC, id DESC LIMIT 1)
WHERE m.place <> 'retired' AND d.type IN ({types})
"""
_GONE = """
SELECT d.serial, d.account, m.place, was.home FROM devices AS d
JOIN movements AS m ON m.id = (SELECT id FROM movements WHERE device = d.id ORDER BY day DESC, id DESC LIMIT 1)
JOIN movements AS was ON was.id = (SELECT id FROM movements WHERE device = d.id AND place = 'home' AND home <> m.home
    ORDER BY day DESC, id DESC LIMIT 1)
WHERE d.type IN ({types})
"""


def expected(connection: sqlite3.Connection, day: date) -> Expected:
    """Return the devices that are expected on a day."""
    terminals: dict[str, Terminal] = {}
    ucrs: dict[str, list[Ucr]] = {}
    gone: dict[str, dict[str, Place]] = {}
    for kind, serial, account, place, home in connection.execute(_STANDING.format(types=_listed(TERMINALS | BUTTONS))):
        type_ = DeviceType(kind)
        if type_ in TERMINALS:
            if account and (place == Place.HOME or account.upper() not in terminals):
                terminals[account.upper()] = Terminal(type_, Place(place))
        elif place == Place.HOME:
            ucrs.setdefault(home, []).append(Ucr(type_, account or serial))
    for serial, account, place, home in connection.execute(_GONE.format(types=_listed(BUTTONS))):
        gone.setdefault(home, {})[(account or serial).upper()] = Place(place)
    return Expected(terminals, ucrs, resting(connection, day), gone)


def _listed(types: Iterable[DeviceType]) -> str:
    return ", ".join(f"'{one}'" for one in sorted(types))
