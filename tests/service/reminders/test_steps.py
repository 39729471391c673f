"""Reminders are due at the hour of the wall clock, never in quiet hours, and never past their use."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.reminders import NOW, ZONE, appointment
from vetlla.domain.appointments import EXPECTED, AppointmentStatus, BookedService
from vetlla.domain.messages import MessageKind
from vetlla.service.reminders.quiet import NEVER_QUIET, QuietHours, moment_of, wall
from vetlla.service.reminders.steps import (
    BOOKED,
    RulesBook,
    Step,
    StepRules,
    due_steps,
    has_due,
    planned_notice,
    planned_reminder,
    schedule,
)

HOURS = timedelta(hours=1)
DAY, TWO_DAYS, TWO_HOURS = Step("24h", 24 * HOURS), Step("48h", 48 * HOURS), Step("2h", 2 * HOURS)
FREE = StepRules(steps=(DAY,), quiet=NEVER_QUIET)


def at(text: str) -> datetime:
    """Return the moment at which the clocks of Lleida show this."""
    return moment_of(datetime.fromisoformat(text), ZONE)


def dues(start: datetime, rules: StepRules) -> list[tuple[str, datetime, datetime]]:
    return [(one.step.name, one.due, one.useful_until) for one in schedule(start, ZONE, rules)]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-11-24T10:30", "2026-11-23T10:30"),
        ("2026-10-25T10:30", "2026-10-24T10:30"),  # 25 hours
        ("2027-03-28T10:30", "2027-03-27T10:30"),  # 23 hours
        ("2026-10-26T10:30", "2026-10-25T10:30"),
        ("2027-03-29T10:30", "2027-03-28T10:30"),
    ],
)
def test_the_lead_is_counted_on_the_wall_clock_also_when_the_clocks_change(start: str, due: str) -> None:
    assert dues(at(start), FREE)[0][1] == at(due)


def test_the_days_on_which_the_clocks_change_have_25_and_23_hours() -> None:
    assert at("2026-10-25T10:30") - dues(at("2026-10-25T10:30"), FREE)[0][1] == 25 * HOURS
    assert at("2027-03-28T10:30") - dues(at("2027-03-28T10:30"), FREE)[0][1] == 23 * HOURS


def test_an_hour_that_the_clocks_skip_or_show_twice_is_the_earlier_moment() -> None:
    assert at("2027-03-28T02:30") == datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    assert at("2026-10-25T02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_an_office_with_a_misspelt_zone_is_reminded_on_the_citys_clock() -> None:
    start = at("2026-11-24T10:30")
    assert schedule(start, "Europe/Lleida", FREE) == schedule(start, ZONE, FREE)
    assert schedule(start, "../etc", FREE) == schedule(start, ZONE, FREE)


def test_a_reminder_in_quiet_hours_is_due_the_evening_before() -> None:
    rules = StepRules(steps=(TWO_HOURS,))
    assert dues(at("2026-11-24T09:30"), rules)[0][1] == at("2026-11-23T20:30")
    late = StepRules(steps=(Step("12h", 12 * HOURS),))
    assert dues(at("2026-11-24T10:30"), late)[0][1] == at("2026-11-23T20:30")


def test_a_reminder_on_a_holiday_is_due_before_all_holidays_in_a_row() -> None:
    quiet = QuietHours(holidays=frozenset({date(2026, 12, 7), date(2026, 12, 8)}))
    rules = StepRules(steps=(DAY,), quiet=quiet)
    assert dues(at("2026-12-09T10:30"), rules)[0][1] == at("2026-12-06T20:30")
    assert quiet.after(at("2026-12-06T22:00"), ZONE) == at("2026-12-09T09:00")


def test_two_reminders_that_fall_on_one_evening_are_one() -> None:
    quiet = QuietHours(holidays=frozenset({date(2026, 12, 7), date(2026, 12, 8)}))
    found = dues(at("2026-12-09T10:30"), StepRules(steps=(DAY, TWO_DAYS), quiet=quiet))
    assert [name for name, *_ in found] == ["24h"]


def test_the_use_of_a_reminder_ends_when_the_next_one_is_due_and_before_the_appointment() -> None:
    start = at("2026-11-26T12:00")
    found = dues(start, StepRules(steps=(TWO_HOURS, DAY, TWO_DAYS)))
    assert [name for name, *_ in found] == ["48h", "24h", "2h"]
    assert [end for *_, end in found] == [at("2026-11-25T12:00"), at("2026-11-26T10:00"), at("2026-11-26T11:30")]


def test_a_citizen_who_booked_three_hours_before_gets_no_reminder_of_24_hours() -> None:
    one = appointment(start=NOW + 3 * HOURS)
    assert due_steps(one, FREE, NOW, booked_at=NOW) == []


def test_a_late_booking_is_confirmed_instead_if_the_office_wants_it() -> None:
    rules = StepRules(steps=(DAY,), quiet=NEVER_QUIET, confirms_late_booking=True)
    (found,) = due_steps(appointment(start=NOW + 3 * HOURS), rules, NOW, booked_at=NOW)
    assert (found.step.name, found.due) == (BOOKED, NOW)
    assert planned_reminder(appointment(), found).kind is MessageKind.REMINDER
    assert due_steps(appointment(start=NOW + 48 * HOURS), rules, NOW, booked_at=NOW - 50 * HOURS)[0].step is DAY


def test_an_appointment_of_the_first_poll_is_reminded_of_late_rather_than_never() -> None:
    one = appointment(start=NOW + 20 * HOURS)
    assert [due.step for due in due_steps(one, FREE, NOW)] == [DAY]


def test_a_reminder_only_for_the_unconfirmed_is_left_out_after_a_confirmation() -> None:
    rules = StepRules(
        steps=(Step("48h", 48 * HOURS), Step("24h", 24 * HOURS, only_unconfirmed=True)), quiet=NEVER_QUIET
    )
    one = appointment(start=NOW + 50 * HOURS)
    assert [due.step.name for due in due_steps(one, rules, NOW, is_confirmed=True)] == ["48h"]
    assert [due.step.name for due in due_steps(one, rules, NOW)] == ["48h", "24h"]


@pytest.mark.parametrize("status", [one for one in AppointmentStatus if one not in EXPECTED])
def test_only_citizens_who_are_still_to_come_are_reminded(status: AppointmentStatus) -> None:
    assert due_steps(appointment(status=status), FREE, NOW) == []
    assert due_steps(appointment(start=NOW), FREE, NOW) == []


def test_a_service_has_its_own_rules_before_those_of_its_office() -> None:
    office, service = StepRules(steps=(TWO_DAYS,)), StepRules(steps=(TWO_HOURS,))
    book = RulesBook(offices={"46": office}, services={("46", "padro"): service})
    assert book.rules_for(appointment()) is office
    assert book.rules_for(appointment(services=(BookedService("padro", "Alta padró"),))) is service
    assert book.rules_for(appointment(office="47")) is book.default


def test_each_move_has_a_notice_of_its_own() -> None:
    first, second = (planned_notice(appointment(), moves, FREE, NOW) for moves in (1, 3))
    assert first is not None
    assert second is not None
    assert first.key != second.key
    assert first.kind is MessageKind.MOVED


def test_a_notice_waits_for_the_morning_unless_the_appointment_comes_first() -> None:
    night = at("2026-11-23T23:00")
    later = planned_notice(appointment(start=at("2026-11-24T10:00")), 1, StepRules(), night)
    assert later is not None
    assert later.due == at("2026-11-24T09:00")
    early = planned_notice(appointment(start=at("2026-11-24T08:30")), 1, StepRules(), night)
    assert early is not None
    assert early.due == night


def test_no_notice_of_what_is_past() -> None:
    gone = appointment(start=NOW, status=AppointmentStatus.CANCELLED)
    assert planned_notice(gone, 0, StepRules(), NOW) is None
    assert planned_notice(appointment(), 0, StepRules(tells_changes=False), NOW) is None


moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001
leads = st.lists(st.integers(1, 100), min_size=1, max_size=4, unique=True)


@settings(deadline=None)
@given(moments, leads, st.sets(st.dates(date(2026, 1, 1), date(2028, 1, 1)), max_size=20))
def test_no_reminder_is_due_in_quiet_hours_after_its_lead_or_after_its_use(
    start: datetime, hours: list[int], holidays: set[date]
) -> None:
    quiet = QuietHours(holidays=frozenset(holidays))
    rules = StepRules(steps=tuple(Step(f"{one}h", one * HOURS) for one in hours), quiet=quiet)
    found = schedule(start, ZONE, rules)
    for one, following in zip(found, [*found[1:], None], strict=True):
        assert not quiet.is_quiet(one.due, ZONE)
        assert one.due <= moment_of(wall(start, ZONE) - one.step.lead, ZONE)
        assert one.due < one.useful_until < start
        assert following is None or one.useful_until == following.due


@settings(deadline=None)
@given(moments)
def test_the_morning_after_is_never_quiet_and_never_earlier(moment: datetime) -> None:
    quiet = QuietHours()
    later = quiet.after(moment, ZONE)
    assert later >= moment
    assert not quiet.is_quiet(later, ZONE)


@given(
    minutes=st.integers(1, 15 * 24 * 60),
    booked=st.none() | st.integers(0, 15 * 24 * 60),
    confirms=st.booleans(),
    quiet=st.sampled_from([NEVER_QUIET, QuietHours(holidays=frozenset({date(2026, 11, 24), date(2026, 12, 8)}))]),
)
def test_an_hour_at_which_something_is_due_is_never_left_out(
    minutes: int, booked: int | None, quiet: QuietHours, *, confirms: bool
) -> None:
    rules = StepRules(steps=(DAY, TWO_DAYS, TWO_HOURS), quiet=quiet, confirms_late_booking=confirms)
    one = appointment(start=NOW + timedelta(minutes=minutes))
    booked_at = None if booked is None else NOW - timedelta(minutes=booked)
    until = NOW + timedelta(minutes=15)
    due = [step for step in due_steps(one, rules, NOW, booked_at=booked_at) if step.due <= until]
    assert has_due(one.start, one.zone, [FREE, rules], NOW, until) or not due
    assert not has_due(NOW + 15 * DAY.lead, one.zone, [FREE, rules], NOW, until)


def test_a_step_of_information_plans_a_message_of_its_own_kind() -> None:
    rules = StepRules(steps=(Step("72h", 72 * HOURS, kind=MessageKind.INFORMATION), DAY), quiet=NEVER_QUIET)
    one = appointment(start=NOW + 4 * 24 * HOURS)
    kinds = [planned_reminder(one, due).kind for due in due_steps(one, rules, NOW)]
    assert kinds == [MessageKind.INFORMATION, MessageKind.REMINDER]
