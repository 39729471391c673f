"""What is free on a day, and what is proposed, is never more than the capacity."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import to_us
from vetlla.domain.duties import Duty, DutyEvent, NewEvent
from vetlla.service.duties.standing import standing
from vetlla.service.visits.fitting import VisitSlot, fit
from vetlla.service.visits.free import Hours, free_days, stop_of, windows
from vetlla.service.visits.visit import HomeVisit, VisitState, visit_of
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.visits.free import FreeDay, Window

MADRID = ZoneInfo("Europe/Madrid")
RULES = load_rules()
HOURS = Hours(9, 18, 90)
MONDAY = date(2026, 11, 30)
DAYS = [MONDAY + timedelta(days=number) for number in range(4)]
CAPACITY = 600
MINUTE_US = 60_000_000


def visit(
    day: date, minute: int, *, minutes: int = 40, technician: str = "T1", events: Sequence[str] = ()
) -> HomeVisit:
    """Return a visit whose interval begins some minutes after nine."""
    begin = to_us(datetime(day.year, day.month, day.day, 9, tzinfo=MADRID)) + minute * MINUTE_US
    details = f'{{"team":"{technician}","minutes":"{minutes}"}}'
    told = NewEvent(
        "visit", "H1", "scheduled", begin - 1, begin_us=begin, end_us=begin + 90 * MINUTE_US, details=details
    )
    made = [told, *(NewEvent("visit", "H1", name, begin) for name in events)]
    duty = Duty(1, "visit", "H1", tuple(DutyEvent(place + 1, one, "", 0) for place, one in enumerate(made)))
    return visit_of(standing(duty, RULES, begin))


visits = st.builds(
    visit,
    st.sampled_from(DAYS),
    st.integers(0, 450),
    minutes=st.integers(5, 200),
    technician=st.sampled_from(["T1", "T2"]),
)


def days_of(found: Sequence[HomeVisit]) -> list[FreeDay]:
    """Return the days with these visits."""
    scheduled = [(RULES.calendar.date_of(one.begin_us), one.minutes) for one in found]
    return free_days(dict.fromkeys(DAYS, CAPACITY), scheduled, [])


def proposals(found: Sequence[HomeVisit], minutes: int, *, technician: str = "", after_us: int = 0) -> list[Window]:
    """Return all intervals that are possible."""
    return list(
        windows(days_of(found), found, HOURS, MADRID, minutes=minutes, after_us=after_us, technician=technician)
    )


@given(st.lists(visits, max_size=12), st.integers(5, 120))
def test_a_visit_in_a_proposed_interval_exceeds_no_capacity(found: list[HomeVisit], minutes: int) -> None:
    before = {day.day: day for day in days_of(found)}
    for window in proposals(found, minutes):
        day = RULES.calendar.date_of(window.begin_us)
        new = visit(day, 0, minutes=minutes)
        after = {one.day: one for one in days_of([*found, new])}
        assert after[day].free == before[day].free - minutes >= 0
        assert window.end_us - window.begin_us == 90 * MINUTE_US
        assert minutes <= window.free <= before[day].free


@given(st.lists(visits, max_size=8), st.integers(5, 120))
def test_what_is_proposed_for_a_technician_fits_beside_the_visits_of_that_one(
    found: list[HomeVisit], minutes: int
) -> None:
    mine = [stop_of(one) for one in found if one.technician == "T1"]
    for window in proposals(found, minutes, technician="T1"):
        assert fit([*mine, VisitSlot(window.begin_us, window.end_us, minutes * MINUTE_US)])


@given(st.lists(visits, max_size=12))
def test_free_minutes_and_work_make_the_capacity(found: list[HomeVisit]) -> None:
    for day in days_of(found):
        assert day.free == max(0, CAPACITY - day.scheduled)
    assert sum(day.scheduled for day in days_of(found)) == sum(one.minutes for one in found)


def test_a_day_without_capacity_and_a_full_day_have_no_interval() -> None:
    assert not list(windows(free_days({MONDAY: 0}, [], []), [], HOURS, MADRID, minutes=1, after_us=0, technician=""))
    full = [visit(MONDAY, 0, minutes=CAPACITY)]
    assert MONDAY not in {RULES.calendar.date_of(one.begin_us) for one in proposals(full, 5)}


def test_the_freest_interval_of_the_first_day_comes_first_and_no_past_one() -> None:
    busy = [visit(MONDAY, 0, minutes=60), visit(MONDAY, 90, minutes=30)]
    nine = to_us(datetime(2026, 11, 30, 9, tzinfo=MADRID))
    assert proposals(busy, 40)[0].begin_us == nine + 180 * MINUTE_US
    assert proposals(busy, 40, after_us=nine + 181 * MINUTE_US)[0].begin_us == nine + 270 * MINUTE_US


def test_planned_visits_take_capacity_too() -> None:
    (day,) = free_days({MONDAY: 100}, [(MONDAY, 40)], [(MONDAY, 90), (DAYS[1], 5)])
    assert (day.scheduled, day.planned, day.free) == (40, 90, 0)


def test_the_last_event_says_what_became_of_a_visit() -> None:
    assert visit(MONDAY, 0).state is VisitState.SCHEDULED
    assert visit(MONDAY, 0, events=["arrived"]).state is VisitState.ARRIVED
    assert visit(MONDAY, 0, events=["arrived", "done"]).state is VisitState.DONE
    assert not visit(MONDAY, 0, events=["cancelled"]).takes_time


def test_a_visit_of_another_system_without_details_is_read() -> None:
    told = NewEvent("visit", "H1", "scheduled", 5, end_us=90)
    one = visit_of(standing(Duty(7, "visit", "H1", (DutyEvent(7, told, "", 0),)), RULES, 10))
    assert (one.begin_us, one.end_us, one.purpose, one.minutes, one.duties) == (90, 90, "other", 0, ())
