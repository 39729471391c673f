"""Whether an appointment may be cancelled now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.service.reminders.cancelling import CancelRules, CancelStep, cancel_step
from vetlla.service.reminders.decision import Away

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
RULES = CancelRules(cutoff=timedelta(hours=2), allows_late=True)


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (AppointmentStatus.CREATED, CancelStep.CALL),
        (AppointmentStatus.RESCHEDULED, CancelStep.CALL),
        (AppointmentStatus.RESERVED, CancelStep.REFUSED),
        (AppointmentStatus.ARRIVED, CancelStep.BEGUN),
        (AppointmentStatus.CALLED, CancelStep.BEGUN),
        (AppointmentStatus.COMPLETE, CancelStep.BEGUN),
        (AppointmentStatus.NO_SHOW, CancelStep.REFUSED),
        (AppointmentStatus.ENDED_BY_RESET, CancelStep.REFUSED),
        (AppointmentStatus.CANCELLED, CancelStep.GONE),
        (AppointmentStatus.UNKNOWN, CancelStep.REFUSED),
    ],
)
def test_the_status_at_the_source_decides(status: AppointmentStatus, step: CancelStep) -> None:
    assert cancel_step(replace(FRESH, status=status), START, RULES, EARLY) is step


def test_an_appointment_that_the_source_has_no_longer_is_cancelled_already() -> None:
    assert cancel_step(None, START, RULES, EARLY) is CancelStep.GONE


def test_an_appointment_that_was_moved_is_asked_about_again() -> None:
    moved = replace(FRESH, start=START + timedelta(hours=1), end=START + timedelta(hours=2))
    assert cancel_step(moved, START, RULES, EARLY) is CancelStep.MOVED


def test_a_procedure_without_cancellation_is_refused() -> None:
    kept = replace(FRESH, services=(BookedService("a", "Padró"), BookedService("b", "Tributs", may_cancel=False)))
    assert cancel_step(kept, START, RULES, EARLY) is CancelStep.REFUSED


@pytest.mark.parametrize(
    ("minutes", "allows_late", "step"),
    [
        (-121, True, CancelStep.CALL),
        (-121, False, CancelStep.CALL),
        (-119, True, CancelStep.CALL),
        (-119, False, CancelStep.LATE),
        (-1, True, CancelStep.CALL),
        (0, True, CancelStep.LATE),
        (10, True, CancelStep.LATE),
    ],
)
def test_the_cut_off_and_the_start_decide(minutes: int, allows_late: bool, step: CancelStep) -> None:  # noqa: FBT001
    rules = replace(RULES, allows_late=allows_late)
    assert cancel_step(FRESH, START, rules, START + timedelta(minutes=minutes)) is step


def test_a_source_that_does_not_answer_is_asked_again_until_the_start() -> None:
    assert cancel_step(Away.AWAY, START, RULES, EARLY) is CancelStep.WAIT
    assert cancel_step(Away.AWAY, START, RULES, START) is CancelStep.LATE
