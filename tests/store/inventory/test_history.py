"""The inventory's history shows any past day, and is never rewritten."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.registered_people import put
from vetlla.domain.clock import ManualClock
from vetlla.domain.devices import Device, DeviceRecord, DeviceType, Ownership, UpkeepKind
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import Home, Period
from vetlla.service.inventory import movements as rules
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory import write as inventory_write
from vetlla.store.sqlite.migrate import migrate

START = date(2024, 4, 1)
HOMES = ("H1", "H2", "H3")
STEPS = ("receive", "install", "move", "remove", "repair", "retire", "replace", "renew", "transfer", "battery", "check")


def registry() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection, "registry", ":memory:", ManualClock())
    for code in HOMES:
        put(
            connection,
            Home(code=code, district="01", base="NORD", level=1, alone=True, active=(Period(START),)),
        )
    return connection


def step(connection: sqlite3.Connection, what: str, day: date, draw: st.DataObject) -> None:
    """Try a movement; ignore it if the rules refuse it."""
    fleet = list(inventory.fleet(connection, retired=True))
    if what == "receive" or not fleet:
        kind = draw.draw(st.sampled_from([DeviceType.TERMINAL_IP, DeviceType.UCR, DeviceType.SMOKE]))
        device = Device(type=kind, serial=f"S{len(fleet)}")
        inventory_write.add(connection, device, rules.receive(day, Ownership.LEASED), 0)
        return
    kept, other = draw.draw(st.sampled_from(fleet)), draw.draw(st.sampled_from(fleet))
    home = draw.draw(st.sampled_from(HOMES))
    there = list(inventory.fleet(connection, home=home))
    try:
        match what:
            case "install":
                changes = [rules.install(kept, home, day, there)]
            case "move":
                changes = [rules.move(kept, home, day, there)]
            case "remove":
                changes = [rules.remove(kept, day)]
            case "repair":
                changes = [rules.repair(kept, day)]
            case "retire":
                changes = [rules.retire(kept, day)]
            case "replace" | "renew":
                changes = rules.substitute(kept, other, day, renewal=what == "renew", retire_old=True)
            case "transfer":
                changes = [rules.transfer(kept, day, Ownership.MUNICIPAL)]
            case _:
                work = UpkeepKind.BATTERY if what == "battery" else UpkeepKind.MAINTENANCE
                inventory_write.keep_up(connection, kept.id, work, day, 0)
                return
    except UsageError:
        return
    inventory_write.apply(connection, changes, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2)), max_size=40), st.data())
def test_a_past_day_rebuilt_from_the_history_is_what_a_snapshot_of_that_day_showed(
    steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    """The fleet of each day can be found again later, whatever happens to the devices."""
    with closing(registry()) as connection:
        snapshots: dict[date, list[DeviceRecord]] = {}
        day = START
        for what, later in steps:
            if later:
                snapshots[day] = list(inventory.fleet(connection, retired=True))
                day += timedelta(days=later)
            step(connection, what, day, data)
        snapshots[day] = list(inventory.fleet(connection, retired=True))
        for past, snapshot in snapshots.items():
            rebuilt = list(inventory.fleet(connection, past, retired=True))
            assert rebuilt == snapshot


def test_a_replacement_inherits_the_cost_date_and_a_renewal_does_not() -> None:
    """Tender, section 5: the cost counts from the first device's installation, after any number of replacements."""
    with closing(registry()) as connection:
        for serial in ("A", "B", "C", "D"):
            device = Device(type=DeviceType.SMOKE, serial=serial)
            inventory_write.add(connection, device, rules.receive(START, Ownership.LEASED), 0)

        def one(serial: str) -> DeviceRecord:
            return inventory.device(connection, f"smoke:{serial}")

        inventory_write.apply(connection, [rules.install(one("A"), "H1", START, [])], 0)
        for old, new, months in (("A", "B", 3), ("B", "C", 6)):
            day = START + timedelta(days=30 * months)
            changes = rules.substitute(one(old), one(new), day, renewal=False, retire_old=True)
            inventory_write.apply(connection, changes, 0)
        assert one("C").device.cost_from == START
        assert one("C").device.first_installed == START + timedelta(days=180)
        day = START + timedelta(days=3650)
        inventory_write.apply(connection, rules.substitute(one("C"), one("D"), day, renewal=True, retire_old=True), 0)
        assert one("D").device.cost_from == day
        assert [movement.other for movement in inventory.history(connection, one("C").id)] == [None, 2, 4]


def test_municipal_equipment_is_replaced_by_municipal_equipment() -> None:
    """Tender, section 5: a device that replaces municipal equipment within its life is municipal at once."""
    with closing(registry()) as connection:
        for serial, owner in (("A", Ownership.MUNICIPAL), ("B", Ownership.LEASED)):
            device = Device(type=DeviceType.UCR, serial=serial)
            inventory_write.add(connection, device, rules.receive(START, owner), 0)
        old, new = inventory.device(connection, "ucr:A"), inventory.device(connection, "ucr:B")
        inventory_write.apply(connection, [rules.install(old, "H1", START, [])], 0)
        old = inventory.device(connection, "ucr:A")
        changes = rules.substitute(old, new, START, renewal=False, retire_old=False)
        inventory_write.apply(connection, changes, 0)
        assert inventory.device(connection, "ucr:B").standing.ownership is Ownership.MUNICIPAL


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE movements SET home = 'H9'",
        "DELETE FROM movements",
        "UPDATE upkeep SET day = '2000-01-01'",
        "DELETE FROM upkeep",
    ],
)
def test_the_history_cannot_be_rewritten(sql: str) -> None:
    """A person who opens the file with SQL cannot change or delete a movement or an upkeep either."""
    with closing(registry()) as connection:
        number = inventory_write.add(
            connection, Device(type=DeviceType.UCR, serial="A"), rules.receive(START, Ownership.LEASED), 0
        )
        inventory_write.keep_up(connection, number, UpkeepKind.BATTERY, START, 0)
        with pytest.raises(sqlite3.IntegrityError, match="history of a device is never"):
            connection.execute(sql)


def test_a_second_terminal_in_a_home_is_refused_with_a_remedy() -> None:
    """A home has one terminal. The error names the command that replaces it."""
    with closing(registry()) as connection:
        for serial in ("A", "B"):
            device = Device(type=DeviceType.TERMINAL_IP, serial=serial)
            inventory_write.add(connection, device, rules.receive(START, Ownership.LEASED), 0)
        inventory_write.apply(connection, [rules.install(inventory.device(connection, "A"), "H1", START, [])], 0)
        there = list(inventory.fleet(connection, home="H1"))
        with pytest.raises(UsageError, match="vetlla inventory replace terminal_ip:A terminal_ip:B"):
            rules.install(inventory.device(connection, "B"), "H1", START, there)


def test_a_movement_before_the_last_one_is_refused() -> None:
    """A history grows only at its end."""
    with closing(registry()) as connection:
        device = Device(type=DeviceType.SMOKE, serial="A")
        inventory_write.add(connection, device, rules.receive(START, Ownership.LEASED), 0)
        with pytest.raises(UsageError, match="last moved on 2024-04-01"):
            rules.install(inventory.device(connection, "A"), "H1", START - timedelta(days=1), [])
