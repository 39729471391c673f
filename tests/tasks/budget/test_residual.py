"""The residual value of a registry with a random history, against a book that is kept day by day."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.registered_people import put
from tests.store.inventory.test_history import registry
from vetlla.domain.devices import Device, DeviceType, Ownership
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import Home, Period
from vetlla.service.calendar import add_months
from vetlla.service.inventory import movements as rules
from vetlla.service.parameters import Parameters, parse
from vetlla.settings.shipped import parameters_file
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory import write as inventory_write
from vetlla.tasks.budget.residual import purchases

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.devices import Change
    from vetlla.service.budget.residual import Residual

START = date(2024, 4, 1)
LEAVES = START + timedelta(days=150)
"""Last day of home H3 in the service."""
PRICES = {
    DeviceType.TERMINAL_IP: ("terminal_digital", "3.17"),
    DeviceType.TERMINAL_PSTN: ("terminal_analog", "1.83"),
    DeviceType.SMOKE: ("smoke", "0.58"),
    DeviceType.SMARTWATCH: ("smartwatch", "1.67"),
}
LIFE = 14
"""Months that a smoke detector lives in these tests."""
STEPS = ("install", "install", "move", "remove", "replace", "replace", "renew", "transfer", "retire")


@dataclass
class Kept:
    """What the book knows of a device."""

    kind: DeviceType
    place: str = "warehouse"
    home: str = ""
    owner: Ownership = Ownership.LEASED
    cost: date | None = None
    first: date | None = None
    days: set[tuple[DeviceType, date]] = field(default_factory=set)
    """Rented days of the device and of those before it in its chain."""


def parameters(**changed: object) -> Parameters:
    """Return the installed parameters with other values."""
    document = tomllib.loads(parameters_file().read_text(encoding="utf-8"), parse_float=Decimal)
    for entry in document["parameter"]:
        if entry["name"] in changed:
            entry["value"] = changed[entry["name"]]
    return parse(document, "parameters")


class Book:
    """A registry, and beside it a book of each device's days."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.day = START
        self.kept: dict[str, Kept] = {}
        put(
            connection,
            Home(code="H3", district="01", base="SUD", level=1, alone=True, active=(Period(START, LEAVES),)),
        )

    def pass_days(self, number: int) -> None:
        """Write down who is rented on each day from the present one on."""
        for place in range(number):
            day = self.day + timedelta(days=place)
            for one in self.kept.values():
                served = one.home != "H3" or day <= LEAVES
                if one.place == "home" and one.owner is Ownership.LEASED and served:
                    one.days.add((one.kind, day))
        self.day += timedelta(days=number)

    def receive(self, kind: DeviceType, owner: Ownership = Ownership.LEASED) -> str:
        """Register a new device."""
        serial = f"S{len(self.kept)}"
        inventory_write.add(self.connection, Device(type=kind, serial=serial), rules.receive(self.day, owner), 0)
        self.kept[serial] = Kept(kind, owner=owner)
        return serial

    def step(self, what: str, draw: st.DataObject) -> None:
        """Try a movement in the registry; what it accepts is written into the book, too."""
        serials = [name for name, one in self.kept.items() if one.place != "retired"]
        fresh = draw.draw(st.sampled_from(list(PRICES)))
        if not serials or what == "install":
            serials.append(self.receive(fresh, draw.draw(st.sampled_from([*[Ownership.LEASED] * 4, *Ownership]))))
        serial = draw.draw(st.sampled_from(serials))
        home = draw.draw(st.sampled_from(["H1", "H2", "H3"]))
        try:
            self._record(what, serial, home, draw)
        except UsageError:
            return

    def _record(self, what: str, serial: str, home: str, draw: st.DataObject) -> None:
        one = self.kept[serial]
        device = inventory.device(self.connection, serial)
        there = list(inventory.fleet(self.connection, home=home))
        match what:
            case "install":
                self._apply(rules.install(device, home, self.day, there))
                one.place, one.home = "home", home
                one.first = one.first or self.day
                one.cost = one.cost or one.first
            case "move":
                self._apply(rules.move(device, home, self.day, there))
                one.home = home
            case "remove":
                self._apply(rules.remove(device, self.day))
                one.place, one.home = "warehouse", ""
            case "transfer":
                owner = draw.draw(st.sampled_from(Ownership))
                self._apply(rules.transfer(device, self.day, owner))
                one.owner = owner
            case "retire":
                self._apply(rules.retire(device, self.day))
                one.place, one.home = "retired", ""
            case _:
                self._replace(serial, renewal=what == "renew", draw=draw)

    def _replace(self, serial: str, *, renewal: bool, draw: st.DataObject) -> None:
        old = self.kept[serial]
        if old.place != "home":
            return
        family = [DeviceType.TERMINAL_IP, DeviceType.TERMINAL_PSTN]
        kind = draw.draw(st.sampled_from(family)) if old.kind in family else old.kind
        name = self.receive(kind)
        new = self.kept[name]
        before, after = (inventory.device(self.connection, one) for one in (serial, name))
        is_kept = draw.draw(st.booleans())
        changes = rules.substitute(before, after, self.day, renewal=renewal, retire_old=not is_kept)
        self._apply(*changes)
        new.place, new.home, new.first, new.cost = "home", old.home, self.day, self.day
        if not renewal:
            new.days, new.cost = set(old.days), old.cost
            if old.owner is not Ownership.LEASED:
                new.owner = old.owner
        old.place, old.home = ("warehouse" if is_kept else "retired"), ""

    def _apply(self, *changes: Change) -> None:
        inventory_write.apply(self.connection, changes, 0)


