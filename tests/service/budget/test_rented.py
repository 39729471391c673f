"""Chains of replacements whose devices are used again: whose days count."""

from __future__ import annotations

from datetime import date

from vetlla.domain.devices import Device, DeviceHistory, DeviceType, Movement, MovementKind, Ownership, Place
from vetlla.service.budget.rented import Chains, RentRules
from vetlla.service.inventory.rent_share import RentedDays

A, B, C, AFTER = date(2025, 1, 1), date(2025, 3, 1), date(2025, 6, 1), date(2026, 1, 1)


def at(day: date, kind: MovementKind, place: Place = Place.HOME, other: int | None = None) -> Movement:
    """Return a movement of a leased device."""
    home = "H1" if place is Place.HOME else ""
    return Movement(day=day, kind=kind, place=place, home=home, ownership=Ownership.LEASED, other=other)


def rented(number: int, devices: dict[int, tuple[date, list[Movement]]]) -> tuple[RentedDays, ...]:
    """Return the rented days of a smoke detector; ``devices`` have their cost dates and movements."""
    histories = {one: DeviceHistory(one, DeviceType.SMOKE, f"S{one}", moves) for one, (_, moves) in devices.items()}
    kept = {one: Device(DeviceType.SMOKE, f"S{one}", cost_from=cost) for one, (cost, _) in devices.items()}
    chains = Chains(histories, kept, {}, RentRules(when_home_left=True, in_warehouse=False))
    return chains.rented(number, AFTER).get("smoke", ())


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
