"""Which devices are expected on a day, according to the inventory."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from tests.rigs.registered_people import put as put_homes
from vetlla.domain.clock import ManualClock
from vetlla.domain.devices import Device, DeviceType, Ownership, Place
from vetlla.domain.homes import Home, Period
from vetlla.domain.supervision import Expected, Terminal, Ucr
from vetlla.service.inventory import movements as rules
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory import write as inventory_write
from vetlla.store.registry.registry import writing
from vetlla.store.supervision.expected import expected

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


START, TODAY = date(2025, 1, 10), date(2026, 3, 15)
DEVICES = (
    (DeviceType.TERMINAL_IP, "T1", "4c01", "H1"),
    (DeviceType.UCR, "U1", "", "H1"),
    (DeviceType.FALL_UCR, "U2", "007", "H1"),
    (DeviceType.SMOKE, "S1", "", "H1"),
    (DeviceType.TERMINAL_PSTN, "T2", "4C02", ""),
    (DeviceType.UCR, "U3", "", ""),
    (DeviceType.TERMINAL_GSM, "T3", "", "H2"),
)
"""Type, serial, account, and the home in which it is installed; an empty home means the warehouse."""


@contextmanager
def registry(directory: Path, *homes: Home) -> Iterator[sqlite3.Connection]:
    with writing(directory, ManualClock()) as db:
        for home in homes:
            put_homes(db, home)
        yield db


def home(code: str, *, active: Period | None = None, suspended: Period | None = None) -> Home:
    return Home(
        code=code,
        district="01",
        base="NORD",
        level=1,
        alone=True,
        active=(active or Period(START),),
        suspended=(suspended,) if suspended else (),
    )


def put(db: sqlite3.Connection, kind: DeviceType, serial: str, account: str, place: str) -> None:
    device = Device(type=kind, serial=serial, account=account)
    inventory_write.add(db, device, rules.receive(START, Ownership.LEASED), 0)
    if place:
        kept = inventory.device(db, f"{kind}:{serial}")
        change = rules.install(kept, place, START, inventory.fleet(db, home=place))
        inventory_write.apply(db, [change], 0)


def test_terminals_ucrs_and_other_devices(tmp_path: Path) -> None:
    """It returns terminals by account, wherever they are, and a home's UCRs by the reported id, and no other device."""
    with registry(tmp_path, home("H1"), home("H2")) as db:
        for device in DEVICES:
            put(db, *device)
        assert expected(db, TODAY) == Expected(
            terminals={
                "4C01": Terminal(DeviceType.TERMINAL_IP, Place.HOME),
                "4C02": Terminal(DeviceType.TERMINAL_PSTN, Place.WAREHOUSE),
            },
            ucrs={"H1": [Ucr(DeviceType.FALL_UCR, "007"), Ucr(DeviceType.UCR, "U1")]},
            resting=frozenset(),
        )


def test_a_ucr_that_left_its_home(tmp_path: Path) -> None:
    """For a UCR that went to the warehouse or to another home, its last home gets its id and its present place."""
    with registry(tmp_path, home("H1"), home("H2")) as db:
        put(db, DeviceType.UCR, "U1", "", "H1")
        put(db, DeviceType.UCR, "U2", "007", "H1")
        for serial, place in (("U1", ""), ("U2", "H2")):
            kept = inventory.device(db, f"ucr:{serial}")
            if place:
                change = rules.move(kept, place, TODAY, inventory.fleet(db, home=place))
            else:
                change = rules.remove(kept, TODAY)
            inventory_write.apply(db, [change], 0)
        found = expected(db, TODAY)
        assert found.gone == {"H1": {"U1": Place.WAREHOUSE, "007": Place.HOME}}
        assert found.ucrs == {"H2": [Ucr(DeviceType.UCR, "007")]}


def test_homes_that_are_suspended_or_not_active(tmp_path: Path) -> None:
    """A home rests if it is suspended or not active on the day. A period includes its last day."""
    homes = (
        home("ACTIVE"),
        home("SUSPENDED", suspended=Period(TODAY, TODAY)),
        home("WAS", suspended=Period(START, date(2026, 3, 14))),
        home("LEFT", active=Period(START, date(2026, 3, 14))),
        home("LAST DAY", active=Period(START, TODAY)),
        home("COMES", active=Period(date(2026, 3, 16))),
    )
    with registry(tmp_path, *homes) as db:
        assert set(expected(db, TODAY).resting) == {"SUSPENDED", "LEFT", "COMES"}
