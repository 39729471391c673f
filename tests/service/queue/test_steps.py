"""The steps of an alarm in the queue work as designed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from vetlla.domain.alarms import Alarm, AlarmOutcome, Cause, State
from vetlla.domain.clock import SECOND_US, Instant
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Kind, Priority
from vetlla.service.queue import marks, order, steps

if TYPE_CHECKING:
    from collections.abc import Callable

LEASE_US, HOLD_US = 60 * SECOND_US, 300 * SECOND_US
MARKS = marks.Marks(15 * SECOND_US, 30 * SECOND_US, frozenset(Priority))
START = Instant(1_000_000_000 * SECOND_US, 500 * SECOND_US)
WAITING = Alarm(
    id=7,
    home="H1",
    account="1234",
    kind=Kind.FALL,
    priority=Priority.LIFE,
    why="fall 102",
    first_signal=3,
    established_us=START.utc_us - 2 * SECOND_US,
    opened_us=START.utc_us - SECOND_US,
    ready_us=START.utc_us,
    ready_mono_us=START.mono_us,
    boot=1,
)
STEPS: dict[str, Callable[[Alarm, steps.OperatorAction], Alarm]] = {
    "claim": steps.claim,
    "answer": steps.answer,
    "touch": steps.touch,
    "close": lambda alarm, acting: steps.close(alarm, acting, AlarmOutcome.HELP_SENT),
    "hand over": lambda alarm, acting: steps.hand_over(alarm, acting, "carla"),
}


def at(seconds: float) -> Instant:
    return Instant(START.utc_us + round(seconds * SECOND_US), START.mono_us + round(seconds * SECOND_US))


def hand(operator: str = "ana", seconds: float = 0, *, supervisor: bool = False) -> steps.OperatorAction:
    return steps.OperatorAction(operator, at(seconds), LEASE_US, supervisor, HOLD_US)


def ready(**values: Any) -> Alarm:  # noqa: ANN401 - those of Alarm
    """Return a waiting alarm with its first mark."""
    alarm = WAITING._replace(**values)
    return marks.await_answer(alarm, START, MARKS)


def due_s(alarm: Alarm) -> float | None:
    """Return when the alarm's next mark comes, in seconds after the start."""
    return None if alarm.due_mono_us is None else (alarm.due_mono_us - START.mono_us) / SECOND_US


def claimed(operator: str = "ana") -> Alarm:
    return steps.claim(WAITING, hand(operator))


def answered(operator: str = "ana") -> Alarm:
    return steps.answer(claimed(operator), hand(operator, 10))


def test_the_usual_way() -> None:
    """Claiming, answering and closing each set a stamp, and t3 runs from ready to answered."""
    alarm = steps.claim(WAITING, hand(seconds=4))
    assert (alarm.state, alarm.operator, alarm.claimed_us) == (State.CLAIMED, "ana", at(4).utc_us)
    assert alarm.lease_mono_us == at(64).mono_us
    alarm = steps.answer(alarm, hand(seconds=9))
    assert (alarm.state, alarm.answered_us, alarm.t3_us) == (State.ANSWERED, at(9).utc_us, 9 * SECOND_US)
    alarm = steps.close(alarm, hand(seconds=90), AlarmOutcome.HELP_SENT)
    assert (alarm.state, alarm.operator, alarm.outcome) == (State.CLOSED, "ana", AlarmOutcome.HELP_SENT)
    assert (alarm.closed_us, alarm.lease_mono_us) == (at(90).utc_us, None)


def test_answering_claims_a_free_alarm() -> None:
    """The operator who answers an alarm holds it, even without a claim."""
    alarm = steps.answer(WAITING, hand(seconds=3))
    assert (alarm.state, alarm.operator, alarm.claimed_us) == (State.ANSWERED, "ana", at(3).utc_us)


