"""The clocks of duties by example: limits, stops, verdicts and promises."""

from __future__ import annotations

from datetime import date

import pytest

from tests.rigs.duties import MINUTE_US, kind, promising, recorded, rules, told, us
from vetlla.domain.clock import to_datetime
from vetlla.domain.duties import DutyVerdict, NewEvent
from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import Standing, standing
from vetlla.service.duties.terms import DutyRules

KEPT, BREACHED, OPEN, CANCELLED = DutyVerdict.KEPT, DutyVerdict.BREACHED, DutyVerdict.OPEN, DutyVerdict.CANCELLED
LATER = "2026-12-31 12:00"


def stand(known: DutyRules, *events: NewEvent, now: str | int = LATER) -> Standing:
    """Return how the only duty of these events stands."""
    (duty,) = group(known.kinds.kind(events[0].kind), recorded(*events)).duties
    return standing(duty, known, us(now) if isinstance(now, str) else now)


def due(known: DutyRules, *events: NewEvent) -> str:
    """Return the local time at which the clock runs out, to the second."""
    at_us = stand(known, *events).due_us
    assert at_us is not None
    return to_datetime(at_us).astimezone(known.calendar.zone).strftime("%Y-%m-%d %H:%M:%S")


# --- limits by example ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "unit", "opened", "runs_out"),
    [
        (35, "minutes", "2026-11-02 09:00", "2026-11-02 09:35:00"),
        (2, "hours", "2026-10-25 01:30", "2026-10-25 02:30:00"),  # the hour from 2 to 3 comes twice
        (2, "hours", "2026-03-29 01:30", "2026-03-29 04:30:00"),  # and in spring never
        (7, "natural days", "2026-11-02 23:59", "2026-11-09 23:59:59"),
        (7, "days", "2026-11-02 00:00", "2026-11-09 23:59:59"),
        (2, "natural days", "2026-10-24 10:00", "2026-10-26 23:59:59"),
        (2, "working days", "2026-11-06 10:00", "2026-11-10 23:59:59"),  # a Friday
        (2, "working days", "2026-11-07 10:00", "2026-11-10 23:59:59"),  # a Saturday
        (1, "working days", "2026-12-04 10:00", "2026-12-07 23:59:59"),
        (2, "working days", "2026-12-04 10:00", "2026-12-09 23:59:59"),  # the 8th is a national holiday
        (1, "working days", "2026-09-10 10:00", "2026-09-14 23:59:59"),  # the 11th is Catalonia's
        (1, "working days", "2026-09-23 10:00", "2026-09-25 23:59:59"),  # the 24th is Barcelona's
        (1, "working days", "2026-05-22 10:00", "2026-05-26 23:59:59"),  # so is Whit Monday
        (6, "months", "2026-01-15 10:00", "2026-07-15 23:59:59"),
        (1, "months", "2026-01-31 10:00", "2026-02-28 23:59:59"),
    ],
)
def test_when_a_limit_runs_out(limit: int, unit: str, opened: str, runs_out: str) -> None:
    known = rules(limit, unit)
    assert due(known, told("detected", opened)) == runs_out
    last = stand(known, told("detected", opened)).due_us
    assert last is not None
    for late, verdict in ((0, KEPT), (1, BREACHED)):
        assert stand(known, told("detected", opened), told("solved", last + late)).verdict is verdict
        assert stand(known, told("detected", opened), now=last + late).verdict is (BREACHED if late else OPEN)
        cancelled = stand(known, told("detected", opened), told("cancelled", last + late))
        assert cancelled.verdict is (BREACHED if late else CANCELLED)


