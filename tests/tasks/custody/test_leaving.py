"""Keys of homes that left: 15 days to return each (ANS 16), then six months to destroy it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.rigs.homes_on_record import HOMES, RULES, book, recorded, register_homes, told
from tests.tasks.custody.test_register import cede
from vetlla.domain.duties import DutyVerdict
from vetlla.tasks.custody import leaving, register
from vetlla.tasks.duties import book as duties

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.tasks.custody.leaving import Settled


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a registry whose home H3, attended until 30 June 2025, ceded two keys."""
    state = register_homes(tmp_path)
    with book(state) as connection:
        cede(connection, "H1", "K1")
        cede(connection, "H3", "K3")
        cede(connection, "H3", "K4")
    return state


def settle(state: Path, day: str) -> Settled:
    """Settle at noon of a day."""
    with book(state) as connection:
        recording = recorded(f"{day}T12:00")._replace(source=register.LEAVING)
        return leaving.settle(connection, RULES, date.fromisoformat(day), "T1", recording)


def opened(done: Settled) -> list[tuple[str, str, str]]:
    """Return kind, key and last day of what was opened."""
    return [
        (one.duty.kind, register.key_of(one.duty.ref), str(RULES.calendar.date_of(one.due_us or 0)))
        for one in done.opened
    ]


def test_a_key_is_due_15_days_after_the_home_left(state: Path) -> None:
    assert opened(settle(state, "2025-06-30")) == []
    assert opened(settle(state, "2025-07-01")) == [
        ("key_return", "K3", "2025-07-15"),
        ("key_return", "K4", "2025-07-15"),
    ]
    assert settle(state, "2025-07-02") == ([], [], [])


def test_a_key_that_was_not_returned_is_to_be_destroyed(state: Path) -> None:
    settle(state, "2025-07-01")
    with book(state) as connection:
        event = told("key", "", "returned", "2025-07-10T10:00", to="P1")
        register.act(connection, RULES, "K3", event, recorded("2025-07-10T11:00"))
    assert opened(settle(state, "2025-07-15")) == []
    assert opened(settle(state, "2025-07-16")) == [("key_destruction", "K4", "2026-01-15")]
    assert settle(state, "2025-07-17") == ([], [], [])
    with book(state) as connection:
        returns = leaving.open_returns(connection, RULES, recorded("2025-07-17T00:00").now_us)
        assert {(one.duty.kind, one.verdict) for one in returns} == {
            ("key_return", DutyVerdict.BREACHED),
            ("key_destruction", DutyVerdict.OPEN),
        }
        event = told("key", "", "destroyed", "2025-08-10T10:00")
        register.act(connection, RULES, "K4", event, recorded("2025-08-10T11:00"))
        assert leaving.open_returns(connection, RULES, recorded("2025-08-11T00:00").now_us) == []


def test_a_home_that_comes_back_owes_nothing_and_may_leave_again(state: Path, tmp_path: Path) -> None:
    settle(state, "2025-07-01")
    register_homes(tmp_path, HOMES.replace("2018-01-01/2025-06-30", "2018-01-01/"))
    assert [one.verdict for one in settle(state, "2025-07-03").cancelled] == [DutyVerdict.CANCELLED] * 2
    register_homes(tmp_path, HOMES.replace("2025-06-30", "2025-07-20"))
    assert opened(settle(state, "2025-07-21")) == [
        ("key_return", "K3", "2025-08-04"),
        ("key_return", "K4", "2025-08-04"),
    ]


def test_a_correction_that_was_wrong_is_undone(state: Path, tmp_path: Path) -> None:
    """The day on which the home left is corrected away and back: its first duty, with its clock, holds again."""
    with book(state) as connection:
        leaving.settle(connection, RULES, date(2025, 7, 1), "T1", recorded("2025-07-01T12:00"))
    register_homes(tmp_path, HOMES.replace("2018-01-01/2025-06-30", "2018-01-01/"))
    settle(state, "2025-07-03")
    register_homes(tmp_path)
    assert opened(settle(state, "2025-07-05")) == []
    with book(state) as connection:
        returns = leaving.open_returns(connection, RULES, recorded("2025-07-05T00:00").now_us)
    assert [str(RULES.calendar.date_of(one.due_us or 0)) for one in returns] == ["2025-07-15"] * 2


def test_a_key_that_was_returned_before_is_not_owed(state: Path) -> None:
    """The return is told late: the duty to return the key had never begun."""
    settle(state, "2025-07-01")
    with book(state) as connection:
        for code in ("K3", "K4"):
            event = told("key", "", "returned", "2025-06-20T10:00", to="P1")
            register.act(connection, RULES, code, event, recorded("2025-07-30T11:00"))
    assert settle(state, "2025-08-01") == ([], [], [])
    with book(state) as connection:
        assert leaving.open_returns(connection, RULES, recorded("2025-08-01T00:00").now_us) == []
        (duty, _) = duties.duties_of(connection, RULES, "key_return", "H3")
        one = duties.standing_of(connection, RULES, duty.id, recorded("2025-08-01T00:00").now_us)
        assert one.verdict is DutyVerdict.CANCELLED
        # The return of K3 was recorded in error: the key is owed again, as it was.
        wrong = register.key_named(connection, RULES, "K3").duty.events[-1].id
        duties.withdraw(connection, RULES, wrong, by="T1", note="", recording=recorded("2025-08-01T01:00"))
    assert opened(settle(state, "2025-08-02")) == [("key_destruction", "K3", "2026-01-15")]


def test_a_lost_key_is_still_owed(state: Path) -> None:
    with book(state) as connection:
        register.act(connection, RULES, "K3", told("key", "", "lost", "2025-06-01T10:00"), recorded("2025-06-01T11:00"))
    assert [key for _, key, _ in opened(settle(state, "2025-07-01"))] == ["K3", "K4"]


@pytest.mark.parametrize("name", RULES.kinds.names())
def test_a_clock_that_an_absence_stops_goes_on_before_the_end(name: str) -> None:
    """A stop that only the end of the duty ended would stop the clock for good."""
    kind = RULES.kinds.kind(name)
    for event, stop in kind.stops.items():
        assert set(stop.until) - set(kind.ends) - set(kind.cancels), f"{event} stops the clock until the end"
