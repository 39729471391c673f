"""Facts about homes and people: any day, as known at any time, is what a slow model of the rule says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.registered_people import put
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import ALWAYS, Home, Period, Person, Programme, UserType, is_covered
from vetlla.service.homes.changes import first_change
from vetlla.store.homes import queries
from vetlla.store.registry.known import look_back
from vetlla.store.sqlite.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Sequence

START = date(2026, 1, 1)
LAST = 12
"""Days of the tests: few, so that many facts share a day."""
HOME = Home(code="H1", district="01", base="NORD", level=1, alone=True, active=(Period(START),))
PERSON = Person(code="P1", home="H1", user_type=UserType.A)
OTHERS = (replace(HOME, code="H0"), replace(HOME, code="H2"), replace(PERSON, code="P0"), replace(PERSON, code="P2"))


def at(day: int) -> date:
    return START + timedelta(days=day)


def registry() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection, "registry", ":memory:", ManualClock())
    return connection


class Step(NamedTuple):
    """An import of one row, or a correction: what it says, the day from which it holds, and when it is recorded."""

    values: dict[str, Any]
    since: date
    at_us: int
    correct: bool


days = st.integers(0, LAST).map(at)
periods = st.lists(st.integers(0, LAST), max_size=4, unique=True).map(
    lambda edges: tuple(
        Period(at(since), at(until) if until is not None else None)
        for since, until in zip(sorted(edges)[::2], [*sorted(edges)[1::2], None], strict=False)
    )
)
home_values = st.fixed_dictionaries(
    {},
    optional={
        "level": st.integers(1, 3),
        "district": st.sampled_from(["01", "02"]),
        "base": st.sampled_from(["NORD", "SUD"]),
        "phones": st.sampled_from([(), ("900000001",), ("900000001", "900000002")]),
        "alone": st.booleans(),
        "active": periods,
        "suspended": periods,
    },
)
person_values = st.fixed_dictionaries(
    {},
    optional={
        "home": st.sampled_from(["H0", "H1", "H2"]),
        "user_type": st.sampled_from(list(UserType)),
        "programmes": periods.map(lambda some: tuple(Programme("mimal", one) for one in some)),
        "active": periods,
    },
)


def steps(values: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Step]]:
    one = st.builds(Step, values, days, st.integers(0, 100), st.booleans())
    return st.lists(one, max_size=8)


class Model:
    """The rule of docs/inventory.md, slowly: all facts in the order of their recording, and a search through them."""

    def __init__(self, first: Home | Person, dated: Sequence[str]) -> None:
        self._dated = dated
        self._made = first
        self._facts: list[tuple[str, object, date, int]] = []
        for field in self._fields():
            self._facts.append((field, getattr(first, field), ALWAYS, 0))

    def record(self, values: dict[str, Any], since: date, recording: int) -> None:
        """Keep a fact for each field whose value differs from the one that holds on the day, as it is known now."""
        for field, value in values.items():
            if self.value(field, since, recording) != value:
                self._facts.append((field, value, since, recording))

    def value(self, field: str, day: date, recording: int) -> object:
        """Return the value of a field on a day, as known after a recording."""
        found: object = None
        begins = ALWAYS
        for name, value, since, recorded in self._facts:
            if name != field or recorded > recording:
                continue
            if field not in self._dated:
                found = value
            elif begins <= since <= day:
                found, begins = value, since
        return found

    def on(self, day: date, recording: int) -> Home | Person:
        """Return the whole home or person."""
        values: dict[str, Any] = {field: self.value(field, day, recording) for field in self._fields()}
        return replace(self._made, **values)

    def _fields(self) -> list[str]:
        return [name for name in self._made.__slots__ if name != "code"]


def check(first: Home | Person, done: list[Step], dated: Sequence[str]) -> None:
    """Record all steps in the registry and in the model, then ask both about every day as known after every step."""

    def found(connection: sqlite3.Connection, day: date, known_us: int | None) -> Home | Person | None:
        if known_us is not None:
            look_back(connection, known_us)
        if isinstance(first, Home):
            return queries.homes(connection, ["H1"], day=day).get("H1")
        found = queries.people(connection, day=day)
        return next((person for person in found if person.code == "P1"), None)

    model = Model(first, dated)
    with closing(registry()) as connection:
        put(connection, *OTHERS, at_us=50)
        put(connection, first, at_us=60)
        times = [_last(connection)]
        for number, step in enumerate(done, start=1):
            before = found(connection, step.since, None)
            assert before is not None
            after = replace(before, **step.values)
            put(connection, after, since=step.since, at_us=step.at_us, correct=step.correct)
            put(connection, after, since=step.since, at_us=step.at_us, correct=step.correct)  # changes nothing
            model.record(step.values, step.since, number)
            times.append(_last(connection))
        assert times == sorted(times), "a clock that is set back does not change what was known"
        assert found(connection, date.max, None) == model.on(date.max, len(done))
        assert found(connection, at(0), times[0] - 1) is None
        for number, time in enumerate(times):
            for day in (ALWAYS, *map(at, range(-1, LAST + 2)), date.max):
                known = max(place for place, other in enumerate(times) if other == time)
                assert found(connection, day, time) == model.on(day, known), (day, number)


def _last(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT max(recorded_us) FROM recordings").fetchone()
    return int(last)


@settings(max_examples=150, deadline=None)
@given(steps(home_values))
def test_a_home_of_any_day_as_known_at_any_time(done: list[Step]) -> None:
    """Whatever is imported and corrected, in any order and with any clock, the registry answers as the rule says."""
    check(HOME, done, ("district", "base", "level", "alone", "language", "phones"))


@settings(max_examples=100, deadline=None)
@given(steps(person_values))
def test_a_person_of_any_day_as_known_at_any_time(done: list[Step]) -> None:
    """The same for people, with their home, programmes and own periods."""
    check(PERSON, done, ("home", "user_type"))


@settings(max_examples=100, deadline=None)
@given(steps(home_values), days, days)
def test_spans_have_the_values_of_each_of_their_days(done: list[Step], one: date, other: date) -> None:
    """The parts of a span follow each other without a gap, and each has the home as it is on its days."""
    first, last = sorted((one, other))
    with closing(registry()) as connection:
        put(connection, *OTHERS, HOME)
        for step in done:
            now = queries.home(connection, "H1", day=step.since)
            put(connection, replace(now, **step.values), since=step.since, at_us=step.at_us)
        parts = [span for span in queries.home_spans(connection, first, last) if span.home.code == "H1"]
        covered = [day for span in parts for day in _days(span.first, span.last)]
        assert covered == _days(first, last)
        for span in parts:
            for day in _days(span.first, span.last):
                assert queries.home(connection, "H1", day=day) == span.home
        districts = queries.districts(connection, first)
        assert districts == {code: home.district for code, home in queries.homes(connection, day=first).items()}
        resting = {
            code
            for code, home in queries.homes(connection).items()
            if is_covered(home.suspended, first) or (home.active and not home.active_on(first))
        }
        assert queries.resting(connection, first) == resting


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


@given(periods, periods)
def test_the_first_day_whose_answer_a_list_changes(before: tuple[Period, ...], after: tuple[Period, ...]) -> None:
    """It is the first day that only one of the lists has."""
    differ = [
        day
        for day in map(at, range(-1, LAST + 2))
        if any(one.covers(day) for one in before) != any(one.covers(day) for one in after)
    ]
    assert first_change(before, after) == (differ[0] if differ else None)


# --- what the database refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE home_facts SET level = 3",
        "DELETE FROM home_facts",
        "INSERT OR REPLACE INTO home_facts SELECT * FROM home_facts WHERE recording = 1",
        "INSERT INTO home_facts (home, recording, since, correction, note) VALUES ('H1', 1, '2025-01-01', 0, '')",
        "UPDATE person_facts SET home = 'H2'",
        "DELETE FROM person_facts",
        "INSERT OR REPLACE INTO person_facts SELECT * FROM person_facts",
        "UPDATE recordings SET recorded_us = 0",
        "DELETE FROM recordings",
        "INSERT OR REPLACE INTO recordings VALUES (1, 999, 'x', 'y')",
        "INSERT INTO recordings (recorded_us, by, source) VALUES (0, 'x', 'y')",
    ],
)
def test_facts_cannot_be_changed(sql: str) -> None:
    """SQL in the file cannot change the past either, nor add to what was known at an earlier time."""
    with closing(registry()) as connection:
        put(connection, HOME, PERSON, at_us=10)
        put(connection, replace(HOME, level=2), replace(PERSON, home="H2"), since=START, at_us=20)
        before = list(connection.iterdump())
        with pytest.raises(sqlite3.IntegrityError, match=r"never (rewritten|shortened)|last recording|later than"):
            connection.execute(sql)
        assert list(connection.iterdump()) == before


# --- examples ---------------------------------------------------------------------------------------------------------


def test_a_correction_holds_until_the_next_dated_fact() -> None:
    """What was recorded about the days from the correction to the next fact is superseded; both stay in the history."""
    with closing(registry()) as connection:
        put(connection, HOME, at_us=10)
        put(connection, replace(HOME, level=3), since=at(10), at_us=20)
        put(connection, replace(HOME, level=2), since=at(5), at_us=30, correct=True, note="assessed on the 6th")

        levels = [queries.home(connection, "H1", day=at(day)).level for day in (4, 5, 9, 10)]
        assert levels == [1, 2, 2, 3]
        facts = [fact for fact in queries.facts_of_home(connection, "H1") if fact.field == "level"]
        assert [(fact.value, fact.since, fact.recorded_us, fact.correction, fact.note) for fact in facts] == [
            ("1", ALWAYS, 10, False, ""),
            ("3", at(10), 20, False, ""),
            ("2", at(5), 30, True, "assessed on the 6th"),
        ]
        look_back(connection, 29)
        assert [queries.home(connection, "H1", day=at(day)).level for day in (4, 5, 9, 10)] == [1, 1, 1, 3]


def test_a_list_that_changes_earlier_days_says_so() -> None:
    """A home that left days ago: the fact has the first day that it changes, and is a correction."""
    left = replace(HOME, active=(Period(START, at(3)),))
    with closing(registry()) as connection:
        put(connection, HOME, at_us=10)
        put(connection, left, since=at(8), at_us=20)
        (fact,) = [fact for fact in queries.facts_of_home(connection, "H1") if fact.recorded_us == 20]
        assert (fact.field, fact.value, fact.since, fact.correction) == (
            "active",
            "2026-01-01/2026-01-04",
            at(4),
            True,
        )
        put(connection, replace(left, active=(*left.active, Period(at(9)))), since=at(8), at_us=30)
        assert not queries.facts_of_home(connection, "H1")[-1].correction


def test_people_follow_their_home_unless_they_have_periods_of_their_own() -> None:
    """Each of the two lists counts by itself."""
    home = replace(HOME, suspended=(Period(at(5), at(6)),))
    own = replace(PERSON, code="P2", active=(Period(START, at(8)),))
    away = replace(PERSON, code="P3", suspended=(Period(at(1), at(1)),))
    states = {
        person.code: [person.state_on(at(day), home).value for day in (-1, 1, 5, 9)] for person in (PERSON, own, away)
    }
    assert states == {
        "P1": ["out", "active", "suspended", "active"],
        "P2": ["out", "active", "suspended", "out"],
        "P3": ["out", "suspended", "active", "active"],
    }


def test_people_of_a_home_are_those_who_live_there_on_the_day() -> None:
    """A person who moves is found in the old home before the day and in the new one from then on."""
    with closing(registry()) as connection:
        put(connection, HOME, replace(HOME, code="H2"), PERSON, at_us=10)
        put(connection, replace(PERSON, home="H2"), since=at(5), at_us=20)
        assert [one.code for one in queries.people(connection, ["H1"], day=at(4))] == ["P1"]
        assert queries.people(connection, ["H1"], day=at(5)) == []
        assert [one.code for one in queries.people(connection, ["H2"], day=at(5))] == ["P1"]
        spans = [(span.person.home, span.first, span.last) for span in queries.person_spans(connection, at(4), at(6))]
        assert spans == [("H1", at(4), at(4)), ("H2", at(5), at(6))]
        look_back(connection, 15)
        assert queries.people(connection, ["H2"], day=at(5)) == []
        with pytest.raises(UsageError, match="no person 'P9'") as refused:
            queries.person(connection, "P9")
        assert "--known" in refused.value.remedy


def test_unknown_codes_are_refused() -> None:
    """The message names the command that registers them."""
    with closing(registry()) as connection:
        for ask in (queries.home, queries.person, queries.facts_of_home, queries.facts_of_person):
            with pytest.raises(UsageError, match=r"no (home|person) 'X'"):
                ask(connection, "X")


def test_the_district_recorded_last_for_a_day_holds() -> None:
    """The receiver reads districts by themselves, and gets those of the homes."""
    with closing(registry()) as connection:
        for at_us, since, district in ((10, ALWAYS, "01"), (20, at(5), "02"), (30, at(5), "03"), (40, at(2), "04")):
            put(connection, replace(HOME, district=district), since=since, at_us=at_us)
        found = [queries.districts(connection, at(day))["H1"] for day in (1, 2, 4, 5)]
        assert found == [queries.home(connection, "H1", day=at(day)).district for day in (1, 2, 4, 5)]
        assert found == ["01", "04", "04", "03"]
