"""Steps of an alarm in the queue. Each function takes an alarm and returns the changed one, or refuses.

waiting -> claimed (lease, renewed by every action of its operator) -> answered (hold time, renewed in the same way) ->
closed(outcome). When the lease of a claim lapses, the alarm waits again at its old place, because neither priority nor
age changed. When the hold time of an answered alarm lapses, it stays answered and is escalated.

An unanswered alarm has two marks: a warning at ``t3_warn_s`` and an escalation at ``t3_max_s``. An alarm with limits
always has a next mark (``due_mono_us``), whatever an operator does. The only exception is an alarm less urgent than
HOME_RISK that is already before a supervisor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.alarms import Cause, State
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from collections.abc import Collection

    from vetlla.domain.alarms import Alarm, AlarmOutcome
    from vetlla.domain.clock import Instant

REPEATED: Final = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities that are escalated again after each hold time in which no operator acts, because a user waits.
The others are escalated once, or every low battery of a night would ask for a supervisor until the morning."""


Order: TypeAlias = "tuple[int, bool, int, int]"
"""Place of an alarm in the queue: priority, whether a stranger called, when it began (monotonic), its number."""


class Marks(NamedTuple):
    """When an unanswered alarm is due, counted from ready, and the priorities that have these limits."""

    warn_us: int
    max_us: int
    priorities: Collection[Priority]


class OperatorAction(NamedTuple):
    """The operator who acts on an alarm, the time of the action, and how long the operator then holds the alarm."""

    operator: str
    now: Instant
    lease_us: int
    supervisor: bool = False
    hold_us: int = 0
    """How long an answered alarm may stay without activity before it is escalated."""

    @property
    def lease_mono_us(self) -> int:
        """When the lease of this action ends."""
        return self.now.mono_us + self.lease_us

    @property
    def hold_mono_us(self) -> int:
        """When the hold time of this action ends."""
        return self.now.mono_us + self.hold_us


# --- state and order --------------------------------------------------------------------------------------------------


def order(alarm: Alarm, now: Instant) -> Order:
    """Return the place in the queue: most urgent first, homes before strangers, then the one that began first.

    A stranger may be anyone, so it must not come before a home that calls for the same reason. The start of an alarm
    comes from its age on the monotonic clock, because after the wall clock is set back its stamps would put every new
    call in front.
    """
    return (alarm.priority, alarm.unknown_account, now.mono_us - age_us(alarm, now), alarm.id)


def holder_active(alarm: Alarm, now: Instant) -> bool:
    """Return True if the operator of an alarm has acted on it within the lease."""
    return alarm.lease_mono_us is not None and now.mono_us < alarm.lease_mono_us


def as_of(alarm: Alarm, now: Instant) -> Alarm:
    """Return the alarm in its current state; an alarm with a lapsed claim waits again."""
    if alarm.state is State.CLAIMED and not holder_active(alarm, now):
        return alarm._replace(state=State.WAITING, operator="", lease_mono_us=None)
    return alarm


def after_reboot(alarm: Alarm, boot: int) -> Alarm:
    """Return an alarm of an earlier boot for this boot, without its monotonic stamps, which mean nothing now."""
    return alarm._replace(boot=boot, ready_mono_us=None, lease_mono_us=None, due_mono_us=None)


def waited_us(alarm: Alarm, now: Instant) -> int | None:
    """Return the time since ready, on the monotonic clock if the machine has not been restarted since."""
    if alarm.ready_mono_us is not None:
        return now.mono_us - alarm.ready_mono_us
    return None if alarm.ready_us is None else max(0, now.utc_us - alarm.ready_us)


def age_us(alarm: Alarm, now: Instant) -> int:
    """Return the time since the set-up of the communication; from ready on it is measured on the monotonic clock."""
    if alarm.ready_mono_us is None or alarm.ready_us is None:
        return max(0, now.utc_us - alarm.established_us)
    return now.mono_us - alarm.ready_mono_us + max(0, alarm.ready_us - alarm.established_us)


# --- what operators do ------------------------------------------------------------------------------------------------


def claim(alarm: Alarm, action: OperatorAction) -> Alarm:
    """Claim an alarm. Raises UsageError if another operator holds it.

    If the operator of an answered alarm is inactive, another one can take it over. A supervisor can take any alarm.
    """
    alarm = _free(alarm, action)
    state = State.ANSWERED if alarm.state is State.ANSWERED else State.CLAIMED
    return _hold(alarm._replace(state=state), action, action.operator)


