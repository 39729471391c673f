"""Calls get a day and a time of day: evenly, apart from each other, and within the hours of the operators."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.agenda import CALENDAR, RULES, figures, home, person
from vetlla.domain.errors import ConfigError
from vetlla.domain.homes import Period
from vetlla.service.agenda.evenness import WITHIN
from vetlla.service.agenda.figures import HourCell, agenda_figures
from vetlla.service.agenda.moments import local_time, moments
from vetlla.service.agenda.month import agenda_month
from vetlla.service.agenda.wanted import WantedCalls
from vetlla.service.parameters import Parameters

if TYPE_CHECKING:
    from vetlla.service.agenda.figures import AgendaFigures
    from vetlla.service.agenda.wanted import WantedCall

FIGURES = figures()
MONTHS = [date(2026, 8, 1), date(2026, 4, 1), date(2028, 2, 1), date(2026, 3, 1), date(2026, 10, 1), date(2026, 12, 1)]
"""August, Easter, 29 February, both changes of the clock, and many holidays."""


def planned(
    first: date, number: int = 3000, figures: AgendaFigures = FIGURES, begin: date | None = None
) -> tuple[list[WantedCall], list[datetime]]:
    """Plan a month of homes of which 5 % are at level 3 and 8 % are away for a part of it; return calls and times."""
    month = agenda_month(first, CALENDAR)
    homes, people = {}, []
    for place in range(number):
        level = 3 if place % 20 == 0 else 2 if place % 20 < 9 else 1
        away = (Period(first.replace(day=1 + place % 25), first.replace(day=1 + place % 25 + place % 4)),)
        one = home(place, level, suspended=away if place % 12 == 0 else ())
        homes[one.code] = one
        people.append(person(place))
    calls = WantedCalls(figures, month, CALENDAR, ()).of(homes, people)
    made = [call for call in calls if not call.replaced_by]
    if begin:
        ahead = month.between(begin, month.last)
        made = [call._replace(days=call.days & ahead) for call in made if call.days & ahead]
    found = moments(made, month, figures, CALENDAR, first=begin or first, held_us=())
    return made, [local_time(moment, CALENDAR) for moment in found]


@pytest.mark.parametrize("first", MONTHS)
def test_days_and_hours_differ_by_at_most_one_call(first: date) -> None:
    month = agenda_month(first, CALENDAR)
    _, times = planned(first)
    on_day = Counter(at.date() for at in times)
    assert set(on_day) == set(month.days)
    assert max(on_day.values()) - min(on_day.values()) <= WITHIN
    in_hour = Counter((at.date(), at.hour) for at in times)
    for day in month.days:
        whole = [in_hour[day, hour] for hour in (9, 10, 11, 12, 16, 17, 18)]
        assert max(whole) - min(whole) <= WITHIN
        assert abs(in_hour[day, 13] - on_day[day] / 15) < WITHIN  # half an hour of seven and a half


@pytest.mark.parametrize("first", MONTHS)
def test_calls_lie_on_days_of_their_home_and_in_the_hours(first: date) -> None:
    month = agenda_month(first, CALENDAR)
    calls, times = planned(first)
    for call, at in zip(calls, times, strict=True):
        assert call.days >> month.days.index(at.date()) & 1
        assert any(cell.begin <= at.hour * 60 + at.minute < cell.end for cell in FIGURES.hours[at.weekday()])


@pytest.mark.parametrize("first", MONTHS)
def test_calls_to_a_home_are_apart(first: date) -> None:
    calls, times = planned(first)
    of_home: defaultdict[str, list[date]] = defaultdict(list)
    for call, at in zip(calls, times, strict=True):
        of_home[call.home].append(at.date())
    pairs = [days for days in of_home.values() if len(days) > 1]
    assert len(pairs) > 100
    for days in pairs:
        assert abs((days[1] - days[0]).days) >= FIGURES.spacing


def test_calls_to_a_home_are_apart_also_if_its_days_are_few() -> None:
    """Suspended until the ninth or the thirteenth, its first call has few days, and many homes share them."""
    month = agenda_month(date(2026, 12, 1), CALENDAR)
    for until in (9, 13):
        away = (Period(date(2026, 11, 20), date(2026, 12, until)),)
        homes = {one.code: one for one in (home(n, 3, suspended=away) for n in range(150))}
        leaving = (Period(date(2020, 1, 1), date(2026, 12, 11)),)  # they crowd the tenth and the eleventh
        homes |= {one.code: one for one in (home(1000 + n, active=leaving, suspended=away) for n in range(240))}
        homes |= {one.code: one for one in (home(2000 + n) for n in range(1500))}
        calls = WantedCalls(FIGURES, month, CALENDAR, ()).of(homes, [])
        found = moments(calls, month, FIGURES, CALENDAR, first=month.first, held_us=())
        of_home: defaultdict[str, list[date]] = defaultdict(list)
        for call, at_us in zip(calls, found, strict=True):
            of_home[call.home].append(local_time(at_us, CALENDAR).date())
        pairs = [days for code, days in of_home.items() if homes[code].level == 3]
        assert all((late - early).days >= FIGURES.spacing for early, late in pairs)


def test_the_rest_of_a_month_is_even_too() -> None:
    begin = date(2026, 12, 16)
    _, times = planned(date(2026, 12, 1), begin=begin)
    on_day = Counter(at.date() for at in times)
    assert min(on_day) == begin
    # The second calls of level 3 are due in this half alone, each where its first one puts it.
    assert max(on_day.values()) - min(on_day.values()) <= WITHIN


def test_load_follows_the_staff() -> None:
    """Fridays have half the operators; mornings have three times as many as afternoons."""
    usual, short = (HourCell(540, 600, 30), HourCell(960, 1020, 10)), (HourCell(540, 600, 15), HourCell(960, 1020, 5))
    _, times = planned(date(2026, 10, 1), figures=figures(hours=(usual, usual, usual, usual, short)))
    on_day = Counter(at.date() for at in times)
    weights = {day: 1 if day.weekday() == 4 else 2 for day in on_day}
    for day, number in on_day.items():
        assert abs(number - len(times) * weights[day] / sum(weights.values())) < WITHIN
        mornings = sum(at.date() == day and at.hour == 9 for at in times)
        assert abs(mornings - number * 3 / 4) < WITHIN


def test_calls_at_night_skip_the_hour_that_does_not_exist() -> None:
    """An operator who calls at night still gets a moment of the night."""
    night = (HourCell(60, 240, 1),)
    month = agenda_month(date(2026, 3, 1), CALENDAR)
    calls = WantedCalls(FIGURES, month, CALENDAR, ()).of({"H": home(1)}, [])
    (moment,) = moments(calls, month, figures(hours=(night,) * 5), CALENDAR, first=month.first, held_us=())
    assert local_time(moment, CALENDAR).hour in {1, 2, 3}


def test_a_home_without_a_staffed_day_is_an_error_that_names_the_parameter() -> None:
    month = agenda_month(date(2026, 12, 1), CALENDAR)
    usual = (HourCell(540, 600, 3),)
    one = home(2, active=(Period(date(2026, 12, 4), date(2026, 12, 4)),))  # a Friday
    calls = WantedCalls(FIGURES, month, CALENDAR, ()).of({one.code: one}, [])
    with pytest.raises(ConfigError, match="2026-12-04"):
        moments(calls, month, figures(hours=(usual,) * 4 + ((),)), CALENDAR, first=month.first, held_us=())


def test_figures_that_cannot_be_used_are_refused() -> None:
    day = date(2026, 12, 1)
    wrong = {
        "agenda.hours": ("9-13", "13:00-09:00 3", "09:00-25:00 3", "10:00-12:00 3; 09:00-11:00 3"),
        "agenda.revaluation.level_2": (5, 24),
        "agenda.follow_up.level_1": (49,),
    }
    for name, values in wrong.items():
        for value in values:
            entries = [
                one for known in RULES.parameters.names() for one in RULES.parameters.all(known) if known != name
            ]
            (was,) = RULES.parameters.all(name)
            changed = was.__class__(
                name=name, value=value, unit=was.unit, valid_from=was.valid_from, basis=was.basis, ref=was.ref
            )
            with pytest.raises(ConfigError, match=name):
                agenda_figures(Parameters([*entries, changed]).on(day))
