"""The groups that chance made, and what may be said of their difference."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from vetlla.domain.reminder_counts import AppointmentCount, Presence, Reminding, ReportPeriod
from vetlla.service.reminders.report.experiment import compare_arms

PERIOD = ReportPeriod(
    first=date(2026, 11, 1), last=date(2026, 11, 30),
    begin=datetime(2026, 10, 31, 23, tzinfo=UTC), end=datetime(2026, 11, 30, 23, tzinfo=UTC),
)  # fmt: skip


def some(number: int, presence: Presence, reminding: Reminding, *, drawn: bool = True) -> AppointmentCount:
    """Return a count of appointments."""
    return AppointmentCount("46", presence, reminding, "", is_confirmed=False, is_drawn=drawn, appointments=number)


COUNTS = (
    some(70, Presence.CAME, Reminding.HELD_BACK),
    some(20, Presence.NO_SHOW, Reminding.HELD_BACK),
    some(10, Presence.CANCELLED_ELSEWHERE, Reminding.HELD_BACK),
    some(3, Presence.UNMARKED, Reminding.HELD_BACK),
    some(600, Presence.CAME, Reminding.REMINDED),
    some(60, Presence.NO_SHOW, Reminding.REMINDED),
    some(200, Presence.CANCELLED_BY_CITIZEN, Reminding.REMINDED),
    some(30, Presence.CAME, Reminding.NOT_REACHED),
    some(10, Presence.NO_SHOW, Reminding.NOT_SENT),
    some(500, Presence.NO_SHOW, Reminding.NOT_SENT, drawn=False),
)


def test_a_group_is_what_chance_made_and_not_what_was_sent() -> None:
    """Reminders that failed or were not sent stay in the group that was to be reminded."""
    found = compare_arms(COUNTS, PERIOD, Decimal(5))
    held, told = found.held_back, found.reminded
    assert (held.appointments, held.came, held.no_show.part, held.cancelled, held.not_known) == (103, 70, 20, 10, 3)
    assert (told.appointments, told.came, told.no_show.part, told.cancelled) == (900, 630, 70, 200)


def test_appointments_that_never_came_to_the_draw_are_in_no_group() -> None:
    found = compare_arms(COUNTS, PERIOD, Decimal(5))
    assert found.reminded.appointments == 900


def test_a_no_show_is_counted_of_all_and_of_those_that_kept_their_appointment() -> None:
    """A reminder makes people cancel, so those who keep their appointment are not the same in both groups."""
    found = compare_arms(COUNTS, PERIOD, Decimal(5))
    assert (found.held_back.no_show_of_all.value, found.reminded.no_show_of_all.value) == (
        Decimal("0.2000"), Decimal("0.0778")
    )  # fmt: skip
    assert found.effect.value == Decimal("-0.1222")
    assert found.effect.high is not None
    assert found.effect.high < 0
    assert (found.held_back.no_show.whole, found.reminded.no_show.whole) == (90, 700)
    assert found.effect_on_kept.value == Decimal("-0.1222")


def test_it_is_told_how_many_are_missing() -> None:
    found = compare_arms(COUNTS, PERIOD, Decimal(5))
    assert found.needed is not None
    assert found.missing == found.needed - 1_000
    assert compare_arms(COUNTS, PERIOD, Decimal(15)).missing == 0
    assert compare_arms(COUNTS, PERIOD, Decimal(30)).needed is None


def test_groups_without_a_known_end_say_nothing() -> None:
    found = compare_arms([some(4, Presence.TO_COME, Reminding.HELD_BACK)], PERIOD, Decimal(5))
    assert found.effect == (None, None, None)
    assert (found.needed, found.missing) == (None, None)
    assert [row[:2] for row in found.table().rows] == [("held_back", 4), ("reminded", 0)]
