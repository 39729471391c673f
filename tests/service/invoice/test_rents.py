"""Rented devices equal a count that asks each device on each day of the month."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.homes.test_attended import DAYS, NOVEMBER, bits
from vetlla.domain.devices import DeviceHistory, DeviceType, Movement, MovementKind, Ownership, Place
from vetlla.domain.homes import Home, Period
from vetlla.service.inventory.pilots import free_pilots
from vetlla.service.inventory.rent_share import ProRata
from vetlla.service.inventory.stays import RentReason, RentTerms
from vetlla.service.invoice.rents import (
    device_month,
    positions,
    rent_units,
    without_pilots,
)

HOMES = {
    "H1": (Period(date(2020, 1, 1)),),
    "H2": (Period(date(2026, 11, 10), date(2026, 11, 20)),),
    "H3": (Period(date(2020, 1, 1), date(2026, 10, 31)),),
}
ATTENDED = {"H1": bits([day.day not in range(5, 9) for day in DAYS]), "H2": bits([10 <= day.day <= 20 for day in DAYS])}


def terms(**changes: Any) -> RentTerms:  # noqa: ANN401 - fields of RentTerms
    """Return terms of which some differ from the installed ones."""
    homes = {
        code: Home(code=code, district="01", base="NORD", level=1, alone=True, active=active)
        for code, active in HOMES.items()
    }
    plain = RentTerms(NOVEMBER, ProRata.DAYS, True, False, False, frozenset(), 0, homes, ATTENDED)  # noqa: FBT003
    return plain._replace(**changes)


def move(
    day: int,
    home: str = "H1",
    *,
    kind: MovementKind = MovementKind.INSTALLED,
    other: int | None = None,
    **more: Any,  # noqa: ANN401
) -> Movement:
    """Return a movement on a day of November; 0 and less are days before it. Without a home: to the warehouse."""
    place = Place.HOME if home else Place.WAREHOUSE
    given = {"place": place, "ownership": Ownership.LEASED, **more}
    return Movement(day=date(2026, 10, 31) + timedelta(days=day), kind=kind, home=home, other=other, **given)


def device(number: int, *moves: Movement, kind: DeviceType = DeviceType.SMOKE) -> DeviceHistory:
    return DeviceHistory(number, kind, f"S{number}", moves)


@st.composite
def histories(draw: st.DrawFn) -> DeviceHistory:
    days = sorted(draw(st.lists(st.integers(-10, 35), min_size=1, max_size=5)))
    moves = []
    for day in days:
        place = draw(st.sampled_from((Place.HOME, Place.HOME, Place.WAREHOUSE, Place.RETIRED)))
        home = draw(st.sampled_from(("H1", "H2", "H3", "H9"))) if place is Place.HOME else ""
        owner = draw(st.sampled_from((Ownership.LEASED, Ownership.LEASED, Ownership.MUNICIPAL, Ownership.OFFERED)))
        moves.append(move(day, home, place=place, ownership=owner))
    return device(1, *moves)


@given(histories(), st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_rented_days_equal_a_count_day_by_day(history: DeviceHistory, answers: tuple[bool, bool, bool]) -> None:
    suspended, left, warehouse = answers
    given_terms = terms(when_suspended=suspended, when_home_left=left, in_warehouse=warehouse)

    def is_rented(day: date) -> bool:
        past = [one for one in history.movements if one.day <= day]
        if not past or past[-1].ownership is not Ownership.LEASED:
            return False
        last = past[-1]
        if last.place is Place.WAREHOUSE:
            return warehouse and any(one.place is Place.HOME for one in past)
        if last.place is not Place.HOME:
            return False
        served = any(period.covers(day) for period in HOMES.get(last.home, ()))
        attended = bool(ATTENDED.get(last.home, 0) >> (day.day - 1) & 1)
        return (served or left) and (suspended or attended or not served)

    found = device_month(history, given_terms)
    assert found.days == bits([is_rented(day) for day in DAYS])
    assert (found.reason is RentReason.RENTED) == (found.days != 0)
    assert not any(found.days & days for days in found.others.values())


PAIR = (
    device(7, move(-30), move(11, "", kind=MovementKind.REPLACED_BY, other=5)),
    device(5, move(-40, ""), move(11, kind=MovementKind.REPLACES, other=7)),
)
LATE = device(8, move(21))
GONE = device(9, move(-30), move(16, "", kind=MovementKind.REMOVED))
WHOLE = device(3, move(-30))


@pytest.mark.parametrize(
    ("pro_rata", "units"),
    [(ProRata.DAYS, "2.83333333"), (ProRata.WHOLE_MONTH, "4"), (ProRata.NONE, "2")],
)
def test_pro_rata_of_a_replacement_an_installation_and_a_removal(pro_rata: ProRata, units: str) -> None:
    """The replaced device and the new one are one position: it is paid once, and in each case for the whole month."""
    found = [device_month(one, terms()) for one in (*PAIR, LATE, GONE, WHOLE)]
    assert [one.days.bit_count() for one in found] == [10, 20, 10, 15, 30]
    made = positions(found, NOVEMBER)
    assert len(made) == 4
    assert rent_units(made, NOVEMBER.length, pro_rata) == Decimal(units)


def test_a_replaced_device_that_goes_to_another_home_is_a_position_of_its_own() -> None:
    old = device(7, move(-30), move(11, "", other=5), move(12, "H1"))
    found = [device_month(one, terms()) for one in (old, PAIR[1])]
    assert rent_units(positions(found, NOVEMBER), NOVEMBER.length, ProRata.WHOLE_MONTH) == 2


REPAIRED = (
    device(
        7,
        move(-30),
        move(5, "", kind=MovementKind.REPLACED_BY, other=5),
        move(20, "H1", kind=MovementKind.REPLACES, other=9),
    ),
    device(5, move(-40, ""), move(5, kind=MovementKind.REPLACES, other=7)),
    device(9, move(-30), move(20, "", kind=MovementKind.REPLACED_BY, other=7)),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("pro_rata", [ProRata.DAYS, ProRata.WHOLE_MONTH, ProRata.NONE])
def test_a_device_that_was_repaired_and_replaces_a_third_one_is_paid_once_in_each_place(
    pro_rata: ProRata, order: tuple[int, ...]
) -> None:
    found = [device_month(REPAIRED[place], terms()) for place in order]
    made = positions(found, NOVEMBER)
    assert sorted([device.device.number for device in one.devices] for one in made) == [[7, 5], [9, 7]]
    assert rent_units(made, NOVEMBER.length, pro_rata) == 2


def test_what_a_replaced_device_does_later_does_not_part_it_from_its_successor() -> None:
    """The old device replaces one that is not rented and is the city's from then on."""
    city = Ownership.MUNICIPAL
    old = device(
        7, move(-30), move(11, "", other=5), move(20, "H1", kind=MovementKind.REPLACES, other=9, ownership=city)
    )
    third = device(9, move(-30, ownership=city), move(20, "", other=7, ownership=city))
    found = [device_month(one, terms()) for one in (old, PAIR[1], third)]
    assert rent_units(positions(found, NOVEMBER), NOVEMBER.length, ProRata.WHOLE_MONTH) == 1
    assert rent_units(positions(found, NOVEMBER), NOVEMBER.length, ProRata.NONE) == 1