def paid(one: Kept) -> Decimal:
    """Return the rent of a device's days, month by month."""
    months = Counter((kind, day.year, day.month) for kind, day in one.days if one.cost and day >= one.cost)
    rent = sum(
        (
            Fraction(PRICES[kind][1]) * Fraction(number, monthrange(year, month)[1])
            for (kind, year, month), number in months.items()
        ),
        Fraction(0),
    )
    return (Decimal(rent.numerator) / Decimal(rent.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def reason(one: Kept, on: date) -> str | None:
    """Return why a device is not bought."""
    if one.owner is not Ownership.LEASED:
        return one.owner.value
    if one.kind is DeviceType.SMOKE and one.first and add_months(one.first, LIFE) <= on:
        return "past_life"
    if one.place == "warehouse":
        return "warehouse"
    return "home_left" if one.home == "H3" and on > LEAVES else None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 60)), min_size=1, max_size=14),
    st.integers(1, 900),
    st.data(),
)
def test_every_device_costs_what_the_book_says(steps: list[tuple[str, int]], ahead: int, draw: st.DataObject) -> None:
    """Replacements take the rent of the devices before them over; renewals do not."""
    connection = registry()
    book = Book(connection)
    for what, days in steps:
        book.step(what, draw)
        book.pass_days(days)
    book.pass_days(ahead)
    on = book.day - timedelta(days=1)
    values = parameters(**{"rent.pilot_free": 0, "life.smoke": LIFE})
    (made,) = purchases(connection, [on], values.on(on))
    found = {one.device.partition(":")[2]: one for one in made.devices}
    expected = {
        name: one
        for name, one in book.kept.items()
        if one.place != "retired" and one.owner is Ownership.LEASED and one.kind in PRICES
    }
    assert set(found) == set(expected)
    for name, one in expected.items():
        assert _told(found[name]) == _of_book(one, on)
    total = made.totals[-1]
    assert total.residual == sum((one.residual for one in made.devices), Decimal(0))
    assert total.devices + sum(total.left_out.values()) == sum(one.place != "retired" for one in book.kept.values())


def _told(one: Residual) -> tuple[object, ...]:
    return one.line, one.price, one.paid, one.residual, one.reason and one.reason.value


def _of_book(one: Kept, on: date) -> tuple[object, ...]:
    line, price = PRICES[one.kind]
    why, rent, cost = reason(one, on), paid(one), Decimal(price) * 60
    return line, cost, rent, Decimal(0) if why else max(cost - rent, Decimal(0)), why