ALLOWED = {
    # What its operator, another operator, and a supervisor may do with an alarm in each state.
    "waiting": ({"claim", "answer"}, {"claim", "answer"}, {"claim", "answer", "touch", "close", "hand over"}),
    "claimed": (
        {"claim", "answer", "touch", "close", "hand over"},
        set(),
        {"claim", "answer", "touch", "close", "hand over"},
    ),
    "answered": ({"claim", "touch", "close", "hand over"}, set(), {"claim", "touch", "close", "hand over"}),
    "closed": (set(), set(), set()),
}
STANDING = {
    "waiting": WAITING,
    "claimed": claimed(),
    "answered": answered(),
    "closed": steps.close(answered(), hand(seconds=20), AlarmOutcome.OTHER),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", ALLOWED)
def test_only_its_operator_or_a_supervisor_works_an_alarm(state: str, step: str) -> None:
    """Its operator and a supervisor may work on an alarm, other operators not; a closed one takes no steps."""
    people = (hand("ana", 20), hand("berta", 20), hand("sara", 20, supervisor=True))
    for person, allowed in zip(people, ALLOWED[state], strict=True):
        if step in allowed:
            STEPS[step](STANDING[state], person)
        else:
            with pytest.raises(UsageError) as refusal:
                STEPS[step](STANDING[state], person)
            assert refusal.value.remedy


def test_a_lease_ends_at_its_very_moment() -> None:
    """A claim holds until its last microsecond; then the alarm waits again at the same place."""
    alarm = claimed()
    before, after = at(60)._replace(mono_us=at(60).mono_us - 1), at(60)
    assert order.as_of(alarm, before) is alarm
    lapsed = order.as_of(alarm, after)
    assert (lapsed.state, lapsed.operator, lapsed.lease_mono_us) == (State.WAITING, "", None)
    assert order.order(lapsed, after) == order.order(WAITING, after)
    assert steps.claim(alarm, hand("berta", 60)).operator == "berta"


def test_an_operator_whose_claim_lapsed_no_longer_holds_the_alarm() -> None:
    """The first operator may claim the alarm again, but may not close or hand it over before that."""
    for step in ("touch", "close", "hand over"):
        with pytest.raises(UsageError, match="no operator holds"):
            STEPS[step](claimed(), hand("ana", 61))
    assert steps.claim(claimed(), hand("ana", 61)).lease_mono_us == at(121).mono_us


@pytest.mark.parametrize("step", ["claim", "answer", "touch", "hand over"])
def test_every_action_renews_the_lease(step: str) -> None:
    """Each action shows that the operator is active."""
    assert STEPS[step](claimed(), hand(seconds=50)).lease_mono_us == at(110).mono_us


def test_an_answered_alarm_keeps_its_state_without_a_sign_of_life() -> None:
    """It stays answered when its operator is inactive. Another operator may take it over, and stamps do not change."""
    quiet = answered()
    assert order.as_of(quiet, at(900)) is quiet
    taken = steps.claim(quiet, hand("berta", 71))
    assert (taken.state, taken.operator) == (State.ANSWERED, "berta")
    assert (taken.answered_us, taken.t3_us, taken.claimed_us) == (quiet.answered_us, quiet.t3_us, quiet.claimed_us)


def test_an_alarm_is_answered_once() -> None:
    """A second answer cannot change the stamp that the contract counts."""
    with pytest.raises(UsageError, match="was answered by ana"):
        steps.answer(answered(), hand("ana", 20))


def test_handing_over_gives_the_colleague_a_lease() -> None:
    """The colleague holds the alarm from now on instead of the first operator; its state does not change."""
    given = steps.hand_over(answered(), hand(seconds=40), "berta")
    assert (given.operator, given.state, given.lease_mono_us) == ("berta", State.ANSWERED, at(100).mono_us)
    with pytest.raises(UsageError, match="held by berta"):
        steps.touch(given, hand(seconds=41))


def test_a_supervisor_may_assign_a_waiting_alarm() -> None:
    """A waiting alarm that a supervisor hands over is claimed for the other operator."""
    given = steps.hand_over(WAITING, hand("sara", 5, supervisor=True), "berta")
    assert (given.operator, given.state, given.claimed_us) == ("berta", State.CLAIMED, at(5).utc_us)


def test_closing_an_unanswered_alarm_ends_its_waiting() -> None:
    """The time until closing counts, so closing an alarm does not remove it from the figures."""
    closed = steps.close(claimed(), hand(seconds=20), AlarmOutcome.OTHER)
    assert (closed.t3_us, closed.answered_us) == (20 * SECOND_US, None)
    assert steps.close(answered(), hand(seconds=20), AlarmOutcome.OTHER).t3_us == 10 * SECOND_US


def test_a_supervisor_who_closes_an_unclaimed_alarm_is_named() -> None:
    """An unclaimed alarm that a supervisor closes has the supervisor's name."""
    closed = steps.close(WAITING, hand("sara", supervisor=True), AlarmOutcome.TEST)
    assert closed.operator == "sara"
    assert steps.close(claimed(), hand("sara", supervisor=True), AlarmOutcome.TEST).operator == "ana"


def test_escalating_counts_and_says_why() -> None:
    """An escalated alarm stays with its operator and keeps the reason of the operator who asked."""
    asked = steps.escalate(claimed(), hand("berta", 5), "ana is ill")
    assert asked == claimed()._replace(
        escalated=1, escalated_us=at(5).utc_us, escalated_by="berta", escalated_why="ana is ill"
    )
    told = marks.fall_due(asked, hand("receiver", 30), Cause.UNANSWERED)
    assert (told.escalated, told.escalated_by, told.escalated_why) == (2, "berta", "ana is ill")
    assert told.escalated_us == at(5).utc_us
    again = steps.escalate(told, hand("ana", 40), "")
    assert (again.escalated, again.escalated_by, again.escalated_why) == (3, "ana", "")


def test_a_call_that_waits_has_two_marks_and_then_repeats() -> None:
    """The receiver warns after t3_warn_s, and escalates after t3_max_s and again after each hold time."""
    alarm = ready()
    assert (due_s(alarm), marks.due(alarm, at(14.9)), marks.due(alarm, at(15))) == (15, False, True)
    assert marks.cause(alarm, at(15)) is None
    alarm = marks.warn(alarm, hand("receiver", 15.5), MARKS)
    assert (alarm.warned_us, alarm.escalated, due_s(alarm)) == (at(15.5).utc_us, 0, 30)
    assert marks.cause(alarm, at(30)) is Cause.UNANSWERED
    alarm = marks.fall_due(alarm, hand("receiver", 30), Cause.UNANSWERED)
    assert (alarm.overdue_us, alarm.escalated, due_s(alarm)) == (at(30).utc_us, 1, 330)
    alarm = marks.fall_due(alarm, hand("receiver", 330), Cause.UNANSWERED)
    assert (alarm.overdue_us, alarm.escalated, due_s(alarm)) == (at(30).utc_us, 2, 630)
    assert due_s(steps.answer(alarm, hand(seconds=400))) == 700


@pytest.mark.parametrize("step", ["claim", "touch", "hand over"])
def test_actions_before_the_answer_do_not_move_the_marks_of_t3(step: str) -> None:
    """The marks do not move until both have passed; after that the end of the lease is the next mark."""
    mine = steps.claim(ready(), hand(seconds=1))
    assert due_s(STEPS[step](mine, hand(seconds=5))) == 15
    late = marks.fall_due(marks.warn(mine, hand("receiver", 15), MARKS), hand("receiver", 30), Cause.UNANSWERED)
    assert due_s(STEPS[step](late, hand(seconds=40))) == 100
    assert marks.cause(STEPS[step](late, hand(seconds=40)), at(100)) is Cause.CLAIM_LAPSED


@pytest.mark.parametrize("step", ["claim", "touch", "hand over"])
def test_an_answered_alarm_is_due_after_the_hold_time(step: str) -> None:
    """Every action of its operator renews the hold time; when it lapses, the alarm is marked until an operator acts."""
    alarm = steps.answer(ready(), hand(seconds=10))
    assert (due_s(alarm), marks.cause(alarm, at(310))) == (310, Cause.HOLD_LAPSED)
    assert due_s(STEPS[step](alarm, hand(seconds=50))) == 350
    left = marks.fall_due(alarm, hand("receiver", 310), Cause.HOLD_LAPSED)
    assert (left.state, left.operator, left.lapsed_us, due_s(left)) == (State.ANSWERED, "ana", at(310).utc_us, 610)
    assert marks.unattended(left)
    assert not marks.unattended(STEPS[step](left, hand(seconds=320)))


def test_a_less_urgent_alarm_is_escalated_once() -> None:
    """A battery is escalated once, and again only if an operator took it and became inactive."""
    alarm = marks.fall_due(ready(priority=Priority.TECHNICAL), hand("receiver", 30), Cause.UNANSWERED)
    assert due_s(alarm) is None
    assert due_s(steps.claim(alarm, hand(seconds=40))) == 100
    held = steps.answer(alarm, hand(seconds=40))
    assert due_s(held) == 340
    assert due_s(marks.fall_due(held, hand("receiver", 340), Cause.HOLD_LAPSED)) is None


def test_a_claim_that_is_held_at_the_escalation_keeps_a_mark() -> None:
    """Its operator may become inactive, so the end of the lease is the next mark, also for a battery."""
    alarm = steps.claim(ready(priority=Priority.TECHNICAL), hand(seconds=10))
    alarm = marks.fall_due(marks.warn(alarm, hand("receiver", 15), MARKS), hand("receiver", 30), Cause.UNANSWERED)
    assert (alarm.state, due_s(alarm)) == (State.CLAIMED, 70)
    lapsed = marks.fall_due(alarm, hand("receiver", 70), Cause.CLAIM_LAPSED)
    assert (lapsed.state, lapsed.operator, due_s(lapsed)) == (State.WAITING, "", None)


def test_an_alarm_on_test_keeps_the_mark_of_its_test() -> None:
    """No user waits for it while the installer works, so no step changes its mark."""
    alarm = ready(on_test=True)
    for mark_us in (None, 50):
        for step in ("claim", "answer", "hand over"):
            held = STEPS[step](alarm._replace(due_mono_us=mark_us), hand("sara", 1, supervisor=True))
            assert held.due_mono_us == mark_us


def test_an_emergency_on_test_is_due_after_a_reboot() -> None:
    """Meanwhile no operator could ask the installer. A battery on test has no mark."""
    hands = hand("receiver", 9)
    assert due_s(marks.after_restart(ready(on_test=True), hands, MARKS)) == 9
    assert due_s(marks.after_restart(ready(priority=Priority.TECHNICAL, on_test=True), hands, MARKS)) is None


def test_an_emergency_that_leaves_its_test_is_in_the_queue() -> None:
    """It waits like any alarm that no operator answered in time, with the same marks."""
    alarm = ready(on_test=True)._replace(due_mono_us=0)
    assert marks.cause(alarm, at(9)) is Cause.ON_TEST
    left = marks.fall_due(alarm, hand("receiver", 9), Cause.ON_TEST)
    assert (left.on_test, left.escalated, left.escalated_why) == (False, 1, "on_test")
    assert marks.cause(left, at(400)) is Cause.UNANSWERED


def test_a_more_urgent_signal_starts_the_marks_again() -> None:
    """Marks of a low battery that have passed do not count for the call that joined it."""
    alarm = marks.fall_due(ready(priority=Priority.TECHNICAL), hand("receiver", 30), Cause.UNANSWERED)
    lifted = marks.await_answer(alarm._replace(priority=Priority.LIFE), at(50), MARKS)
    assert (lifted.warned_us, lifted.overdue_us, due_s(lifted)) == (None, None, 65)


RESTARTED: dict[str, tuple[Alarm, float | None]] = {
    # Each alarm has lost its mark in a reboot 100 s after it was ready; the number is its new mark in seconds.
    "waits": (ready(), 15),
    "was warned of": (ready()._replace(warned_us=1), 30),
    "was put before a supervisor": (ready()._replace(warned_us=1, overdue_us=1), 400),
    "was put there, technical": (ready(priority=Priority.TECHNICAL)._replace(warned_us=1, overdue_us=1), None),
    "was claimed": (steps.claim(ready(), hand(seconds=1)), 15),
    "was claimed late": (steps.claim(ready()._replace(warned_us=1, overdue_us=1), hand(seconds=40)), 100),
    "was answered": (steps.answer(ready(), hand(seconds=1)), 100),
    "was left": (steps.answer(ready(), hand(seconds=1))._replace(lapsed_us=1), 400),
    "was left, technical": (
        steps.answer(ready(priority=Priority.TECHNICAL), hand(seconds=1))._replace(lapsed_us=1),
        None,
    ),
}


@pytest.mark.parametrize("standing", RESTARTED)
def test_after_a_reboot_every_alarm_has_its_mark(standing: str) -> None:
    """The mark follows the wall clock if the alarm waited for an answer, and is now if an operator held it."""
    before, mark_s = RESTARTED[standing]
    alarm = order.after_reboot(before, 2)
    assert due_s(alarm) is None
    assert due_s(marks.after_restart(alarm, hand("receiver", 100), MARKS)) == mark_s


def test_most_urgent_first_then_oldest_then_first_opened() -> None:
    """The order is by priority, then by the beginning of the home's call, then by number."""
    early = WAITING._replace(id=9, established_us=WAITING.established_us - 1)
    technical = WAITING._replace(id=1, priority=Priority.TECHNICAL, established_us=0)
    twin = WAITING._replace(id=8)
    place = partial(order.order, now=at(5))
    assert sorted([technical, twin, WAITING, early], key=place) == [early, WAITING, twin, technical]


def test_a_clock_that_is_set_back_puts_no_new_call_in_front() -> None:
    """The alarm that has waited longer comes first, whatever the wall clock shows."""
    ready, ready_mono = WAITING.ready_us, WAITING.ready_mono_us
    assert ready is not None
    assert ready_mono is not None
    for step_us in (-3_600_000_000, 3_600_000_000):
        later = WAITING._replace(
            id=1,
            established_us=WAITING.established_us + step_us + 7_000_000,
            ready_us=ready + step_us + 7_000_000,
            ready_mono_us=ready_mono + 7_000_000,
        )
        now = Instant(at(9).utc_us + step_us, at(9).mono_us)
        assert sorted([later, WAITING], key=partial(order.order, now=now)) == [WAITING, later]


def test_waiting_is_measured_on_the_monotonic_clock() -> None:
    """A step of the wall clock does not change t3."""
    stepped = at(12)._replace(utc_us=at(5_000).utc_us)
    assert order.waited_us(WAITING, stepped) == 12 * SECOND_US
    assert steps.answer(WAITING, hand()._replace(now=stepped)).t3_us == 12 * SECOND_US


def test_after_a_reboot_the_wall_clock_is_used() -> None:
    """Monotonic stamps of another boot mean nothing, so the claim has lapsed and the wall clock measures waiting."""
    alarm = order.after_reboot(claimed(), 2)
    assert (alarm.boot, alarm.ready_mono_us, alarm.lease_mono_us) == (2, None, None)
    now = Instant(at(12).utc_us, 1)
    assert order.as_of(alarm, now).state is State.WAITING
    assert order.waited_us(alarm, now) == 12 * SECOND_US


def test_an_alarm_that_is_not_ready_has_not_waited() -> None:
    """Before an alarm is ready its t3 has not begun, so it has no value."""
    unready = WAITING._replace(ready_us=None, ready_mono_us=None)
    assert order.waited_us(unready, at(5)) is None
    assert steps.answer(unready, hand()).t3_us is None
