"""Chains of replacements whose devices are used again: whose days count."""

from __future__ import annotations

from datetime import date, timedelta

from vetlla.domain.devices import Device, DeviceHistory, DeviceType, Movement, MovementKind, Ownership, Place
from vetlla.service.budget.rented import Chains
from vetlla.service.homes.attended import DaySpan
from vetlla.service.inventory.rent_share import ProRata, RentedDays
from vetlla.service.inventory.stays import RentTerms

A, B, C, AFTER = date(2025, 1, 1), date(2025, 3, 1), date(2025, 6, 1), date(2026, 1, 1)


def at(day: date, kind: MovementKind, place: Place = Place.HOME, other: int | None = None) -> Movement:
    """Return a movement of a leased device."""
    home = "H1" if place is Place.HOME else ""
    return Movement(day=day, kind=kind, place=place, home=home, ownership=Ownership.LEASED, other=other)


TERMS = RentTerms(
    span=DaySpan(A, AFTER - timedelta(days=1)),
    pro_rata=ProRata.DAYS,
    when_suspended=True,
    when_home_left=True,
    in_warehouse=False,
    pilot_lines=frozenset(),
    pilot_free=0,
    homes={},
    attended={},
)


Devices = dict[int, tuple[date, list[Movement]]]


def rented(number: int, devices: Devices, free: tuple[int, ...] = ()) -> tuple[RentedDays, ...]:
    """Return the rented days of a smoke detector; ``devices`` have their cost dates and movements."""
    histories = {one: DeviceHistory(one, DeviceType.SMOKE, f"S{one}", moves) for one, (_, moves) in devices.items()}
    kept = {one: Device(DeviceType.SMOKE, f"S{one}", cost_from=cost) for one, (cost, _) in devices.items()}
    return Chains(histories, kept, TERMS, free).rented(number, AFTER).get("smoke", ())


OLD = [
    at(A, MovementKind.INSTALLED),
    at(B, MovementKind.REPLACED_BY, Place.WAREHOUSE, 2),
    at(C, MovementKind.INSTALLED),
]
"""A device that another one replaced, and that was repaired and used again."""


def test_days_of_the_old_device_after_its_replacement_are_its_own() -> None:
    """The new device was in the warehouse by then, so only the days up to the replacement count for it."""
    new = [at(B, MovementKind.REPLACES, Place.HOME, 1), at(date(2025, 4, 1), MovementKind.REMOVED, Place.WAREHOUSE)]
    assert rented(2, {1: (A, OLD), 2: (A, new)}) == (RentedDays(A, date(2025, 4, 1)),)
    assert rented(1, {1: (A, OLD), 2: (A, new)}) == (RentedDays(A, B), RentedDays(C, AFTER))


def test_a_renewal_and_days_before_the_cost_date_do_not_count() -> None:
    """A renewal has a cost date of its own; a device used before counts from the date that it took over."""
    assert rented(2, {1: (A, OLD), 2: (B, [at(B, MovementKind.REPLACES, Place.HOME, 1)])}) == (RentedDays(B, AFTER),)
    assert rented(1, {1: (B, [at(A, MovementKind.INSTALLED)])}) == (RentedDays(B, AFTER),)


def test_a_free_pilot_of_the_chain_was_not_rented() -> None:
    """The city owns it, so no invoice had its days."""
    devices = {1: (A, OLD[:2]), 2: (A, [at(B, MovementKind.REPLACES, Place.HOME, 1)])}
    assert rented(2, devices) == (RentedDays(A, AFTER),)
    assert rented(2, devices, free=(1,)) == (RentedDays(B, AFTER),)