@pytest.mark.parametrize(
    ("unit", "limit", "stop", "runs_out"),
    [
        ("minutes", 60, ("2026-11-02 09:30", "2026-11-02 09:50"), "2026-11-02 10:20:00"),
        ("minutes", 60, ("2026-11-02 10:00", "2026-11-02 11:00"), "2026-11-02 11:00:00"),  # at the last moment
        ("minutes", 60, ("2026-11-02 10:01", "2026-11-02 11:00"), "2026-11-02 10:00:00"),  # too late to save it
        ("natural days", 2, ("2026-11-03 09:00", "2026-11-03 18:00"), "2026-11-04 23:59:59"),  # within a day
        ("natural days", 2, ("2026-11-03 09:00", "2026-11-05 18:00"), "2026-11-06 23:59:59"),
        ("working days", 2, ("2026-11-03 09:00", "2026-11-05 18:00"), "2026-11-06 23:59:59"),
        ("working days", 2, ("2026-11-06 09:00", "2026-11-08 18:00"), "2026-11-04 23:59:59"),
        ("working days", 4, ("2026-11-06 09:00", "2026-11-08 18:00"), "2026-11-09 23:59:59"),  # as if on Monday
        ("working days", 4, ("2026-11-06 09:00", "2026-11-09 08:00"), "2026-11-09 23:59:59"),
        ("working days", 4, ("2026-11-07 09:00", "2026-11-08 18:00"), "2026-11-06 23:59:59"),  # it had run out
        ("months", 1, ("2026-11-10 09:00", "2026-11-15 18:00"), "2026-12-07 23:59:59"),
    ],
)
def test_a_stop_adds_its_length(unit: str, limit: int, stop: tuple[str, str], runs_out: str) -> None:
    events = told("detected", "2026-11-02 09:00"), told("paused", stop[0]), told("resumed", stop[1])
    assert due(rules(limit, unit), *events) == runs_out


def test_a_clock_that_stands_does_not_run_out() -> None:
    opened, paused = told("detected", "2026-11-02 09:00"), told("paused", "2026-11-02 09:30")
    one = stand(rules(60, "minutes"), opened, paused)
    assert (one.verdict, one.due_us, one.elapsed_us) == (OPEN, None, 30 * MINUTE_US)
    solved = stand(rules(60, "minutes"), opened, paused, told("solved", "2026-11-20 09:00"))
    assert (solved.verdict, solved.elapsed_us) == (KEPT, 30 * MINUTE_US)
    assert solved.due_us == us("2026-11-20 09:30"), "half an hour was left"
    late = stand(rules(20, "minutes"), opened, paused)
    assert late.verdict is BREACHED, "it had run out before it was stopped"
    cancelled = stand(rules(60, "minutes"), opened, paused, told("cancelled", "2026-11-20 09:00"))
    assert cancelled.verdict is CANCELLED
    assert cancelled.due_us == us("2026-11-20 09:30")


def test_a_stop_after_the_end_changes_no_due_time() -> None:
    events = (
        told("detected", "2026-11-02 09:00"),
        told("solved", "2026-11-02 09:10"),
        told("paused", "2026-11-02 09:20"),
    )
    one = stand(rules(60, "minutes"), *events)
    assert (one.verdict, one.due_us, one.stops) == (KEPT, us("2026-11-02 10:00"), [])


def test_a_parameter_says_whether_an_absent_user_stops_the_clock() -> None:
    events = (
        told("detected", "2026-11-02 09:00"), told("absent", "2026-11-02 09:30"),
        told("arrived", "2026-11-02 12:00"), told("solved", "2026-11-02 12:20"),
    )  # fmt: skip
    assert stand(rules(60, "minutes", stops=True), *events).verdict is KEPT
    assert stand(rules(60, "minutes", stops=False), *events).verdict is BREACHED


def test_two_stops_that_overlap_are_one() -> None:
    """The clock stands until each stop has ended by an event of its own."""
    events = (
        told("detected", "2026-11-02 09:00"), told("paused", "2026-11-02 09:10"), told("absent", "2026-11-02 09:20"),
        told("resumed", "2026-11-02 09:30"), told("arrived", "2026-11-02 09:40"),
    )  # fmt: skip
    one = stand(rules(60, "minutes"), *events, told("solved", "2026-11-02 10:30"))
    assert (one.verdict, one.stopped_us, one.elapsed_us) == (KEPT, 30 * MINUTE_US, 60 * MINUTE_US)
    assert [stop.event for stop in one.stops] == ["paused"]


