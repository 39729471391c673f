"""The two clocks of a ticket: they run in the desk's hours, stop during pauses, and are judged once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.support import LEVELS, levels, local, ticket
from vetlla.domain.support import ContactWay, Ticket, TicketAct, TicketEvent
from vetlla.service.support.standing import ClockState, standing

if TYPE_CHECKING:
    from vetlla.service.support.standing import TicketStanding

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OPENED = ("opened", "2026-11-23 09:00")
"""A Monday. Critical: 4 working hours to answer, 16 to solve."""


def at(now: str, *acts: tuple[str, str] | tuple[str, str, str], severity: str = "critical") -> TicketStanding:
    """Return how a ticket stands at a time."""
    return standing(ticket(*acts, severity=severity), LEVELS, local(now))


def test_clocks_are_due_in_working_time() -> None:
    one = at("2026-11-23 10:00", OPENED)
    assert (one.answer.due, one.answer.left) == (local("2026-11-23 13:00"), 3 * HOUR)
    assert (one.solve.due, one.solve.left) == (local("2026-11-24 18:00"), 15 * HOUR)
    assert one.answer.state is one.solve.state is ClockState.RUNNING


def test_a_ticket_of_the_night_begins_at_the_next_opening() -> None:
    for opened in ("2026-11-20 18:30", "2026-11-22 12:00", "2026-11-23 03:00"):
        one = at("2026-11-23 10:00", ("opened", opened))
        assert (one.answer.worked, one.answer.due) == (HOUR, local("2026-11-23 13:00"))


def test_a_clock_runs_out_a_moment_after_its_time() -> None:
    assert at("2026-11-23 13:00", OPENED).answer.state is ClockState.RUNNING
    late = at("2026-11-23 13:01", OPENED)
    assert (late.answer.state, late.answer.left) == (ClockState.OVERDUE, -MINUTE)
    assert at("2026-11-24 20:00", OPENED).solve.state is ClockState.RUNNING
    assert at("2026-11-25 09:01", OPENED).solve.state is ClockState.OVERDUE


def test_a_goal_is_judged_when_it_is_reached() -> None:
    one = at("2027-01-01 10:00", OPENED, ("answered", "2026-11-23 13:00"), ("solved", "2026-11-25 09:01"))
    assert (one.answer.state, one.answer.worked) == (ClockState.IN_TIME, 4 * HOUR)
    assert (one.solve.state, one.solve.left) == (ClockState.LATE, -MINUTE)
    assert (one.answer.due, one.solve.due) == (local("2026-11-23 13:00"), local("2026-11-24 18:00"))


def test_a_solution_is_an_answer() -> None:
    one = at("2026-11-24 10:00", OPENED, ("solved", "2026-11-23 14:30"))
    assert (one.answer.state, one.answer.worked, one.solve.state) == (ClockState.LATE, 5 * HOUR, ClockState.IN_TIME)


def test_the_clock_stands_while_the_city_decides() -> None:
    paused = at("2026-12-30 10:00", OPENED, ("paused", "2026-11-23 10:00"))
    assert (paused.answer.state, paused.answer.left, paused.answer.due) == (ClockState.STOPPED, 3 * HOUR, None)
    resumed = at("2026-12-30 10:00", OPENED, ("paused", "2026-11-23 10:00"), ("resumed", "2026-12-30 09:30"))
    assert (resumed.answer.worked, resumed.answer.due) == (1.5 * HOUR, local("2026-12-30 12:30"))


def test_a_pause_over_a_weekend_takes_only_its_working_minutes() -> None:
    """From Friday 17:59 to Monday 09:01 a pause has two working minutes."""
    opened = ("opened", "2026-11-20 17:00")
    one = at("2026-11-23 09:02", opened, ("paused", "2026-11-20 17:59"), ("resumed", "2026-11-23 09:01"))
    without = at("2026-11-23 09:02", opened)
    assert (one.answer.worked, without.answer.worked) == (60 * MINUTE, 62 * MINUTE)
    assert (one.answer.due, without.answer.due) == (local("2026-11-23 12:02"), local("2026-11-23 12:00"))


def test_a_pause_over_the_due_moment_moves_it() -> None:
    acts = (OPENED, ("paused", "2026-11-23 12:59"), ("resumed", "2026-11-24 09:00"))
    assert at("2026-11-23 20:00", *acts[:2]).answer.state is ClockState.STOPPED
    one = at("2026-11-24 09:01", *acts)
    assert (one.answer.state, one.answer.due) == (ClockState.RUNNING, local("2026-11-24 09:01"))


def test_a_pause_at_the_due_moment_leaves_it() -> None:
    paused = at("2026-11-24 10:00", OPENED, ("paused", "2026-11-23 13:00"))
    assert (paused.answer.state, paused.answer.due) == (ClockState.STOPPED, local("2026-11-23 13:00"))
    resumed = at("2026-11-24 10:01", OPENED, ("paused", "2026-11-23 13:00"), ("resumed", "2026-11-24 10:00"))
    assert (resumed.answer.state, resumed.answer.due) == (ClockState.OVERDUE, local("2026-11-23 13:00"))


def test_a_pause_after_the_due_moment_saves_nothing() -> None:
    paused = at("2026-11-25 10:00", OPENED, ("paused", "2026-11-23 13:30"))
    assert (paused.answer.state, paused.answer.left) == (ClockState.OVERDUE, -30 * MINUTE)
    assert paused.answer.due == local("2026-11-23 13:00")
    assert paused.solve.state is ClockState.STOPPED


def test_an_answer_after_a_pause_or_in_it_counts_without_it() -> None:
    pause = (("paused", "2026-11-23 10:00"), ("resumed", "2026-11-23 12:00"))
    after = at("2026-11-24 10:00", OPENED, *pause, ("answered", "2026-11-23 13:00"))
    assert (after.answer.worked, after.answer.due) == (2 * HOUR, local("2026-11-23 16:00"))
    within = at("2026-11-24 10:00", OPENED, pause[0], ("answered", "2026-11-23 11:00"), pause[1])
    assert (within.answer.worked, within.answer.state, within.answer.due) == (HOUR, ClockState.IN_TIME, None)


def test_a_pause_after_the_answer_does_not_change_it() -> None:
    acts = (OPENED, ("answered", "2026-11-23 11:00"), ("paused", "2026-11-23 11:30"))
    one = at("2026-11-25 10:00", *acts)
    assert (one.answer.worked, one.answer.due) == (2 * HOUR, local("2026-11-23 13:00"))
    assert (one.solve.worked, one.solve.state) == (2.5 * HOUR, ClockState.STOPPED)


def test_two_pauses_are_both_left_out() -> None:
    first = (("paused", "2026-11-23 10:00"), ("resumed", "2026-11-23 11:00"))
    second = (("paused", "2026-11-23 12:00"), ("resumed", "2026-11-23 16:00"))
    one = at("2026-11-23 17:00", OPENED, *first, *second)
    assert (one.answer.worked, one.answer.due) == (3 * HOUR, local("2026-11-23 18:00"))
    assert one.life.pauses == 2


def test_a_higher_severity_counts_from_the_opening() -> None:
    acts = (OPENED, ("severity", "2026-11-24 10:00", "critical"))
    before, after = at("2026-11-24 09:59", OPENED, severity="low"), at("2026-11-24 10:00", *acts, severity="low")
    assert (before.answer.state, before.answer.due) == (ClockState.RUNNING, local("2026-11-25 18:00"))
    assert (after.answer.state, after.answer.due) == (ClockState.OVERDUE, local("2026-11-23 13:00"))
    assert (after.solve.state, after.solve.due) == (ClockState.RUNNING, local("2026-11-24 18:00"))


def test_a_change_of_severity_does_not_judge_an_answer_again() -> None:
    raised = (OPENED, ("answered", "2026-11-23 17:00"), ("severity", "2026-11-24 10:00", "critical"))
    assert at("2026-11-24 11:00", *raised, severity="low").answer.state is ClockState.IN_TIME
    lowered = (OPENED, ("answered", "2026-11-23 17:00"), ("severity", "2026-11-24 10:00", "low"))
    one = at("2026-11-24 11:00", *lowered)
    assert (one.answer.state, one.answer.limit, one.solve.limit) == (ClockState.LATE, 4 * HOUR, 160 * HOUR)


def test_a_reopened_ticket_runs_on_from_where_it_was_solved() -> None:
    acts = (OPENED, ("solved", "2026-11-23 11:00"), ("reopened", "2026-11-26 09:00"))
    one = at("2026-11-26 10:00", *acts)
    assert (one.solve.worked, one.solve.due) == (3 * HOUR, local("2026-11-27 16:00"))
    assert (one.answer.state, one.answer.due) == (ClockState.IN_TIME, local("2026-11-23 13:00"))
    again = at("2026-12-09 10:00", *acts, ("solved", "2026-11-27 16:00"))
    assert (again.solve.state, again.life.reopenings) == (ClockState.IN_TIME, 1)


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ("2026-10-23 17:00", "2026-10-26 12:00"),  # the clocks are set back on Sunday
        ("2027-03-25 17:00", "2027-03-29 12:00"),  # Good Friday, then the clocks are put forward
        ("2026-12-07 17:00", "2026-12-09 12:00"),  # 8 December is a holiday
        ("2026-12-31 17:00", "2027-01-04 12:00"),  # New Year's Day, a Friday
    ],
)
def test_weekends_holidays_and_the_change_of_clocks_take_no_time(opened: str, due: str) -> None:
    assert at(opened, ("opened", opened)).answer.due == local(due)


def test_a_time_that_runs_day_and_night_stops_during_a_pause_too() -> None:
    always = levels(severity__critical__answer=(4, "hours"))
    one = ticket(("opened", "2026-11-20 22:00"), ("paused", "2026-11-20 23:00"), ("resumed", "2026-11-22 23:00"))
    assert standing(one, always, local("2026-11-23 01:00")).answer.due == local("2026-11-23 02:00")


# --- properties -------------------------------------------------------------------------------------------------------

moments = st.datetimes(datetime(2026, 10, 1), datetime(2027, 4, 30), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def paused_tickets(draw: st.DrawFn) -> tuple[Ticket, datetime]:
    """Draw a ticket with some pauses, and a moment after its last event."""
    times = sorted(draw(st.lists(moments, min_size=2, max_size=8)))
    acts = [TicketAct.OPENED, *([TicketAct.PAUSED, TicketAct.RESUMED] * 4)]
    events = tuple(
        TicketEvent(
            act=act, at=time, recorded_at=time, by="tests", severity="critical" if act is TicketAct.OPENED else ""
        )
        for act, time in zip(acts, times[:-1], strict=False)
    )
    return Ticket(id=1, way=ContactWay.EMAIL, reference="", events=events), times[-1]


@settings(deadline=None)
@given(drawn=paused_tickets())
def test_working_time_and_pauses_make_up_the_whole(drawn: tuple[Ticket, datetime]) -> None:
    one, now = drawn
    between = LEVELS.clock.between
    times = [event.at for event in one.events[1:]] + [now]
    pauses = sum((between(*pair) for pair in zip(times[::2], times[1::2], strict=False)), start=timedelta())
    assert standing(one, LEVELS, now).solve.worked + pauses == between(one.opened_at, now)


@settings(deadline=None)
@given(drawn=paused_tickets())
def test_the_due_moment_and_what_is_left_agree(drawn: tuple[Ticket, datetime]) -> None:
    one, now = drawn
    for clock in standing(one, LEVELS, now).clocks:
        if clock.due is None:
            assert clock.state is ClockState.STOPPED
        elif clock.state is ClockState.RUNNING:
            assert LEVELS.clock.between(now, clock.due) == clock.left
        else:
            assert clock.due <= now


@settings(deadline=None)
@given(drawn=paused_tickets(), later=st.timedeltas(timedelta(), timedelta(days=40)))
def test_what_is_left_never_grows(drawn: tuple[Ticket, datetime], later: timedelta) -> None:
    one, now = drawn
    before, after = (standing(one, LEVELS, moment).solve for moment in (now, now + later))
    assert after.left <= before.left
    assert before.state is not ClockState.OVERDUE or after.state is ClockState.OVERDUE
