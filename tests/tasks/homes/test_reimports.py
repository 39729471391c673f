"""Imports after changes by hand: a file without news leaves them, one with news does not, as a slow model says."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.rigs.registered_people import put
from tests.store.homes.test_dated_facts import registry
from vetlla.domain.columns import Effect, Fault
from vetlla.domain.homes import (
    ALWAYS,
    HOME_FIELDS,
    PERSON_FIELDS,
    SET_HOME,
    FactRecording,
    Home,
    Period,
    Person,
    UserType,
)
from vetlla.store.homes import queries
from vetlla.tasks.homes.rows import Dated, home_rows, person_rows

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.homes import Fields

START = date(2026, 1, 1)
LAST = 5
"""Days of the tests: few, so that many facts share a day."""
TODAY = START + timedelta(days=LAST)
HOME = Home(code="H1", district="01", base="NORD", level=1, alone=True, active=(Period(START),))
PERSON = Person(code="P1", home="H1", user_type=UserType.A)


class Step(NamedTuple):
    """A row of an import, or a change by hand."""

    values: dict[str, Any]
    since: date
    by_hand: bool
    correct: bool
    overrule: bool


days = st.integers(0, LAST).map(lambda day: START + timedelta(days=day))
lists = st.sampled_from([(), (Period(START),), (Period(START, START + timedelta(days=3)),)])
home_values = st.fixed_dictionaries(
    {}, optional={"level": st.integers(1, 2), "phones": st.sampled_from([(), ("900000001",)]), "active": lists}
)
person_values = st.fixed_dictionaries(
    {"home": st.sampled_from(["H1", "H2"])},
    optional={"user_type": st.sampled_from([UserType.A, UserType.B]), "suspended": lists},
)
rarely = st.integers(0, 4).map(lambda number: number == 0)


def steps(values: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.builds(Step, values, days, st.booleans(), rarely, rarely), max_size=8)


@dataclass
class Told:
    """A fact of the model; it is imported if an import said it, first or later."""

    field: str
    value: object
    since: date
    imported: bool


class Model:
    """The rule of docs/inventory.md, slowly: news is what imports alone would not say of the day."""

    def __init__(self, first: Home | Person, fields: Fields) -> None:
        self._first, self._fields = first, fields
        names = fields.dated + fields.lists
        self._facts = [Told(name, getattr(first, name), ALWAYS, imported=True) for name in names]

    def holds(self, field: str, day: date, *, imports_alone: bool = False) -> Told:
        """Return the fact that gives a field its value on a day."""
        known = [fact for fact in self._facts if fact.field == field and (fact.imported or not imports_alone)]
        if field in self._fields.lists:
            return known[-1]
        last = max(fact.since for fact in known if fact.since <= day)
        return [fact for fact in known if fact.since == last][-1]

    def record(self, step: Step) -> list[str] | None:
        """Take a step, and return the fields that stay as they were set by hand; None if the row is refused."""
        kept, agreed, new = [], [], []
        for field, value in step.values.items():
            holds = self.holds(field, step.since)
            if holds.value == value:
                agreed += [holds] if not step.by_hand else []
            elif step.by_hand or step.correct or step.overrule:
                new.append(field)
            elif self.holds(field, step.since, imports_alone=True).value == value:
                kept.append(field)
            else:
                new.append(field)
        if not step.by_hand and not step.correct and any(self._later(field, step.since) for field in new):
            return None
        for fact in agreed:
            if self.holds(fact.field, step.since, imports_alone=True).value != fact.value:
                fact.imported = True
        for field in new:
            self._facts.append(Told(field, step.values[field], step.since, imported=not step.by_hand))
        return kept

    def on(self, day: date) -> Home | Person:
        """Return the whole home or person on a day."""
        names = self._fields.dated + self._fields.lists
        values: dict[str, Any] = {name: self.holds(name, day).value for name in names}
        return replace(self._first, **values)

    def _later(self, field: str, day: date) -> bool:
        return field in self._fields.dated and any(
            fact.field == field and day < fact.since <= TODAY for fact in self._facts
        )


def on(connection: sqlite3.Connection, first: Home | Person, day: date) -> Home | Person:
    if isinstance(first, Home):
        return queries.home(connection, first.code, day=day)
    return queries.person(connection, first.code, day=day)


def imported(
    connection: sqlite3.Connection, first: Home | Person, step: Step
) -> tuple[Effect, list[str]] | list[Fault]:
    """Import one row as a file of its own; return its effect and the fields that stay, or its faults."""
    dated = Dated(step.since, TODAY, FactRecording(0, "test", "homes.csv"), step.correct, step.overrule)
    rows = home_rows(connection, dated) if isinstance(first, Home) else person_rows(connection, dated)
    effect = rows.put(2, {"code": first.code, **step.values})
    rows.finish()
    return effect if isinstance(effect, list) else (effect, [fault.column for fault in rows.kept])


def facts(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return [*connection.execute("SELECT * FROM home_facts"), *connection.execute("SELECT * FROM person_facts")]


def check(first: Home | Person, fields: Fields, done: list[Step]) -> None:
    """Take all steps in the registry and in the model, and compare their answers for all days after each."""
    model = Model(first, fields)
    with closing(registry()) as connection:
        put(connection, HOME, replace(HOME, code="H2"), PERSON)
        for step in done:
            expected = model.record(step)
            if step.by_hand:
                wanted = replace(on(connection, first, step.since), **step.values)
                put(connection, wanted, since=step.since, source=SET_HOME, correct=step.correct)
            else:
                before = facts(connection)
                found = imported(connection, first, step)
                if isinstance(found, list):
                    event("refused")
                    assert expected is None
                    assert facts(connection) == before
                else:
                    event(f"{found[0]}, {len(found[1])} kept, {len(facts(connection)) - len(before)} facts")
                    assert sorted(found[1]) == sorted(expected or [])
                    before = facts(connection)
                    assert imported(connection, first, step) == (Effect.UNCHANGED, found[1])
                    assert facts(connection) == before, "an import again adds no fact"
            for number in range(-1, LAST + 2):
                day = START + timedelta(days=number)
                assert on(connection, first, day) == model.on(day), (step, day)


@settings(max_examples=300, deadline=None)
@given(steps(home_values))
def test_imports_and_changes_of_a_home_by_hand_in_any_order(done: list[Step]) -> None:
    """Whatever is imported, changed by hand, corrected and imported again, the registry does as the rule says."""
    check(HOME, HOME_FIELDS, done)


@settings(max_examples=100, deadline=None)
@given(steps(person_values))
def test_imports_and_changes_of_a_person_by_hand_in_any_order(done: list[Step]) -> None:
    """The same for people, also for the home in which they live."""
    check(PERSON, PERSON_FIELDS, done)


@settings(max_examples=100, deadline=None)
@given(home_values, st.lists(st.tuples(home_values, days), min_size=1, max_size=4), days)
def test_no_change_by_hand_is_undone_by_a_file_that_was_imported_before(
    row: dict[str, Any], by_hand: list[tuple[dict[str, Any], date]], day: date
) -> None:
    """Whatever is changed by hand after the import, the same file imported again changes no answer."""
    step = Step(row, START, by_hand=False, correct=False, overrule=False)
    with closing(registry()) as connection:
        put(connection, HOME)
        imported(connection, HOME, step)
        for values, since in by_hand:
            wanted = replace(queries.home(connection, "H1", day=since), **values)
            put(connection, wanted, since=since, source=SET_HOME)
        span = [START + timedelta(days=number) for number in range(LAST + 1)]
        before = [queries.home(connection, "H1", day=one) for one in span]
        found = imported(connection, HOME, step._replace(since=day))
        assert not isinstance(found, list)
        assert found[0] is Effect.UNCHANGED
        assert [queries.home(connection, "H1", day=one) for one in span] == before


def test_a_file_that_is_called_like_a_command_is_an_import() -> None:
    """Its values are those of an import, whatever its name."""
    assert FactRecording.of_import(0, "ana", SET_HOME).source == "file homes set"
    assert FactRecording.of_import(0, "ana", "").source == "standard input"


def test_a_telephone_that_was_corrected_by_hand_does_not_make_the_old_row_bad() -> None:
    """The registry may hold a number of before the checks; the row that still has it is no news."""
    old = replace(HOME, phones=("112",))
    with closing(registry()) as connection:
        put(connection, old)
        put(connection, replace(old, phones=("900000001",)), since=START, source=SET_HOME)
        step = Step({"phones": ("112",)}, TODAY, by_hand=False, correct=False, overrule=False)
        assert imported(connection, HOME, step) == (Effect.UNCHANGED, ["phones"])