def test_a_parameter_of_the_day_of_opening_counts() -> None:
    """A limit that changes in the middle of the month changes no duty that was opened before."""
    changed = rules(1, "hours")
    entries = [entry for name in changed.parameters.names() for entry in changed.parameters.all(name)]
    newer = entries[[entry.name for entry in entries].index("limit")]
    more = type(newer)(
        **{field: getattr(newer, field) for field in newer.__slots__} | {"value": 3, "valid_from": date(2026, 11, 10)}
    )
    known = DutyRules(changed.kinds, type(changed.parameters)([*entries, more]))
    assert due(known, told("detected", "2026-11-09 23:59:59")) == "2026-11-10 00:59:59"
    assert due(known, told("detected", "2026-11-10 00:00")) == "2026-11-10 03:00:00"


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_verdict_is_decided_by_the_events_that_judge() -> None:
    """An emergency unit has to get in; what it then does is not limited."""
    judged = kind(events=["arrived"], judged={"access": "", "no_access": "absent_counts"}, stops=None)
    opened, late = told("detected", "2026-11-02 09:00"), told("solved", "2026-11-02 12:00")
    known, strict = rules(35, "minutes", fault=judged), rules(35, "minutes", counts=False, fault=judged)
    assert stand(known, opened, told("access", "2026-11-02 09:35"), late).verdict is KEPT
    assert stand(known, opened, told("access", "2026-11-02 09:36"), late).verdict is BREACHED
    assert stand(known, opened, told("no_access", "2026-11-02 09:35"), late).verdict is KEPT
    assert stand(strict, opened, told("no_access", "2026-11-02 09:35"), late).verdict is BREACHED
    assert stand(known, opened, told("solved", "2026-11-02 09:10")).verdict is BREACHED, "it never got in"
    running = stand(known, opened, told("access", "2026-11-02 09:20"), now="2026-11-02 09:30")
    assert (running.verdict, running.is_open, running.elapsed_us) == (KEPT, True, 20 * MINUTE_US)


def test_the_first_event_that_judges_decides() -> None:
    judged = kind(events=["arrived"], judged={"access": "", "no_access": ""}, stops=None)
    events = (
        told("detected", "2026-11-02 09:00"),
        told("no_access", "2026-11-02 09:10"),
        told("access", "2026-11-02 12:00"),
    )
    one = stand(rules(35, "minutes", fault=judged), *events)
    assert one.judging
    assert one.judging.told.event == "no_access"
    assert one.verdict is KEPT


def test_a_duty_that_was_called_off_first_is_cancelled() -> None:
    opened, known = told("detected", "2026-11-02 09:00"), rules(60, "minutes")
    one = stand(known, opened, told("cancelled", "2026-11-02 09:10"), told("solved", "2026-11-02 12:00"))
    assert one.verdict is CANCELLED
    assert one.ended
    assert one.ended.told.event == "cancelled"
    other = stand(known, opened, told("solved", "2026-11-02 09:10"), told("cancelled", "2026-11-02 12:00"))
    assert other.verdict is KEPT
    assert other.ended
    assert other.ended.told.event == "solved"


def test_a_breach_by_far_is_more_than_a_breach() -> None:
    worse = kind(worse={"over": 50, "is": "grave fault", "clause": "17"}, stops=None)
    known, opened = rules(35, "minutes", fault=worse), told("detected", "2026-11-02 09:00")
    limit = us("2026-11-02 09:52:30")
    assert not stand(known, opened, told("solved", limit)).is_worse
    assert stand(known, opened, told("solved", limit + 1)).is_worse
    assert stand(known, opened, now=limit + 1).is_worse, "an open one, too"
    assert not stand(known, opened, told("cancelled", "2026-11-02 09:01")).is_worse
    days = rules(10, "natural days", fault=worse)
    assert not stand(days, opened, told("solved", "2026-11-17 23:59")).is_worse
    assert stand(days, opened, told("solved", "2026-11-18 00:00")).is_worse
    months = rules(1, "months", fault=worse)
    assert not stand(months, opened, told("solved", "2026-12-17 09:00")).is_worse, (
        "30 days of November, and half of them"
    )
    assert stand(months, opened, told("solved", "2026-12-18 09:00")).is_worse


