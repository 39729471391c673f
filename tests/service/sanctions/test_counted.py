"""Missed obligations and accumulated faults: each clause, the ends of the windows, and a slow model."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.service.sanctions.making import START, case, facts_of, short, terms_with
from vetlla.domain.sanctions import FaultCase, FaultClass
from vetlla.service.sanctions.catalogue import FAULTS
from vetlla.service.sanctions.counted import accumulated, missed_obligations
from vetlla.service.sanctions.ledger import ledger
from vetlla.service.sanctions.making import fault

LAST = 1100
"""Days of the random sequences: three years."""


@pytest.mark.parametrize(
    ("times", "expected"),
    [(0, []), (1, ["S10"]), (3, ["S10"]), (4, ["S10", "S28"]), (9, ["S10", "S28"]), (10, ["S10", "S28", "S44"])],
)
def test_17_obligations_missed_1_to_3_and_4_to_9_and_more_than_9_times(times: int, expected: list[str]) -> None:
    cases = [case("S10", f"2025-0{1 + place % 9}-1{place % 9}", str(place)) for place in range(times)]
    found = list(missed_obligations(cases, terms_with()))
    assert [one.fault for one in found] == expected
    assert all(len(one.cases) == times for one in found)


def test_17_obligations_are_counted_within_a_year() -> None:
    days = ("2024-05-10", "2024-06-10", "2024-07-10", "2025-05-10", "2025-05-11")
    cases = [case("S10", day, str(place)) for place, day in enumerate(days)]
    assert "S28" not in {one.fault for one in missed_obligations(cases[:4], terms_with())}, "a year later is not within"
    cases[3] = case("S10", "2025-05-09", "3")
    assert short(list(missed_obligations(cases[:4], terms_with())))[1].startswith("S28 2025-05-09")
    natural = terms_with(year="natural")
    found = list(missed_obligations(cases, natural))
    assert [(one.fault, one.day.year) for one in found] == [("S10", 2024), ("S10", 2025)]


def test_17_obligations_apart_if_so_agreed() -> None:
    cases = [case("S10", f"2025-01-1{place}", str(place), subject=f"O{place % 2}") for place in range(6)]
    assert [one.fault for one in missed_obligations(cases, terms_with())] == ["S10", "S28"]
    apart = list(missed_obligations(cases, terms_with(same_obligation="yes")))
    assert [(one.fault, one.about) for one in apart] == [("S10", "recorded O0"), ("S10", "recorded O1")]


def minor(*days: str) -> list[FaultCase]:
    """Return minor faults on these days."""
    return [case("S07", day, str(place)) for place, day in enumerate(days)]


def found_by(cases: list[FaultCase], **answers: str) -> list[str]:
    """Return the accumulations in the ledger, without repeated months."""
    facts = facts_of({}, cases=cases)
    return [one for one in short(ledger(facts, terms_with(**answers))) if one[:3] in {"S17", "S39"}]


def test_17_three_minor_faults_in_six_months_are_grave() -> None:
    assert found_by(minor("2025-01-15", "2025-03-01", "2025-07-14")) == ["S17 2025-07-14 3 minor faults"]
    assert not found_by(minor("2025-01-15", "2025-03-01", "2025-07-15")), "the same day six months later is outside"
    assert found_by(minor("2025-03-01", "2025-04-01", "2025-08-31")), "31 August is less than six months after 1 March"
    assert not found_by(minor("2025-02-28", "2025-04-01", "2025-08-31"))


def test_17_six_minor_faults_in_six_months_are_two_grave_ones_or_one() -> None:
    cases = minor(*(f"2025-01-1{place}" for place in range(6)))
    assert found_by(cases) == ["S17 2025-01-12 3 minor faults", "S17 2025-01-15 3 minor faults"]
    assert found_by(cases, accumulation="once") == ["S17 2025-01-12 6 minor faults"]


def test_17_three_grave_faults_in_six_months_are_very_grave_and_an_accumulated_one_is_grave() -> None:
    cases = [
        *minor("2025-01-10", "2025-01-11", "2025-01-12"),
        case("S18", "2025-02-01", "8"),
        case("S25", "2025-03-01", "9"),
    ]
    found = found_by(cases)
    assert found == ["S17 2025-01-12 3 minor faults", "S39 2025-03-01 3 grave faults"]


def test_very_grave_faults_and_causes_of_termination_accumulate_to_nothing() -> None:
    cases = [case("S41", f"2025-01-1{place}", str(place)) for place in range(3)]
    assert not found_by(cases)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, LAST), max_size=14), st.sampled_from(("each", "once")))
def test_random_days_give_what_a_slow_model_gives(places: list[int], accumulation: str) -> None:
    terms = terms_with(accumulation=accumulation)
    days = sorted(START + timedelta(days=place) for place in places)
    faults = [fault("S07", str(place), day, terms) for place, day in enumerate(days)]
    found = [(one.day, len(one.faults)) for one in accumulated(faults, terms) if one.fault == "S17"]
    assert found == modelled(days, is_each=accumulation == "each")


def modelled(days: list[date], *, is_each: bool) -> list[tuple[date, int]]:
    """Return day and size of each accumulation by trying every earlier day."""
    groups: list[tuple[date, set[int]]] = []
    for place, day in enumerate(days):
        used = set().union(*(members for _, members in groups)) if is_each and groups else set()
        near = {one for one in range(place + 1) if within_six_months(days[one], day)} - used
        if len(near) < 3:
            continue
        if not is_each and groups and groups[-1][1] & near:
            groups[-1][1].update(near)
        else:
            groups.append((day, near))
    return [(day, len(members)) for day, members in groups]


def within_six_months(one: date, last: date) -> bool:
    """Return True if a day is later than the same day six months before another; 31 February is after 28 February."""
    months = last.year * 12 + last.month - 1 - 6
    return (one.year, one.month, one.day) > (months // 12, months % 12 + 1, last.day)


def test_the_catalogue_has_the_49_faults_with_their_classes() -> None:
    numbered = [one for one in FAULTS if one.startswith("S")]
    assert numbered == [f"S{number:02}" for number in range(1, 50)]
    classes = [FAULTS[one].fault_class for one in numbered]
    assert [classes.count(one) for one in (FaultClass.MINOR, FaultClass.GRAVE, FaultClass.VERY_GRAVE)] == [10, 20, 19]
    named = {
        "S03": "report",
        "S10": "1 to 3",
        "S17": "three minor",
        "S27": "50 %",
        "S28": "4 to 9",
        "S29": "Three months",
    }
    named |= {"S30": "compliance", "S31": "improvement", "S39": "Three grave", "S41": "Keys lost", "S44": "more than 9"}
    named |= {"S45": "six months", "S46": "execution", "S49": "protocol"}
    assert not [one for one, words in named.items() if words not in FAULTS[one].words]
