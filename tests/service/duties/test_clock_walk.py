"""The clocks of duties against a slow model that walks through every minute and every day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.duties import DAY_US, HOUR_US, LOCAL, MINUTE_US, recorded, rules, told
from vetlla.domain.clock import to_datetime, to_us
from vetlla.domain.duties import DutyVerdict
from vetlla.service.calendar import public_holidays
from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import standing

ZONES = ["Europe/Madrid", "Australia/Lord_Howe", "UTC", "America/Havana"]
"""Two hours a year change in Madrid, half hours on Lord Howe Island, and in Havana the clocks change at midnight."""
CHANGES = [
    "2026-03-29",
    "2026-10-25",
    "2026-04-05",
    "2026-10-04",
    "2026-03-08",
    "2026-11-01",
    "2026-12-05",
    "2026-09-22",
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["paused", "resumed", "absent", "arrived", "paused", "resumed", "solved", "cancelled"]),
        st.sampled_from([0, 1, 7, 25, 60, 61, 600, 1441, 2880]),
    ),
    max_size=7,
)
UNITS = st.sampled_from([("minutes", 90), ("hours", 3), ("natural days", 1), ("natural days", 3), ("working days", 2)])


class Story(NamedTuple):
    """What may happen to a duty."""

    steps: list[tuple[str, int]]
    """Each event, and the minutes since the one before it."""
    unit: tuple[str, int]
    day: str
    start: int
    """Minutes after the beginning of the day before ``day``."""
    zone: str
    absent_stops: bool
    rest: int
    """Minutes after the last event."""


STORIES = st.builds(
    Story, STEPS, UNITS, st.sampled_from(CHANGES), st.integers(0, 2880), st.sampled_from(ZONES), st.booleans(),
    st.integers(0, 9000),
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(STORIES)
def test_the_clock_agrees_with_a_walk(story: Story) -> None:
    """The verdict is right for any events, in any zone, across changes of the clocks, holidays, stops and restarts."""
    known = rules(story.unit[1], story.unit[0], zone=story.zone, stops=story.absent_stops)
    opened_us = to_us(datetime.fromisoformat(story.day).replace(tzinfo=UTC)) - DAY_US + story.start * MINUTE_US
    events, at_us = [told("detected", opened_us)], opened_us
    for event, minutes in story.steps:
        at_us += minutes * MINUTE_US
        events.append(told(event, at_us))
    events = list({(event.event, event.at_us): event for event in events}.values())
    duty, *_ = group(known.kinds.kind("fault"), recorded(*events)).duties
    now_us = at_us + story.rest * MINUTE_US
    found = standing(duty, known, now_us)
    model = Walk(story, [(one.told.event, one.told.at_us) for one in duty.events])
    assert found.verdict.value == model.verdict(now_us)
    if not found.is_open or found.judging:
        assert found.due_us is not None, "what has ended had a time by which it was due"
        assert (found.until_us > found.due_us) == (found.verdict is DutyVerdict.BREACHED)
    if found.verdict is not DutyVerdict.OPEN or found.due_us is None:
        return
    assert model.verdict(found.due_us) == "open"
    assert model.verdict(found.due_us + 1) == "breached"


class Walk:
    """A clock that is asked moment by moment whether its limit has been used up."""

    def __init__(self, story: Story, events: list[tuple[str, int]]) -> None:
        self.unit, self.limit = story.unit
        self.zone, self.events = ZoneInfo(story.zone), events
        self.opened_us = events[0][1]
        self.restarts = {"paused": "resumed"} | ({"absent": "arrived"} if story.absent_stops else {})
        self.closed = set(LOCAL).union(*(public_holidays("ES-CT", year) for year in (2025, 2026, 2027)))

    def verdict(self, now_us: int) -> str:
        """Return the verdict at a time, from the state of each earlier moment."""
        waits: set[str] = set()
        used, at_us, is_out, is_day_interrupted = 0, self.opened_us, False, False
        for event, then_us in [*self.events[1:], ("now", now_us)]:
            # A stop in time may still save the duty, so the clock is read first and the event counts after that.
            if not waits and then_us >= at_us:
                used += self.passed(at_us, then_us)
                is_out = is_out or self.is_over(used, then_us)
            if waits or then_us >= at_us:
                at_us = then_us
            if event == "now":
                return "breached" if is_out else "open"
            if event == "solved":
                return "breached" if is_out else "kept"
            if event == "cancelled":
                return "breached" if is_out else "cancelled"
            still = {stop for stop in waits if self.restarts[stop] != event} | ({event} & set(self.restarts))
            if still and not waits:
                is_day_interrupted = self.unit == "working days" and self.is_working(self.day(at_us))
            if waits and not still and is_day_interrupted:
                at_us = self.next_working(at_us)
            waits = still
        raise AssertionError

    def next_working(self, at_us: int) -> int:
        """Return a moment on a working day, or the begin of the next working day: until then the clock still stands."""
        day = self.day(at_us)
        if self.is_working(day):
            return at_us
        while not self.is_working(day):
            day += timedelta(days=1)
        return to_us(datetime.combine(day, time(), self.zone))

    def passed(self, begin_us: int, end_us: int) -> int:
        """Return what passes between two moments: microseconds, or the days that begin, counted one by one."""
        if self.unit in {"minutes", "hours"}:
            return end_us - begin_us
        day, last, count = self.day(begin_us), self.day(end_us), 0
        while day < last:
            day += timedelta(days=1)
            count += self.unit == "natural days" or self.is_working(day)
        return count

    def is_over(self, used: int, at_us: int) -> bool:
        if self.unit in {"minutes", "hours"}:
            return used > self.limit * (MINUTE_US if self.unit == "minutes" else HOUR_US)
        if self.unit == "natural days":
            return used > self.limit
        # On a free day after the last working day of the limit, the limit has run out.
        return used > self.limit or (used == self.limit and not self.is_working(self.day(at_us)))

    def day(self, at_us: int) -> date:
        return to_datetime(at_us).astimezone(self.zone).date()

    def is_working(self, day: date) -> bool:
        return day.isoweekday() < 6 and day not in self.closed


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(2026, 1, 1), date(2026, 12, 30)))
def test_days_end_where_the_next_ones_begin(name: str, day: date) -> None:
    """Minute by minute: each belongs to the day that the calendar's ends say."""
    calendar = rules(zone=name).calendar
    number = day.toordinal()
    begin, end = calendar.begin_of(number), calendar.end_of(number)
    assert (calendar.day_of(begin), calendar.day_of(end)) == (number, number)
    assert (calendar.day_of(begin - 1), calendar.day_of(end + 1)) == (number - 1, number + 1)
    assert (end + 1 - begin) // MINUTE_US in {1440, 1380, 1500, 1410, 1470}


@settings(max_examples=100, deadline=None)
@given(st.dates(date(2024, 1, 1), date(2028, 12, 31)), st.integers(0, 60))
def test_working_days_are_counted_one_by_one(day: date, number: int) -> None:
    known: Any = rules().calendar
    closed = set(LOCAL).union(*(public_holidays("ES-CT", year) for year in range(2023, 2031)))
    walked, left = day, number
    while left:
        walked += timedelta(days=1)
        left -= walked.isoweekday() < 6 and walked not in closed
    assert known.working_after(day.toordinal(), number) == walked.toordinal()
    assert known.working_between(day.toordinal(), walked.toordinal()) == number
    assert known.is_working(day.toordinal()) == (day.isoweekday() < 6 and day not in closed)
