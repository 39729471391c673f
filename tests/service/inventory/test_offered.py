"""What was offered at no cost stays offered, and only homes that are in the service count (tender, 13.2.c)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from vetlla.domain.devices import Device, DeviceRecord, DeviceType, Ownership, Place, Standing
from vetlla.domain.homes import Home, Period
from vetlla.service.inventory import movements
from vetlla.service.inventory.digital import digital_share
from vetlla.service.inventory.in_service import in_service
from vetlla.service.inventory.report import report
from vetlla.service.renewals.forecast import forecast
from vetlla.simulator.park import reading

DAY = date(2025, 6, 1)
END = date(2025, 12, 31)
INSTALLED = date(2025, 1, 10)
HOMES = {
    home.code: home
    for home in (
        Home(code="ACTIVE", district="01", base="NORD", level=1, alone=True, active=(Period(INSTALLED),)),
        Home(
            code="SUSPENDED", district="01", base="NORD", level=1, alone=True,
            active=(Period(INSTALLED),), suspended=(Period(date(2025, 5, 1)),),
        ),
        Home(
            code="LEFT", district="01", base="NORD", level=1, alone=True,
            active=(Period(INSTALLED, date(2025, 5, 31)),),
        ),
        Home(code="LATER", district="01", base="NORD", level=1, alone=True, active=(Period(date(2025, 6, 2)),)),
    )
}  # fmt: skip


def kept(
    number: int, home: str, ownership: Ownership = Ownership.OFFERED, kind: DeviceType = DeviceType.TERMINAL_IP
) -> DeviceRecord:
    """Return a device in a home, or in the warehouse if the home is empty."""
    standing = Standing(Place.HOME if home else Place.WAREHOUSE, home, ownership, INSTALLED)
    device = Device(type=kind, serial=f"S{number}", first_installed=INSTALLED if home else None)
    return DeviceRecord(number, device, standing)


@pytest.mark.parametrize(
    ("old", "new", "becomes"),
    [
        (Ownership.OFFERED, Ownership.LEASED, Ownership.OFFERED),
        (Ownership.OFFERED, Ownership.MUNICIPAL, Ownership.OFFERED),
        (Ownership.OFFERED, Ownership.OFFERED, Ownership.OFFERED),
        (Ownership.MUNICIPAL, Ownership.LEASED, Ownership.MUNICIPAL),
        (Ownership.MUNICIPAL, Ownership.OFFERED, Ownership.OFFERED),
        (Ownership.LEASED, Ownership.OFFERED, Ownership.OFFERED),
        (Ownership.LEASED, Ownership.MUNICIPAL, Ownership.MUNICIPAL),
        (Ownership.LEASED, Ownership.LEASED, Ownership.LEASED),
    ],
)
@pytest.mark.parametrize("kind", [DeviceType.TERMINAL_IP, DeviceType.UCR])
def test_a_replacement_within_a_life_keeps_the_word_offered(
    old: Ownership, new: Ownership, becomes: Ownership, kind: DeviceType
) -> None:
    """Terminals and UCRs alike; a renewal keeps the new device's owner, and a move changes no owner."""
    leaving, arriving = kept(1, "ACTIVE", old, kind), kept(2, "", new, kind)
    _, arrived = movements.substitute(leaving, arriving, DAY, renewal=False, retire_old=True)
    assert arrived.movement.ownership is becomes
    _, renewed = movements.substitute(leaving, arriving, DAY, renewal=True, retire_old=True)
    assert renewed.movement.ownership is new
    assert movements.move(leaving, "LATER", DAY, []).movement.ownership is old


def test_only_homes_in_the_service_count() -> None:
    """Active and suspended homes are the park; one that left or is still to join is not."""
    fleet = [kept(number, home) for number, home in enumerate([*HOMES, ""], start=1)]
    assert [one.standing.home for one in in_service(fleet, HOMES, DAY)] == ["ACTIVE", "SUSPENDED"]
    share = digital_share(fleet, HOMES, reading(DAY))
    assert (share.terminals, share.digital, share.offered) == (2, 2, 2)
    made = report(fleet, DAY, {}, HOMES)
    assert (len(made.rows), made.terminals_at_no_cost) == (5, 2)


def test_terminals_that_were_offered_already_are_not_offered_again() -> None:
    """A forecast that begins within the contract counts those in homes, and the next ones are rented."""
    known = reading(DAY)._parameters
    entries = [one for name, some in known._by_name.items() if name != "digital.offered" for one in some]
    values = type(known)([*entries, *(replace(one, value=8) for one in known.all("digital.offered"))]).on(DAY)
    offered = [kept(number, "ACTIVE") for number in range(1, 101)]
    leased = [kept(number, "ACTIVE", Ownership.MUNICIPAL) for number in range(1, 101)]
    (after,), (before,) = (forecast(fleet, 100, values, DAY, END) for fleet in (offered, leased))
    assert (after.digital, after.held_digital) == (before.digital, before.held_digital)
    assert after.costs["terminal_digital"] > before.costs.get("terminal_digital", 0)