def test_there_are_never_more_positions_than_rented_devices() -> None:
    """Two devices were rented in three homes, because the old one takes the position that the new one had before."""
    new = device(5, move(-30), move(4, ""), move(5, kind=MovementKind.REPLACES, other=7))
    old = device(7, move(-30), move(5, "", kind=MovementKind.REPLACED_BY, other=5), move(8))
    found = [device_month(one, terms()) for one in (old, new)]
    assert sorted(one.days.bit_count() for one in positions(found, NOVEMBER)) == [26, 30]


@pytest.mark.parametrize("owner", [Ownership.OFFERED, Ownership.LEASED])
def test_a_replacement_that_is_not_rented_gives_the_old_device_no_second_position(owner: Ownership) -> None:
    new = device(5, move(-40, ""), move(5, "H3", kind=MovementKind.REPLACES, other=7, ownership=owner))
    old = device(7, move(-30), move(5, "", kind=MovementKind.REPLACED_BY, other=5), move(8))
    found = [device_month(one, terms()) for one in (old, new)]
    assert [one.days.bit_count() for one in positions(found, NOVEMBER)] == [27]


def test_a_device_that_comes_back_on_the_day_of_its_replacement_keeps_its_position() -> None:
    old = device(7, move(-30), move(11, "", other=5), move(11, kind=MovementKind.REPLACES, other=5))
    new = device(5, move(-40, ""), move(11, kind=MovementKind.REPLACES, other=7), move(11, "", other=7))
    found = [device_month(one, terms()) for one in (new, old)]
    assert [one.days.bit_count() for one in positions(found, NOVEMBER)] == [30]


