"""Every home in the service gets its calls, and none gets a call that it must not get."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.agenda import CALENDAR, LONG, figures, home, person
from vetlla.domain.homes import Home, Period, Person, Programme, UserType
from vetlla.service.agenda.month import agenda_month
from vetlla.service.agenda.rhythm import place_of, turns
from vetlla.service.agenda.wanted import FOLLOW_UP, REVALUATION, WantedCalls

if TYPE_CHECKING:
    from vetlla.service.agenda.wanted import WantedCall

FIGURES = figures()
DECEMBER = date(2026, 12, 1)
MONTHS = st.sampled_from([date(2026, month, 1) for month in range(1, 13)] + [date(2028, 2, 1)])
"""With August, Easter, and a 29 February."""
NEAR = st.integers(-45, 45)


def wanted(homes: list[Home], people: list[Person], first: date, *emergencies: str) -> list[WantedCall]:
    month = agenda_month(first, CALENDAR)
    calls = WantedCalls(FIGURES, month, CALENDAR, emergencies).of({one.code: one for one in homes}, people)
    assert all(call.days and not call.days & ~month.all_days for call in calls)
    return calls


@st.composite
def periods(draw: st.DrawFn, first: date) -> tuple[Period, ...]:
    """Return periods around a month, in order and without overlap."""
    edges = sorted(draw(st.sets(NEAR, max_size=4)))
    found = [Period(first + timedelta(days=a), first + timedelta(days=b)) for a, b in pairwise(edges)][::2]
    is_open: bool = draw(st.booleans())
    if found and is_open:
        found[-1] = Period(found[-1].since)
    return tuple(found)


@settings(deadline=None)
@given(st.data(), MONTHS, st.integers(0, 5000), st.integers(1, 3))
def test_a_home_gets_a_follow_up_in_each_part_in_which_it_can_be_called(
    data: st.DataObject, first: date, number: int, level: int
) -> None:
    active = data.draw(st.one_of(st.just(LONG), periods(first)))
    one = home(number, level, active=active, suspended=data.draw(periods(first)))
    carers = [Programme("carers", period) for period in data.draw(periods(first))]
    others = [Programme("mimal", Period(date(2025, 1, 1)))]
    month = agenda_month(first, CALENDAR)
    found = [call for call in wanted([one], [person(number, "A", *carers, *others)], first) if call.kind == FOLLOW_UP]
    due = len(turns(place_of(one.code), FIGURES.follow_ups[level], first.month - 1))
    expected = []
    for part in range(due):
        begin, end = month.part(part, due)
        natural = [begin + timedelta(days=ahead) for ahead in range((end - begin).days + 1)]
        possible = [
            day
            for day in natural
            if one.active_on(day)
            and not any(period.covers(day) for period in one.suspended)
            and not any(programme.period.covers(day) for programme in carers)
        ]
        if days := [day for day in possible if day in month.days]:
            expected.append((begin, possible[-1], days))
    assert [
        (call.first, call.last, [day for place, day in enumerate(month.days) if call.days >> place & 1])
        for call in found
    ] == expected


def test_the_year_of_a_home_has_the_calls_of_its_level() -> None:
    for level, a_year in ((1, 8), (2, 12), (3, 24)):
        for number in range(50):
            one = home(number, level)
            calls = [call for month in range(1, 13) for call in wanted([one], [], date(2026, month, 1))]
            assert len(calls) == a_year


@given(st.integers(0, 5000), st.integers(1, 3), st.integers(1, 3))
def test_a_revaluation_takes_the_place_of_a_follow_up(number: int, level: int, people: int) -> None:
    """Of several people of a home each revaluation takes the place of another one, as long as there is one."""
    living = [person(number, letter) for letter in "ABC"[:people]]
    for month in range(1, 13):
        calls = wanted([home(number, level)], living, date(2026, month, 1))
        revalued = [call.ref for call in calls if call.kind == REVALUATION]
        replaced = [call.replaced_by for call in calls if call.replaced_by]
        due = [call for call in calls if call.kind == FOLLOW_UP]
        assert len(replaced) == min(len(revalued), len(due))
        assert len(set(replaced)) == len(replaced)
        assert set(replaced) <= set(revalued)


def test_the_year_of_the_tenders_mix_has_10_4_calls_for_each_home() -> None:
    """The cost table of the tender (section 5): 55, 40 and 5 % of homes; a revaluation adds no call."""
    levels = [1] * 11 + [2] * 8 + [3]
    homes = [home(n, level) for n, level in enumerate(levels)]
    people = [person(n) for n in range(len(levels))]
    calls = [call for month in range(1, 13) for call in wanted(homes, people, date(2026, month, 1), "H000000")]
    assert sum(not call.replaced_by for call in calls) == 10.4 * len(levels)
    assert sum(call.kind == REVALUATION for call in calls) == sum(call.replaced_by != "" for call in calls) == 30


def test_everyone_is_revalued_in_a_year_also_type_c() -> None:
    for level, times in ((1, 1), (2, 2), (3, 2)):
        for number in range(50):
            one, user = home(number, level), person(number, kind=UserType.C)
            found = [
                month
                for month in range(1, 13)
                for call in wanted([one], [user], date(2026, month, 1))
                if call.kind == REVALUATION
            ]
            assert len(found) == times


def test_an_emergency_makes_the_revaluation_of_level_1_half_yearly() -> None:
    one, user = home(1, 1), person(1)
    calls = [call for month in range(1, 13) for call in wanted([one], [user], date(2026, month, 1), one.code)]
    months = [call.first.month for call in calls if call.kind == REVALUATION]
    assert len(months) == 2
    assert months[1] - months[0] == 6


def revaluation_month(number: int, level: int) -> date:
    """Return the first month of 2026 in which the person of a home is revalued."""
    return next(
        first
        for first in (date(2026, month, 1) for month in range(1, 13))
        if any(call.kind == REVALUATION for call in wanted([home(number, level)], [person(number)], first))
    )


def test_a_revaluation_missed_by_a_suspension_follows_after_it() -> None:
    for number in range(60):
        first = revaluation_month(number, 2)
        if first.month > 4:
            continue
        until = (first + timedelta(days=62)).replace(day=1) + timedelta(days=9)  # the tenth, two months later
        away = home(number, 2, suspended=(Period(first - timedelta(days=3), until),))
        months = [date(2026, month, 1) for month in range(first.month, first.month + 6)]
        found = [
            call
            for month in months
            for call in wanted([away], [person(number)], month)
            if call.kind == REVALUATION and month.month < first.month + 6
        ]
        assert [call.first for call in found] == [until.replace(day=1)]


def test_who_joins_in_a_month_was_valued_on_joining() -> None:
    for number in range(40):
        first = revaluation_month(number, 3)
        joined = home(number, 3, active=(Period(first + timedelta(days=4)),))
        assert all(call.kind == FOLLOW_UP for call in wanted([joined], [person(number)], first))


def test_the_carers_programme_leaves_the_revaluation() -> None:
    carers = Programme("carers", Period(date(2025, 1, 1)))
    number = 7
    first = revaluation_month(number, 2)
    calls = wanted([home(number, 2)], [person(number, "A", carers)], first)
    assert [call.kind for call in calls] == [REVALUATION]