# --- promises ---------------------------------------------------------------------------------------------------------

INTERVAL = rules(90, "minutes", fault=promising("interval"))
DATE = rules(fault=promising("date"))
NONE = rules(fault=kind(clock="none", limit=None, stops=None))


def promise(event: str, at: str, begin: str | None, end: str) -> NewEvent:
    return told(event, at, begin_us=begin, end_us=end)


def test_an_interval_has_two_ends_and_a_width() -> None:
    opened = promise("scheduled", "2026-11-02 09:00", "2026-11-04 10:00", "2026-11-04 11:30")
    begin, end = us("2026-11-04 10:00"), us("2026-11-04 11:30")
    for at, verdict in ((begin - 1, BREACHED), (begin, KEPT), (end, KEPT), (end + 1, BREACHED)):
        assert stand(INTERVAL, opened, told("arrived", at)).verdict is verdict
    wide = promise("scheduled", "2026-11-02 09:00", "2026-11-04 10:00", "2026-11-04 11:31")
    assert stand(INTERVAL, wide, told("arrived", "2026-11-04 10:30")).verdict is BREACHED
    assert stand(INTERVAL, opened, now=end).verdict is OPEN
    assert stand(INTERVAL, opened, now=end + 1).verdict is BREACHED
    half = promise("scheduled", "2026-11-02 09:00", None, "2026-11-04 11:30")
    assert stand(INTERVAL, half, told("arrived", "2026-11-04 11:00")).verdict is BREACHED


def test_a_date_is_kept_up_to_its_end() -> None:
    opened = promise("scheduled", "2026-11-02 09:00", "2026-11-04 00:00", "2026-11-30 23:59")
    assert stand(DATE, opened, told("done", "2026-11-03 09:00")).verdict is KEPT, "early is in time"
    assert stand(DATE, opened, told("done", "2026-11-30 23:59")).verdict is KEPT
    assert stand(DATE, opened, told("done", us("2026-11-30 23:59") + 1)).verdict is BREACHED


def test_a_promise_may_be_moved_before_it_has_ended() -> None:
    opened = promise("scheduled", "2026-11-02 09:00", "2026-11-04 10:00", "2026-11-04 11:30")
    moved = promise("moved", "2026-11-04 11:30", "2026-11-05 10:00", "2026-11-05 11:00")
    late = promise("moved", "2026-11-04 11:31", "2026-11-05 10:00", "2026-11-05 11:00")
    arrived = told("arrived", "2026-11-05 10:30")
    assert stand(INTERVAL, opened, moved, arrived).verdict is KEPT
    assert stand(INTERVAL, opened, late, arrived).verdict is BREACHED
    again = promise("moved", "2026-11-05 09:00", "2026-11-06 10:00", "2026-11-06 11:00")
    assert stand(INTERVAL, opened, moved, again, told("arrived", "2026-11-06 10:30")).verdict is KEPT
    assert stand(INTERVAL, opened, late, again, told("arrived", "2026-11-06 10:30")).verdict is BREACHED


def test_a_promise_after_the_arrival_changes_nothing() -> None:
    opened = promise("scheduled", "2026-11-02 09:00", "2026-11-04 10:00", "2026-11-04 11:30")
    moved = promise("moved", "2026-11-04 10:40", "2026-11-05 10:00", "2026-11-05 11:00")
    assert stand(INTERVAL, opened, told("arrived", "2026-11-04 10:30"), moved).verdict is KEPT


def test_without_clock_only_the_end_counts() -> None:
    opened = told("detected", "2026-11-02 09:00")
    assert stand(NONE, opened).verdict is OPEN
    assert stand(NONE, opened, told("solved", "2026-11-30 09:00")).verdict is KEPT
    assert stand(NONE, opened, told("cancelled", "2026-11-30 09:00")).verdict is CANCELLED