def test_two_replacements_of_one_day_stay_one_position() -> None:
    between = device(6, move(11, kind=MovementKind.REPLACES, other=7), move(11, "", other=8))
    last = device(8, move(11, kind=MovementKind.REPLACES, other=6))
    old = device(7, move(-30), move(11, "", other=6))
    found = [device_month(one, terms()) for one in (old, between, last)]
    assert rent_units(positions(found, NOVEMBER), NOVEMBER.length, ProRata.WHOLE_MONTH) == 1


def test_the_first_devices_of_a_pilot_are_not_rented() -> None:
    """They are counted by their installation, in whatever order they were registered; a replacement is no new one."""
    watch = DeviceType.SMARTWATCH
    some = [
        device(1, move(-5), kind=watch),
        device(2, move(-9), kind=watch),
        device(3, move(-5), kind=watch),
        device(4, move(-30, ""), kind=watch),
        device(5, move(-4, kind=MovementKind.REPLACES, other=2), kind=watch),
        device(6, move(-9)),
    ]
    with_pilot = terms(pilot_lines={"smartwatch"}, pilot_free=2)
    free = free_pilots(some, with_pilot.pilot_lines, with_pilot.pilot_free)
    assert free == {1, 2, 5}
    found = list(without_pilots((device_month(one, with_pilot) for one in some), free))
    assert [one.reason for one in found] == [
        RentReason.PILOT, RentReason.PILOT, RentReason.RENTED, None, RentReason.PILOT, RentReason.RENTED,
    ]  # fmt: skip
    assert not any(one.days for one in found if one.reason is RentReason.PILOT)


def test_21_a_position_belongs_to_the_homes_in_which_it_was_rented() -> None:
    """A detector goes from one home to another, and is rented in both; one in a home that left is rented in one."""
    moved = device(1, move(-30), move(10, "H2"))
    of_one = device(2, move(-30, "H3"), move(5, "H1"), move(9, "H3"))
    paid_after = device(3, move(-30), move(10, ""))
    found = [device_month(one, terms(in_warehouse=True)) for one in (moved, of_one, paid_after)]
    made = {one.devices[0].device.number: one.homes for one in positions(found, NOVEMBER)}
    assert made == {1: ("H1", "H2"), 2: ("H1",), 3: ("H1",)}


def test_12_units_are_parts_of_the_whole_month_in_a_contract_of_some_days() -> None:
    """The contract starts on the 16th: a device that was there before has half a month."""
    last_half = NOVEMBER._replace(first=date(2026, 11, 16))
    found = [device_month(WHOLE, terms(span=last_half))]
    made = positions(found, last_half)
    assert [rent_units(made, NOVEMBER.length, one) for one in ProRata] == [Decimal("0.5"), 1, 0]