def answer(alarm: Alarm, action: OperatorAction) -> Alarm:
    """Record that the operator speaks with the user, which ends *t3*. Claim the alarm first if it was free."""
    if alarm.state is State.ANSWERED:
        raise UsageError(
            f"alarm {alarm.id} was answered by {alarm.operator}",
            remedy=f"take it over once that operator is inactive: vetlla queue claim {alarm.id}",
        )
    t3_us = waited_us(alarm, action.now)
    answered = _free(alarm, action)._replace(state=State.ANSWERED, answered_us=action.now.utc_us, t3_us=t3_us)
    return _hold(answered, action, action.operator)


def touch(alarm: Alarm, action: OperatorAction) -> Alarm:
    """Renew the lease and hold time of an alarm. Raises UsageError if another operator holds it."""
    alarm = _mine(_open(alarm, action), action)
    return _hold(alarm, action, alarm.operator)


def close(alarm: Alarm, action: OperatorAction, outcome: AlarmOutcome) -> Alarm:
    """Close an alarm for its operator or a supervisor. If it was never answered, *t3* ends now."""
    alarm = _mine(_open(alarm, action), action)
    return alarm._replace(
        state=State.CLOSED,
        operator=alarm.operator or action.operator,
        t3_us=waited_us(alarm, action.now) if alarm.answered_us is None else alarm.t3_us,
        closed_us=action.now.utc_us,
        outcome=outcome,
        lease_mono_us=None,
        due_mono_us=None,
        lapsed_us=None,
    )


def hand_over(alarm: Alarm, action: OperatorAction, to: str) -> Alarm:
    """Hand an alarm over to another operator, whose lease begins now, for its operator or a supervisor."""
    alarm = _mine(_open(alarm, action), action)
    state = State.CLAIMED if alarm.state is State.WAITING else alarm.state
    return _hold(alarm._replace(state=state), action, to)


def escalate(alarm: Alarm, action: OperatorAction, why: str) -> Alarm:
    """Escalate an alarm at the request of an operator and keep the operator's reason with it."""
    alarm = _open(alarm, action)
    told = alarm._replace(
        escalated=alarm.escalated + 1,
        escalated_us=action.now.utc_us,
        escalated_by=action.operator,
        escalated_why=why,
    )
    return _hold(told, action, alarm.operator) if alarm.operator == action.operator else told


def _hold(alarm: Alarm, action: OperatorAction, operator: str) -> Alarm:
    """Return the alarm as held by an operator from now on, with its next mark.

    A claim does not move the marks of *t3*, because only an answer ends it. When both have passed, the end of the lease
    is the next one.
    """
    if alarm.on_test:
        due_us = alarm.due_mono_us
    elif alarm.state is State.ANSWERED:
        due_us = action.hold_mono_us
    else:
        due_us = alarm.due_mono_us if alarm.overdue_us is None else action.lease_mono_us
    return alarm._replace(
        operator=operator,
        claimed_us=alarm.claimed_us or action.now.utc_us,
        lease_mono_us=action.lease_mono_us,
        due_mono_us=due_us,
        lapsed_us=None,
    )


def _open(alarm: Alarm, action: OperatorAction) -> Alarm:
    if alarm.state is State.CLOSED:
        raise UsageError(
            f"alarm {alarm.id} is closed ({alarm.outcome})", remedy="vetlla queue list shows the open ones"
        )
    return as_of(alarm, action.now)


def _free(alarm: Alarm, action: OperatorAction) -> Alarm:
    alarm = _open(alarm, action)
    held = alarm.state is State.CLAIMED or (alarm.state is State.ANSWERED and holder_active(alarm, action.now))
    if held and alarm.operator != action.operator and not action.supervisor:
        raise _held(alarm)
    return alarm


def _mine(alarm: Alarm, action: OperatorAction) -> Alarm:
    if alarm.operator == action.operator or action.supervisor:
        return alarm
    if alarm.operator:
        raise _held(alarm)
    raise UsageError(f"no operator holds alarm {alarm.id}", remedy=f"vetlla queue claim {alarm.id}")


def _held(alarm: Alarm) -> UsageError:
    return UsageError(
        f"alarm {alarm.id} is held by {alarm.operator}",
        remedy="that operator can hand it over; a supervisor can take it; an idle claim lapses by itself",
    )


# --- limits of time ---------------------------------------------------------------------------------------------------


def watched(alarm: Alarm, marks: Marks) -> bool:
    """Return True if an unanswered alarm has marks: it is not on test, and its priority has the limits of *t3*."""
    return not alarm.on_test and alarm.priority in marks.priorities


def first_mark_us(alarm: Alarm, now: Instant, marks: Marks) -> int | None:
    """Return when the receiver warns of an alarm that is ready now; None if it has no limits."""
    return now.mono_us + marks.warn_us if watched(alarm, marks) else None


