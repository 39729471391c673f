"""A report with number and data of an earlier one is a retry, an addition or another call."""

from __future__ import annotations

import pytest

from vetlla.domain.clock import SECOND_US
from vetlla.service.queue.retelling import RETRY_GAP_S, Remembered, Retelling, Said, compare

ANOTHER, ADDITION, RETRY = Retelling.ANOTHER, Retelling.ADDITION, Retelling.RETRY
GAP_US = RETRY_GAP_S * SECOND_US
UNTIMED = Said(None, None, 0)


def judged(
    before: Said | None,
    said: Said,
    *,
    after_us: int = SECOND_US,
    alarm: int | None = 7,
    is_open: bool = True,
    lies_between: bool = False,
) -> Retelling:
    first = Remembered(1, 1, alarm, 0, before)
    return compare(first, said, after_us, is_open=is_open, lies_between=lies_between)


@pytest.mark.parametrize("said", [UNTIMED, Said(5, None, 0), Said(None, 5, 0)])
def test_once_its_alarm_is_closed_the_same_report_is_another_call(said: Said) -> None:
    """Its times do not matter, because a terminal's clock may have stopped."""
    assert judged(said, said) is RETRY
    assert judged(said, said, is_open=False) is ANOTHER


def test_a_report_without_an_alarm_is_repeated_whether_alarms_are_open_or_not() -> None:
    """A routine report opens no alarm."""
    assert judged(UNTIMED, UNTIMED, alarm=None, is_open=False) is RETRY


def test_another_report_between_makes_it_another_call() -> None:
    """Press, restore, press are two calls; but an event with the same time is the same, whatever lies between."""
    assert judged(UNTIMED, UNTIMED, lies_between=True) is ANOTHER
    assert judged(Said(None, 5, 0), Said(None, 5, 0), lies_between=True) is ANOTHER
    assert judged(Said(5, None, 0), Said(5, 9, 0), lies_between=True) is RETRY


def test_two_times_of_occurrence_are_two_calls() -> None:
    """A retry does not change the time of occurrence, but it may contain one for the first time."""
    assert judged(Said(5, None, 0), Said(6, None, 0)) is ANOTHER
    assert judged(UNTIMED, Said(6, None, 1)) is ADDITION


@pytest.mark.parametrize(("apart_us", "expected"), [(0, RETRY), (GAP_US, RETRY), (GAP_US + 1, ANOTHER)])
def test_times_of_sending_may_lie_as_far_apart_as_retries_do(apart_us: int, expected: Retelling) -> None:
    """A retry may get a new stamp; the difference may be negative, since terminals set their clocks."""
    assert judged(Said(None, 0, 0), Said(None, apart_us, 0), after_us=apart_us) is expected
    assert judged(Said(None, apart_us, 0), Said(None, 0, 0), after_us=apart_us) is expected


def test_without_any_time_a_late_repetition_may_be_another_call() -> None:
    """It is stored with the first one's alarm; an equal time of sending always proves a retry."""
    assert judged(UNTIMED, UNTIMED, after_us=GAP_US) is RETRY
    assert judged(UNTIMED, UNTIMED, after_us=GAP_US + 1) is ADDITION
    assert judged(Said(None, 3, 0), Said(None, 3, 0), after_us=GAP_US + 1) is RETRY


def test_a_repetition_that_says_more_is_an_addition() -> None:
    """A repetition that adds the position is an addition."""
    assert judged(Said(None, 3, 0), Said(None, 3, 99)) is ADDITION
    assert judged(Said(5, None, 0), Said(5, None, 99), lies_between=True) is ADDITION


def test_a_repetition_of_a_report_without_known_details_is_a_retry() -> None:
    """After a restart no details are known of reports without an alarm."""
    assert judged(None, Said(5, 5, 5), alarm=None, is_open=False, lies_between=True) is RETRY
