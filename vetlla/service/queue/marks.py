"""The marks of an alarm: when it is due for a warning or an escalation because no operator acts.

An unanswered alarm has two marks: a warning at ``t3_warn_s`` and an escalation at ``t3_max_s``. An alarm with limits
always has a next mark (``due_mono_us``), whatever an operator does. The only exception is an alarm less urgent than
HOME_RISK that is already before a supervisor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.alarms import Cause, State
from vetlla.domain.signals import Priority
from vetlla.service.queue.order import as_of, holder_active, waited_us

if TYPE_CHECKING:
    from collections.abc import Collection

    from vetlla.domain.alarms import Alarm
    from vetlla.domain.clock import Instant
    from vetlla.service.queue.steps import OperatorAction

REPEATED: Final = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities that are escalated again after each hold time in which no operator acts, because a user waits.
The others are escalated once, or every low battery of a night would ask for a supervisor until the morning."""


class Marks(NamedTuple):
    """When an unanswered alarm is due, counted from ready, and the priorities that have these limits."""

    warn_us: int
    max_us: int
    priorities: Collection[Priority]


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
