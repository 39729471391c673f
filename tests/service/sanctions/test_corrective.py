"""Corrective actions: how they stand on a day, which ones are against a fault, and what a person may name."""

from __future__ import annotations

from datetime import date

import pytest

from tests.service.sanctions.making import facts_of, terms_with
from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import ActionEvent
from vetlla.service.sanctions.corrective import ActionState, about, actions, against, overdue, refuse_ended
from vetlla.service.sanctions.ledger import ledger

DUE = date(2026, 3, 31)


def planned(number: int, names: str) -> ActionEvent:
    """Return an action that is due at the end of March."""
    return ActionEvent(number, 0, "planned", names, "line", "Q1", DUE, 100, "", "anna", 100)


def ended(number: int, event: str) -> ActionEvent:
    """Return an event that ends an action."""
    return ActionEvent(number + 100, number, event, "", "", "", None, 200, "E1", "anna", 200)


@pytest.mark.parametrize(("day", "state"), [(DUE, ActionState.OPEN), (date(2026, 4, 1), ActionState.OVERDUE)])
def test_an_action_is_overdue_from_the_day_after_its_last_one(day: date, state: ActionState) -> None:
    (found,) = actions([planned(1, "S29")], day)
    assert found.state is state
    assert len(overdue([found])) == (state is ActionState.OVERDUE)


@pytest.mark.parametrize("event", ["done", "withdrawn"])
def test_what_has_ended_is_not_overdue_and_cannot_end_again(event: str) -> None:
    found = actions([planned(1, "S29"), ended(1, event)], date(2027, 1, 1))
    assert [one.state.value for one in found] == [event]
    assert not overdue(found)
    with pytest.raises(UsageError, match=f"is {event} already"):
        refuse_ended(found, 1, 300)


def test_an_action_cannot_end_before_it_was_planned() -> None:
    with pytest.raises(UsageError, match="planned later"):
        refuse_ended(actions([planned(1, "S29")], DUE), 1, 99)


def test_actions_stand_beside_faults_of_their_number_or_level_unless_withdrawn() -> None:
    events = [planned(1, "S29"), planned(2, "ANS 5"), planned(3, "ANS 6"), planned(4, "ANS 5"), ended(4, "withdrawn")]
    (fault,) = ledger(facts_of({5: "XXX"}), terms_with())
    assert [one.planned.id for one in against(actions(events, DUE), fault)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "name"), [("ANS5", "ANS 5"), ("ans 23", "ANS 23"), ("5", "ANS 5"), ("s07", "S07"), ("r5", "R5")]
)
def test_a_level_or_a_fault_is_named_in_any_spelling(text: str, name: str) -> None:
    assert about(text, 23) == name


@pytest.mark.parametrize("text", ["ANS0", "ANS 24", "S50", "", "ANS"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="there is no fault"):
        about(text, 23)
