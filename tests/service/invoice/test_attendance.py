"""Home-days and programmes equal a count that asks each person on each day of the month."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.service.homes.test_attended import DAYS, NOVEMBER, periods
from vetlla.domain.homes import Home, Period, Person, Programme, ServiceState, UserType
from vetlla.service.invoice.attendance import MonthAttendance

PROGRAMMES = {"home_safety": ("home_safety",), "mimal": ("mimal", "early"), "integrated": ("carers", "loneliness")}
NAMES = ("home_safety", "mimal", "early", "carers", "loneliness", "pilot")
HOMES = ("H1", "H2", "H3")
Spans = list[tuple[Person, date, date]]


@st.composite
def a_home(draw: st.DrawFn, code: str) -> Home:
    active = draw(st.just((Period(date(2020, 1, 1)),)) | periods())
    return Home(code=code, district="01", base="NORD", level=1, alone=True, active=active, suspended=draw(periods()))


@st.composite
def a_person(draw: st.DrawFn, code: str) -> Spans:
    """Draw a person who may move once in the month."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3))
    programmes = tuple(Programme(name, period) for name in names for period in draw(periods()))
    own = [draw(st.just(()) | periods()) for _ in range(2)]

    def at(home: str) -> Person:
        return Person(
            code=code, home=home, user_type=UserType.A, programmes=programmes, active=own[0], suspended=own[1]
        )

    moved = draw(st.none() | st.integers(1, 29))
    if moved is None:
        return [(at(draw(st.sampled_from(HOMES))), NOVEMBER.first, NOVEMBER.last)]
    day = NOVEMBER.first + timedelta(days=moved)
    first, second = draw(st.permutations(HOMES))[:2]
    return [(at(first), NOVEMBER.first, day - timedelta(days=1)), (at(second), day, NOVEMBER.last)]


@given(st.data())
def test_counts_equal_a_count_day_by_day(data: st.DataObject) -> None:
    homes = {code: data.draw(a_home(code)) for code in HOMES}
    people = [data.draw(a_person(f"P{number}")) for number in range(3)]
    attendance = MonthAttendance(NOVEMBER, homes, PROGRAMMES, ["carers"])
    for spans in people:
        for span in spans:
            attendance.add(*span)
    home_days = set()
    of: dict[str, set[str]] = {name: set() for name in PROGRAMMES}
    unpaid, fortnightly = set(), set()
    for day in DAYS:
        for spans in people:
            person = next(one for one, first, last in spans if first <= day <= last)
            if "carers" in person.programmes_on(day):
                fortnightly.add((person.home, day))
            if person.state_on(day, homes[person.home]) is not ServiceState.ACTIVE:
                continue
            home_days.add((person.home, day))
            for name in person.programmes_on(day):
                concept = next((concept for concept, names in PROGRAMMES.items() if name in names), None)
                if concept is None:
                    unpaid.add((name, person.code))
                else:
                    of[concept].add(person.home if concept == "home_safety" else person.code)
    assert attendance.units("essential") == len(home_days)
    for concept, keys in of.items():
        assert set(attendance.days[concept]) == keys
        assert attendance.units(concept) == len(keys)
    assert {(name, code) for name, codes in attendance.unpaid.items() for code in codes} == unpaid
    assert sum(map(int.bit_count, attendance.fortnightly.values())) == len(fortnightly)
    assert attendance.home_of == {spans[-1][0].code: spans[-1][0].home for spans in people}


def test_a_home_without_people_and_a_person_without_a_home_are_said() -> None:
    """Neither is counted, and the invoice says how many there are."""
    always = (Period(date(2020, 1, 1)),)
    homes = {
        code: Home(code=code, district="01", base="NORD", level=1, alone=True, active=always, suspended=resting)
        for code, resting in (("H1", ()), ("H2", always))
    }
    attendance = MonthAttendance(NOVEMBER, homes, PROGRAMMES, [])
    attendance.add(Person(code="P1", home="H9", user_type=UserType.A), NOVEMBER.first, NOVEMBER.last)
    assert (attendance.units("essential"), attendance.without_people()) == (0, 1)
    assert attendance.without_home == {"P1"}