def mark_when_ready_us(alarm: Alarm, now: Instant, marks: Marks) -> int | None:
    """Return the next mark of an alarm that becomes ready now; an alarm on test keeps its own.

    An emergency on test without a mark lost it when the machine was restarted, so it is due now.
    """
    if not alarm.on_test:
        return first_mark_us(alarm, now, marks)
    return now.mono_us if alarm.due_mono_us is None and alarm.priority in REPEATED else alarm.due_mono_us


def await_answer(alarm: Alarm, now: Instant, marks: Marks) -> Alarm:
    """Return an alarm that a more urgent signal joined now; its marks start again with that signal."""
    return alarm._replace(warned_us=None, overdue_us=None, due_mono_us=first_mark_us(alarm, now, marks))


def after_restart(alarm: Alarm, action: OperatorAction, marks: Marks) -> Alarm:
    """Return an open alarm with the next mark that it must have.

    A mark that has passed meanwhile is due now. So is an alarm that an operator held before the machine was restarted,
    because the monotonic clock of that boot cannot show how long they have been inactive. An open emergency on test is
    also due, because meanwhile no operator could ask the installer about it.
    """
    if alarm.due_mono_us is not None:
        return alarm
    now_us = action.now.mono_us
    if alarm.on_test:
        return alarm._replace(due_mono_us=now_us) if alarm.priority in REPEATED else alarm
    if alarm.state is not State.ANSWERED and alarm.overdue_us is None:
        mark_us = marks.warn_us if alarm.warned_us is None else marks.max_us
        due_us = now_us - (waited_us(alarm, action.now) or 0) + mark_us if watched(alarm, marks) else None
    elif alarm.state is State.CLAIMED or (alarm.state is State.ANSWERED and alarm.lapsed_us is None):
        due_us = max(now_us, alarm.lease_mono_us or 0)
    else:
        due_us = _repetition_us(alarm, action)
    return alarm._replace(due_mono_us=due_us)


def _repetition_us(alarm: Alarm, action: OperatorAction) -> int | None:
    """Return when an alarm that was escalated now is escalated again; None if it is escalated only once."""
    return action.hold_mono_us if alarm.priority in REPEATED else None


def unattended(alarm: Alarm) -> bool:
    """Return True if the hold time of an answered alarm ended without activity of its operator."""
    return alarm.lapsed_us is not None


def due(alarm: Alarm, now: Instant) -> bool:
    """Return True if the alarm's next mark has come."""
    return alarm.due_mono_us is not None and alarm.due_mono_us <= now.mono_us


def warn(alarm: Alarm, action: OperatorAction, marks: Marks) -> Alarm:
    """Record the warning of an alarm that waited for ``t3_warn_s``; its next mark is ``t3_max_s``."""
    next_us = (alarm.due_mono_us or action.now.mono_us) + marks.max_us - marks.warn_us
    return alarm._replace(warned_us=action.now.utc_us, due_mono_us=next_us)


def cause(alarm: Alarm, now: Instant) -> Cause | None:
    """Return why an alarm that is due must be escalated; None if a warning is enough."""
    if alarm.on_test:
        return Cause.ON_TEST
    if alarm.state is State.ANSWERED:
        return Cause.HOLD_LAPSED
    if alarm.warned_us is None:
        return None
    claim_lapsed = alarm.state is State.CLAIMED and alarm.overdue_us is not None and not holder_active(alarm, now)
    return Cause.CLAIM_LAPSED if claim_lapsed else Cause.UNANSWERED


def fall_due(alarm: Alarm, action: OperatorAction, why: Cause) -> Alarm:
    """Escalate an alarm because no operator acted in time. An alarm on test leaves the test."""
    alarm = as_of(alarm, action.now)
    now_us = action.now.utc_us
    if why is Cause.ON_TEST:
        alarm = alarm._replace(on_test=False, warned_us=now_us)
    if alarm.state is State.ANSWERED:
        alarm = alarm._replace(lapsed_us=now_us)
    else:
        alarm = alarm._replace(overdue_us=alarm.overdue_us or now_us)
    next_us = alarm.lease_mono_us if alarm.state is State.CLAIMED else _repetition_us(alarm, action)
    return put_before(alarm, action, why)._replace(due_mono_us=next_us)


def put_before(alarm: Alarm, action: OperatorAction, why: Cause) -> Alarm:
    """Record that the receiver escalated an alarm. An operator's own reason for an escalation stays."""
    if alarm.escalated_by in {"", action.operator}:
        alarm = alarm._replace(escalated_us=action.now.utc_us, escalated_by=action.operator, escalated_why=why.value)
    return alarm._replace(escalated=alarm.escalated + 1)
