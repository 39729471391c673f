"""A poll says what is new, moved and cancelled; what it does not have is only to be checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.rigs.reminders import NOW, appointment, key
from vetlla.domain.appointments import AppointmentStatus
from vetlla.service.reminders.polls import absent, compare

DAY = timedelta(days=1)
TEN = [appointment(n, NOW + DAY) for n in range(10)]


def test_a_new_appointment_is_created() -> None:
    assert compare([], [appointment()], NOW, is_complete=True).created == (appointment(),)


def test_another_hour_is_a_move_and_keeps_the_key() -> None:
    later = appointment(start=NOW + 2 * DAY)
    (moved,) = compare([appointment()], [later], NOW, is_complete=True).moved
    assert moved == (appointment(), later)


def test_a_status_of_cancelled_is_a_cancellation() -> None:
    gone = appointment(status=AppointmentStatus.CANCELLED)
    changes = compare([appointment()], [gone], NOW, is_complete=True)
    assert changes.cancelled == (gone,)
    assert changes.to_put == (gone,)


def test_a_source_that_forgets_the_telephone_with_the_place_does_not_silence_the_notice() -> None:
    gone = appointment(status=AppointmentStatus.CANCELLED, phone="")
    (cancelled,) = compare([appointment()], [gone], NOW, is_complete=True).cancelled
    assert cancelled.phone == appointment().phone


def test_an_absent_appointment_is_to_be_checked_and_not_cancelled() -> None:
    changes = compare(TEN[:3], TEN[1:3], NOW, is_complete=True)
    assert changes.cancelled == ()
    assert changes.to_check == (key(0),)


@pytest.mark.parametrize(("is_complete", "faults"), [(False, ()), (True, ("entry 4 has no start",))])
def test_absence_means_nothing_after_an_incomplete_poll(is_complete: bool, faults: tuple[str, ...]) -> None:  # noqa: FBT001
    changes = compare(TEN[:3], TEN[1:3], NOW, is_complete=is_complete, faults=faults)
    assert changes.to_check == ()


def test_a_past_appointment_that_the_source_no_longer_lists_is_not_checked() -> None:
    past = appointment(start=NOW - timedelta(minutes=1))
    assert compare([past], [], NOW, is_complete=True).to_check == ()


def test_an_empty_list_is_not_sixty_cancellations() -> None:
    known = [appointment(n, NOW + DAY) for n in range(60)]
    changes = compare(known, [], NOW, is_complete=True)
    assert changes.is_suspicious
    assert changes.to_put == ()
    assert changes.to_check == ()


def test_a_suspicious_poll_plans_nothing_new_either() -> None:
    changes = compare(TEN, [appointment("new")], NOW, is_complete=True)
    assert changes.is_suspicious
    assert changes.created == ()


@pytest.mark.parametrize(
    ("known", "lost", "is_suspicious"), [(10, 5, False), (10, 6, True), (20, 6, False), (20, 7, True)]
)
def test_a_poll_is_suspicious_that_loses_more_than_five_and_more_than_30_percent(
    known: int,
    lost: int,
    is_suspicious: bool,  # noqa: FBT001
) -> None:
    before = [appointment(n, NOW + DAY) for n in range(known)]
    changes = compare(before, before[lost:], NOW, is_complete=True)
    assert changes.is_suspicious is is_suspicious
    assert len(changes.to_check) == (0 if is_suspicious else lost)


def test_sixty_cancellations_at_once_are_looked_at_by_a_person_first() -> None:
    gone = [replace(one, status=AppointmentStatus.CANCELLED) for one in TEN]
    assert compare(TEN, gone, NOW, is_complete=True).is_suspicious
    assert len(compare(TEN, gone, NOW, is_complete=True, is_accepted=True).cancelled) == 10


def test_what_the_source_no_longer_has_is_cancelled() -> None:
    changes = absent(appointment(), None)
    assert [one.status for one in changes.cancelled] == [AppointmentStatus.CANCELLED]
    assert changes.cancelled[0].phone == appointment().phone


def test_an_appointment_that_moved_out_of_the_polled_days_is_a_move() -> None:
    later = appointment(start=NOW + 40 * DAY)
    assert absent(appointment(), later).moved[0].now == later


def test_an_appointment_that_is_still_there_is_not_cancelled() -> None:
    assert absent(appointment(), appointment()).to_put == ()


def test_a_slot_that_was_only_held_is_neither_moved_nor_cancelled_for_its_citizen() -> None:
    held = appointment(status=AppointmentStatus.RESERVED)
    assert compare([held], [appointment(start=NOW + 2 * DAY)], NOW, is_complete=True).moved == ()
    gone = appointment(status=AppointmentStatus.CANCELLED)
    assert compare([held], [gone], NOW, is_complete=True).cancelled == ()


def test_unknown_codes_are_counted() -> None:
    found = [appointment(n, status=AppointmentStatus.UNKNOWN) for n in range(3)]
    assert compare([], found, NOW, is_complete=True).unknown == 3


def test_an_appointment_that_a_source_lists_twice_is_one() -> None:
    assert len(compare([], [appointment(), appointment()], NOW, is_complete=True).created) == 1
