"""Steps of an alarm in the queue. Each function takes an alarm and returns the changed one, or refuses.

waiting -> claimed (lease, renewed by every action of its operator) -> answered (hold time, renewed in the same way) ->
closed(outcome). When the lease of a claim lapses, the alarm waits again at its old place, because neither priority nor
age changed. When the hold time of an answered alarm lapses, it stays answered and is escalated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.alarms import State
from vetlla.domain.errors import UsageError
from vetlla.service.queue.order import as_of, holder_active, waited_us

if TYPE_CHECKING:
    from vetlla.domain.alarms import Alarm, AlarmOutcome
    from vetlla.domain.clock import Instant


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
