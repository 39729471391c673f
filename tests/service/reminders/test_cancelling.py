"""Whether an appointment may be cancelled now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.service.reminders.cancelling import CancelPolicy, CancelStep, step_of

START = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
FRESH = Appointment(
    key=AppointmentKey("lleida", "4711"),
    office="46",
    start=START,
    end=START + timedelta(minutes=10),
    zone="Europe/Madrid",
    status=AppointmentStatus.CREATED,
)
EARLY = START - timedelta(days=1)
POLICY = CancelPolicy(cutoff=timedelta(hours=2))


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (AppointmentStatus.CREATED, CancelStep.CANCEL),
        (AppointmentStatus.RESCHEDULED, CancelStep.CANCEL),
        (AppointmentStatus.RESERVED, CancelStep.UNCLEAR),
        (AppointmentStatus.ARRIVED, CancelStep.BEGUN),
        (AppointmentStatus.CALLED, CancelStep.BEGUN),
        (AppointmentStatus.COMPLETE, CancelStep.BEGUN),
        (AppointmentStatus.NO_SHOW, CancelStep.ENDED),
        (AppointmentStatus.ENDED_BY_RESET, CancelStep.ENDED),
        (AppointmentStatus.CANCELLED, CancelStep.ALREADY),
        (AppointmentStatus.UNKNOWN, CancelStep.UNCLEAR),
    ],
)
def test_the_status_at_the_source_decides(status: AppointmentStatus, step: CancelStep) -> None:
    assert step_of(replace(FRESH, status=status), START, EARLY, POLICY) is step


def test_an_appointment_that_the_source_has_no_longer_is_cancelled_already() -> None:
    assert step_of(None, START, EARLY, POLICY) is CancelStep.ALREADY


def test_an_appointment_that_was_moved_is_asked_about_again() -> None:
    moved = replace(FRESH, start=START + timedelta(hours=1), end=START + timedelta(hours=2))
    assert step_of(moved, START, EARLY, POLICY) is CancelStep.MOVED


def test_a_procedure_without_cancellation_is_refused() -> None:
    kept = replace(FRESH, services=(BookedService("a", "Padró"), BookedService("b", "Tributs", may_cancel=False)))
    assert step_of(kept, START, EARLY, POLICY) is CancelStep.NOT_ALLOWED


@pytest.mark.parametrize(
    ("minutes", "takes_late", "step"),
    [
        (-121, True, CancelStep.CANCEL),
        (-120, True, CancelStep.CANCEL),
        (-119, True, CancelStep.CANCEL_LATE),
        (-119, False, CancelStep.TOO_LATE),
        (-1, True, CancelStep.CANCEL_LATE),
        (0, True, CancelStep.TOO_LATE),
        (9, True, CancelStep.TOO_LATE),
        (10, True, CancelStep.ENDED),
    ],
)
def test_the_cut_off_and_the_start_decide(minutes: int, takes_late: bool, step: CancelStep) -> None:  # noqa: FBT001
    policy = replace(POLICY, takes_late=takes_late)
    assert step_of(FRESH, START, START + timedelta(minutes=minutes), policy) is step
