"""Record what happens to a device: a movement, a substitution, an upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import TERMINALS
from vetlla.service.inventory import movements as rules
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import heard as inventory_heard
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory import write as inventory_write
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.devices import Change, Device, DeviceRecord, Movement, UpkeepKind


class Recorded(NamedTuple):
    """The recorded changes, and terminals whose accounts a person must still register."""

    changes: Sequence[Change]
    unexpected: Sequence[tuple[str, str]]
    """Account and home of each terminal that came into a home for which its account is not registered."""


def add(state_dir: Path, clock: Clock, device: Device, movement: Movement, *, dry_run: bool = False) -> None:
    """Receive a new device into the warehouse. Raises UsageError if the device is already in the inventory."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        inventory_write.add(connection, device, movement, clock.now().utc_us)


def record(
    state_dir: Path, clock: Clock, device: str, rule: Callable[[DeviceRecord], Change], *, dry_run: bool = False
) -> Recorded:
    """Record the movement that a rule makes of a device. Raises UsageError."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        change = rule(inventory.device(connection, device))
        inventory_write.apply(connection, [change], clock.now().utc_us)
    return Recorded([change], [])


def into_home(
    state_dir: Path,
    clock: Clock,
    device: str,
    home: str,
    rule: Callable[[DeviceRecord, list[DeviceRecord]], Change],
    *,
    dry_run: bool = False,
) -> Recorded:
    """Record that a device came into a home; the rule is given the devices that are there. Raises UsageError."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        stored_homes.home(connection, home)
        there = list(inventory.fleet(connection, home=home))
        return _applied(connection, clock, [rule(inventory.device(connection, device), there)])


def substitute(
    state_dir: Path,
    clock: Clock,
    devices: tuple[str, str],
    day: date,
    *,
    renewal: bool = False,
    retire_old: bool = True,
    note: str = "",
    dry_run: bool = False,
) -> Recorded:
    """Put the second of two devices in the place of the first. Raises UsageError."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        leaving, arriving = (inventory.device(connection, device) for device in devices)
        changes = rules.substitute(leaving, arriving, day, renewal=renewal, retire_old=retire_old, note=note)
        return _applied(connection, clock, changes)


def keep_up(
    state_dir: Path, clock: Clock, device: str, kind: UpkeepKind, day: date, *, dry_run: bool = False
) -> Device:
    """Record a change of battery or a maintenance; return the device. Raises UsageError."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        kept = inventory.device(connection, device)
        rules.must_live(kept, "record upkeep of")
        rules.must_be_known(kept, day, "record upkeep of")
        inventory_write.keep_up(connection, kept.id, kind, day, clock.now().utc_us)
    return kept.device


def _applied(connection: sqlite3.Connection, clock: Clock, changes: Sequence[Change]) -> Recorded:
    inventory_write.apply(connection, changes, clock.now().utc_us)
    came = ((change.device.account, change.movement.home) for change in changes if change.device.type in TERMINALS)
    unexpected = [
        (account, home)
        for account, home in came
        if account and home and not inventory_heard.expects(connection, account, home)
    ]
    return Recorded(changes, unexpected)
