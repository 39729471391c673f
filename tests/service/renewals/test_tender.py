"""The forecast of a generated fleet of the tender's size matches the tender's table; plans keep their rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

import pytest

from vetlla.domain.devices import DIGITAL, TERMINALS, DeviceType, Place
from vetlla.domain.visits import Rank, Work
from vetlla.service.calendar import working_days
from vetlla.service.inventory.lifetimes import Lives
from vetlla.service.renewals.forecast import forecast, rent
from vetlla.service.renewals.planning import PlanResult, make
from vetlla.service.renewals.visits_needed import wanted
from vetlla.simulator.park import END, START, Park, generate, reading


@pytest.fixture(scope="module")
def tender() -> Park:
    return generate(82_350, 1)


@pytest.fixture(scope="module")
def small() -> Park:
    return generate(4_000, 2)


@pytest.fixture(scope="module")
def made(small: Park) -> PlanResult:
    return make(small.devices, {home.code: home for home in small.homes}, [], reading(), (START, END), growth=False)


def test_the_forecast_is_the_tenders_table(tender: Park) -> None:
    """Renewals, growth and share are as published (section 5); digital terminals differ by at most 50."""
    years = forecast(tender.devices, len(tender.homes), reading(), START, END)
    assert [year.renewals for year in years] == [0, 7_911, 16_523, 1_965]
    assert [year.renewals_gsm for year in years] == [0, 859, 2_576, 540]
    assert [year.growth for year in years] == [975, 1_300, 1_300, 325]
    assert [year.homes for year in years] == [83_325, 84_625, 85_925, 86_250]
    assert [year.share for year in years] == [Decimal(text) for text in ("1.2", "12.0", "25.0", "25.0")]
    for year, published in zip(years, (975, 9_211, 11_260, 80), strict=True):
        assert abs(year.digital - published) <= 50
        assert year.digital + year.analog == year.terminals
    # The rents of 2024 and 2025 contain no rounding of digital terminals, so they are exact to the cent.
    assert [year.cost for year in years][:2] == [Decimal("17849.03"), Decimal("233755.80")]
    assert years[1].devices[DeviceType.GAS] == 913
    assert years[3].devices[DeviceType.CHOICE] == 180


@pytest.mark.parametrize(
    ("price", "opening", "joining", "months", "published"),
    [
        ("3.17", 0, 975, 9, "13908.38"),
        ("3.17", 975, 9_211, 12, "212282.22"),
        ("3.17", 10_186, 11_260, 12, "601640.64"),
        ("3.17", 21_446, 80, 3, "204331.86"),
        ("1.83", 0, 6_563, 12, "72061.74"),
        ("0.58", 142, 343, 12, "2181.96"),
        ("2.50", 33, 297, 12, "5445.00"),
    ],
)
def test_rent_is_computed_as_in_the_tender(price: str, opening: int, joining: int, months: int, published: str) -> None:
    """Devices at the start of the year and half of those that join give the published rent to the cent."""
    assert rent(Decimal(price), opening, joining, months) == Decimal(published)


def test_offered_points_raise_the_target_and_cost_nothing(small: Park) -> None:
    """The first digital terminals are those of the offer, which are installed but not rented."""
    values = reading()
    plain = forecast(small.devices, 82_350, values, START, END)
    offered = [replace(entry, value=8) for entry in values._parameters.all("digital.offered")]
    others = [e for name, entries in values._parameters._by_name.items() if name != "digital.offered" for e in entries]
    more = forecast(small.devices, 82_350, type(values._parameters)([*others, *offered]).on(START), START, END)
    assert sum(year.digital for year in more) >= sum(year.digital for year in plain)
    assert more[0].costs.get("terminal_digital", 0) < plain[0].costs["terminal_digital"]


def test_every_terminal_and_ucr_is_renewed_together_before_its_end_and_not_before_its_lead(
    small: Park, made: PlanResult
) -> None:
    """Every life that ends within the contract is renewed in time; a terminal and its UCRs share a visit."""
    lives, kept_of = Lives(reading()), {kept.id: kept for kept in small.devices}
    day_of = {task.device: visit.day for visit in made.visits for task in visit.tasks if task.work is Work.RENEWAL}
    for kept in small.devices:
        end = lives.end(kept)
        if kept.standing.place is Place.HOME and end is not None and end <= END:
            assert day_of[kept.id] < end, kept
    for visit in made.visits:
        renewals = [kept_of[task.device] for task in visit.tasks if task.work is Work.RENEWAL]
        assert not visit.why.overdue
        assert visit.why.earliest <= visit.day <= visit.why.latest
        if any(kept.device.type in TERMINALS for kept in renewals):
            pendants = [
                kept
                for kept in small.devices
                if kept.standing.home == visit.home and kept.device.type is DeviceType.UCR
            ]
            assert {kept.id for kept in pendants} <= {kept.id for kept in renewals}
    days = set(working_days(START, END, reading().dates("holidays.local")))
    assert {visit.day for visit in made.visits} <= days


def test_the_peak_of_the_park_meets_the_bound_over_every_window(small: Park, made: PlanResult) -> None:
    """For each base the bound is the largest quotient, over all windows, of the work in a window and its days."""
    values = reading()
    days = working_days(START, END, values.dates("holidays.local"))
    wishes = wanted(small.devices, {home.code: home for home in small.homes}, days, END, values)
    for figures in made.bases:
        # A visit counts in every window that contains its own; sum over the first days, from the last to the first.
        by_first: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for wish in wishes:
            if wish.base == figures.base:
                by_first[wish.first].append((wish.last, wish.minutes))
        ending, best = [0] * len(days), Fraction(0)
        for first in range(len(days) - 1, -1, -1):
            for last, minutes in by_first[first]:
                ending[last] += minutes
            for length, inside in enumerate(accumulate(ending[first:]), start=1):
                if inside * best.denominator > best.numerator * length:
                    best = Fraction(inside, length)
        load: Counter[date] = Counter()
        for visit in made.visits:
            load[visit.day] += visit.minutes * (visit.base == figures.base)
        peak = max(load.values())
        assert figures.peak == peak
        assert max(best, figures.longest) == figures.bound
        assert figures.bound <= peak < figures.bound + figures.longest


def test_homes_that_must_be_digital_come_first_and_get_a_digital_terminal(made: PlanResult) -> None:
    """Homes of level 3 are visited earlier on average than homes without priority, and get GSM-IP terminals."""
    ordinals: defaultdict[Rank, list[int]] = defaultdict(list)
    for visit in made.visits:
        if visit.digital is not None:
            ordinals[visit.why.rank].append(visit.day.toordinal())
        assert visit.why.rank is not Rank.LEVEL_3 or visit.digital in (True, None)
    assert all(ordinals.values())

    def mean(rank: Rank) -> Fraction:
        return Fraction(sum(ordinals[rank]), len(ordinals[rank]))

    assert mean(Rank.LEVEL_3) < mean(Rank.NONE)
    assert mean(Rank.LEVEL_2_ALONE) < mean(Rank.NONE)


def test_planning_again_keeps_agreed_visits_and_the_same_input_gives_the_same_plan(
    small: Park, made: PlanResult
) -> None:
    """An agreed visit keeps its day, minutes and number; its devices are planned once. Plans are deterministic."""
    homes = {home.code: home for home in small.homes}
    agreed = [
        replace(visit, agreed=True, number=place) for place, visit in enumerate(made.visits[::7], start=1) if visit.home
    ]
    again = make(small.devices, homes, agreed, reading(), (START, END), growth=False)
    kept = {visit.number: visit for visit in again.visits if visit.agreed}
    assert {number: (visit.home, visit.day, visit.minutes) for number, visit in kept.items()} == {
        visit.number: (visit.home, visit.day, visit.minutes) for visit in agreed
    }
    tasks = Counter((task.work, task.device) for visit in again.visits for task in visit.tasks)
    assert max(tasks.values()) == 1
    assert make(small.devices, homes, [], reading(), (START, END), growth=False).visits == made.visits


def test_planning_from_a_later_day_keeps_visits_agreed_before_it(small: Park, made: PlanResult) -> None:
    """Users wait for an agreed visit whatever span is planned next; only after its day are its devices free."""
    homes = {home.code: home for home in small.homes}
    agreed = [replace(visit, agreed=True, number=1) for visit in made.visits[:1]]
    later = date(2024, 9, 1)
    kept = make(small.devices, homes, agreed, reading(), (later, END), today=START, growth=False).visits
    assert [visit.day for visit in kept if visit.agreed] == [agreed[0].day]
    assert agreed[0].day < later
    again = make(small.devices, homes, agreed, reading(), (later, END), today=later, growth=False).visits
    assert not any(visit.agreed for visit in again)
    assert any(visit.home == agreed[0].home for visit in again)


def test_a_home_that_leaves_is_visited_while_it_is_there_or_not_at_all(small: Park, made: PlanResult) -> None:
    """A life that ends before the last day of the home is renewed by that day; other devices are recovered."""
    leaves = date(2025, 6, 30)
    homes = {
        home.code: replace(home, active=tuple(period._replace(until=leaves) for period in home.active))
        for home in small.homes
    }
    visits = make(small.devices, homes, [], reading(), (START, END), growth=False).visits
    assert max(visit.day for visit in visits) <= leaves
    soon = {visit.home for visit in made.visits if visit.why.latest <= leaves}
    later = {visit.home for visit in made.visits} - {v.home for v in made.visits if v.why.earliest <= leaves}
    visited = {visit.home for visit in visits}
    assert soon <= visited
    assert later
    assert not later & visited


def test_too_little_capacity_names_the_base_the_shortage_and_the_least_that_is_enough(small: Park) -> None:
    """The error gives the figures of the shortage, and a plan exists for the least capacity that it names."""
    homes = {home.code: home for home in small.homes}
    values = reading()
    store = values._parameters
    entries = [e for name, found in store._by_name.items() if name != "capacity.default" for e in found]
    (default,) = store.all("capacity.default")
    low = type(store)([*entries, replace(default, value=10)]).on(START)
    short = make(small.devices, homes, [], low, (START, END), growth=False).shortages
    assert {one.base for one in short} == {home.base for home in small.homes}
    for one in short:
        assert one.minutes_short == one.minutes_needed - 10 * one.days > 0
        assert one.tasks
        assert one.homes
    enough = [replace(default, name=f"capacity.{one.base}", value=one.least_capacity) for one in short]
    does = type(store)([*entries, default, *enough]).on(START)
    assert make(small.devices, homes, [], does, (START, END), growth=False).shortages == []


def test_the_park_has_the_tenders_proportions(tender: Park) -> None:
    """Support levels are 55/40/5 %, a home has 1.2 users with a UCR, and no home has a digital terminal yet."""
    levels = Counter(home.level for home in tender.homes)
    assert [round(100 * levels[level] / len(tender.homes)) for level in (1, 2, 3)] == [55, 40, 5]
    pendants = sum(kept.device.type is DeviceType.UCR and kept.standing.place is Place.HOME for kept in tender.devices)
    assert round(Decimal(pendants) / len(tender.homes), 2) == Decimal("1.20")
    assert not [kept for kept in tender.devices if kept.device.type is DIGITAL and kept.standing.place is Place.HOME]
