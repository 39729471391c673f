"""Which answered calls of the agenda are paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from tests.rigs.agenda import figures, home
from vetlla.domain.clock import to_datetime, to_us
from vetlla.domain.duties import Duty, DutyEvent, NewEvent
from vetlla.service.agenda.call import AgendaCall, call_of
from vetlla.service.invoice.agendas import AgendaTerms, answered_agendas

FIGURES = figures()
LEVELS = {1: 8, 2: 12, 3: 24}
HOMES = {f"H{level:06}": home(level, level) for level in LEVELS}
numbers = count(1)


def at(day: int, hour: int = 10) -> int:
    return to_us(datetime(2026, 11, 1, hour, tzinfo=UTC)) + (day - 1) * 86_400_000_000


TERMS = AgendaTerms(
    begin_us=at(1, 0),
    end_us=at(31, 0) - 1,
    day_of=lambda at_us: to_datetime(at_us).day - 1,
    homes=HOMES,
    home_of={"P-1": "H000001"},
    fortnightly={},
    follow_ups=LEVELS,
)


def call(kind: str, level: int, day: int, event: str = "answered") -> AgendaCall:
    """Return a call of the home of a level that ended on a day; day 0 is in October and 31 in December."""
    number, code = next(numbers), f"H{level:06}"
    subject = code if kind == "follow_up" else f"P{number}"
    opening = NewEvent(kind, subject, "planned", at(-20), details=f'{{"home": "{code}"}}')
    told = NewEvent(kind, subject, event, at(day))
    return call_of(Duty(number, kind, subject, (DutyEvent(1, opening, "", 0), DutyEvent(2, told, "", 0))), FIGURES)


def paid(*calls: AgendaCall, terms: AgendaTerms = TERMS) -> list[tuple[str, str]]:
    return [(one.kind, one.reason.value) for one in answered_agendas(calls, terms)]


F, R = "follow_up", "revaluation"


def test_only_calls_that_were_answered_in_the_month_count() -> None:
    calls = [call(F, 1, day) for day in (0, 1, 30, 31)]
    calls += [call(F, 2, 5, event) for event in ("unanswered", "replaced", "cancelled")]
    assert paid(*calls) == [(F, "paid"), (F, "paid")]


@pytest.mark.parametrize(
    ("level", "follow_ups", "revaluations", "count"),
    [
        (1, 1, 0, 1),
        (1, 2, 0, 2),
        (1, 1, 1, 1),
        (2, 1, 1, 1),
        (2, 1, 2, 2),
        (3, 2, 0, 2),
        (3, 2, 1, 2),
        (3, 1, 1, 2),
        (3, 2, 2, 2),
        (3, 2, 3, 3),
    ],
)
def test_a_revaluation_replaces_a_follow_up_or_one_of_two_of_level_3(
    level: int, follow_ups: int, revaluations: int, count: int
) -> None:
    calls = [call(F, level, 3 + number) for number in range(follow_ups)]
    calls += [call(R, level, 20 + number) for number in range(revaluations)]
    found = paid(*calls)
    assert sum(reason == "paid" for _, reason in found) == count
    assert all(reason == "paid" for kind, reason in found if kind == R)


def test_a_share_of_a_follow_up_a_month_is_a_whole_one() -> None:
    """18 calls a year are one or two a month, so one stays beside a revaluation."""
    terms = TERMS._replace(follow_ups={1: 18})
    assert paid(call(F, 1, 5), call(F, 1, 6), call(R, 1, 7), terms=terms).count((F, "paid")) == 1


def test_a_revaluation_of_another_month_replaces_nothing() -> None:
    assert paid(call(F, 1, 5), call(R, 1, 31), call(R, 1, 0)) == [(F, "paid")]


def test_a_day_with_a_fortnightly_programme_has_no_paid_follow_up() -> None:
    """A revaluation of that day counts, and the follow-up of another day does."""
    terms = TERMS._replace(fortnightly={"H000003": 1 << 4})
    calls = (call(F, 3, 5), call(F, 3, 6), call(R, 2, 5))
    assert paid(*calls, terms=terms) == [(R, "paid"), (F, "fortnightly_programme"), (F, "paid")]


def test_a_revaluation_without_its_home_is_of_the_persons_home() -> None:
    """A file of duties need not say the home of a person."""
    opening = NewEvent(R, "P-1", "planned", at(-20))
    told = NewEvent(R, "P-1", "answered", at(3))
    one = call_of(Duty(9, R, "P-1", (DutyEvent(1, opening, "", 0), DutyEvent(2, told, "", 0))), FIGURES)
    assert paid(one, call(F, 1, 5)) == [(R, "paid"), (F, "replaced_by_revaluation")]


def test_a_home_that_is_not_registered_has_one_follow_up_a_month() -> None:
    terms = TERMS._replace(homes={})
    assert paid(call(F, 3, 5), call(F, 3, 6), call(R, 3, 7), terms=terms)[0] == (F, "replaced_by_revaluation")


def test_the_figures_of_the_rig_are_those_of_the_service() -> None:
    assert dict(replace(FIGURES).follow_ups) == LEVELS
