"""An alarm's way through the hands of operators: each step takes a value and returns the next one, or refuses.

waiting -> claimed (lease, renewed by every action of its holder) -> answered (hold time, renewed likewise) ->
closed(outcome). A claim whose lease has lapsed is waiting again, at its old place: order is priority, then age, and
neither changed. An answered alarm whose hold time has lapsed stays answered and is put before a supervisor.

An alarm that is not answered has two marks: a warning at ``t3_warn_s``, a supervisor at ``t3_max_s``. Whatever an
operator does or fails to do, an alarm that is watched always has a next mark (``due_mono_us``), but for one less urgent
than HOME_RISK that a supervisor has before them already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.alarms import Cause, State
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from collections.abc import Collection

    from vetlla.domain.alarms import Alarm, Outcome
    from vetlla.domain.clock import Instant

REPEATED: Final = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities that are put before a supervisor again after each hold time in which no operator acts: a person waits.
The others are put there once, or every battery of a quiet night would ask for a supervisor until the morning."""


Order: TypeAlias = "tuple[int, bool, int, int]"
"""Where an alarm stands in the queue: priority, whether a stranger called, when it began (monotonic), its number."""


class Marks(NamedTuple):
    """When an unanswered alarm is due, counted from ready, and for which priorities."""

    warn_us: int
    max_us: int
    priorities: Collection[Priority]


class Hand(NamedTuple):
    """Who acts on an alarm, when, and for how long an action keeps it theirs."""

    operator: str
    now: Instant
    lease_us: int
    supervisor: bool = False
    hold_us: int = 0
    """How long an answered alarm stays without activity before a supervisor has to look at it."""

    @property
    def lease_mono_us(self) -> int:
        """When the lease of this action ends."""
        return self.now.mono_us + self.lease_us

    @property
    def hold_mono_us(self) -> int:
        """When the hold time of this action ends."""
        return self.now.mono_us + self.hold_us


# --- how it stands ----------------------------------------------------------------------------------------------------


def order(alarm: Alarm, now: Instant) -> Order:
    """Return the place in the queue: most urgent first, homes before strangers, then the one that began first.

    A caller that is not registered may be anyone: it must not stand before a home that calls for the same reason. When
    an alarm began is told by its age on the monotonic clock: after the wall clock was set back its stamps would put
    every new call in front.
    """
    return (alarm.priority, alarm.unknown_account, now.mono_us - age_us(alarm, now), alarm.id)


def holder_active(alarm: Alarm, now: Instant) -> bool:
    """Return True if the operator who holds an alarm has acted on it within the lease."""
    return alarm.lease_mono_us is not None and now.mono_us < alarm.lease_mono_us


def as_of(alarm: Alarm, now: Instant) -> Alarm:
    """Return the alarm as it is now: a lapsed claim is waiting again."""
    if alarm.state is State.CLAIMED and not holder_active(alarm, now):
        return alarm._replace(state=State.WAITING, operator="", lease_mono_us=None)
    return alarm


def after_reboot(alarm: Alarm, boot: int) -> Alarm:
    """Return an alarm of an earlier boot as this one can keep it: its monotonic stamps and leases mean nothing now."""
    return alarm._replace(boot=boot, ready_mono_us=None, lease_mono_us=None, due_mono_us=None)


def waited_us(alarm: Alarm, now: Instant) -> int | None:
    """Return the time since ready, on the monotonic clock where the machine was not restarted since."""
    if alarm.ready_mono_us is not None:
        return now.mono_us - alarm.ready_mono_us
    return None if alarm.ready_us is None else max(0, now.utc_us - alarm.ready_us)


def age_us(alarm: Alarm, now: Instant) -> int:
    """Return the time since the communication was established, on the monotonic clock from ready on."""
    if alarm.ready_mono_us is None or alarm.ready_us is None:
        return max(0, now.utc_us - alarm.established_us)
    return now.mono_us - alarm.ready_mono_us + max(0, alarm.ready_us - alarm.established_us)


# --- what operators do ------------------------------------------------------------------------------------------------


def claim(alarm: Alarm, hand: Hand) -> Alarm:
    """Take an alarm in hand. Raises UsageError when another operator has it.

    An answered alarm whose holder has gone quiet can be taken over; a supervisor can take any.
    """
    alarm = _free(alarm, hand)
    state = State.ANSWERED if alarm.state is State.ANSWERED else State.CLAIMED
    return _hold(alarm._replace(state=state), hand, hand.operator)


def answer(alarm: Alarm, hand: Hand) -> Alarm:
    """Record that the operator is speaking with the home: ends *t3*. Claims the alarm first if it was free."""
    if alarm.state is State.ANSWERED:
        raise UsageError(
            f"alarm {alarm.id} was answered by {alarm.operator}",
            remedy=f"vetlla queue claim {alarm.id} takes it over once its holder has gone quiet",
        )
    t3_us = waited_us(alarm, hand.now)
    answered = _free(alarm, hand)._replace(state=State.ANSWERED, answered_us=hand.now.utc_us, t3_us=t3_us)
    return _hold(answered, hand, hand.operator)


def touch(alarm: Alarm, hand: Hand) -> Alarm:
    """Renew lease and hold time of the operator who holds the alarm. Raises UsageError if that is another one."""
    alarm = _mine(_open(alarm, hand), hand)
    return _hold(alarm, hand, alarm.operator)


def close(alarm: Alarm, hand: Hand, outcome: Outcome) -> Alarm:
    """End an alarm: its holder does, or a supervisor. One that was never answered has waited until now."""
    alarm = _mine(_open(alarm, hand), hand)
    return alarm._replace(
        state=State.CLOSED,
        operator=alarm.operator or hand.operator,
        t3_us=waited_us(alarm, hand.now) if alarm.answered_us is None else alarm.t3_us,
        closed_us=hand.now.utc_us,
        outcome=outcome,
        lease_mono_us=None,
        due_mono_us=None,
        lapsed_us=None,
    )


def hand_over(alarm: Alarm, hand: Hand, to: str) -> Alarm:
    """Give an alarm to a colleague, whose lease begins now: its holder does, or a supervisor."""
    alarm = _mine(_open(alarm, hand), hand)
    state = State.CLAIMED if alarm.state is State.WAITING else alarm.state
    return _hold(alarm._replace(state=state), hand, to)


def escalate(alarm: Alarm, hand: Hand, why: str) -> Alarm:
    """Put an alarm before a supervisor, because an operator asks for it; their words stay with the alarm."""
    alarm = _open(alarm, hand)
    told = alarm._replace(
        escalated=alarm.escalated + 1,
        escalated_us=hand.now.utc_us,
        escalated_by=hand.operator,
        escalated_why=why,
    )
    return _hold(told, hand, alarm.operator) if alarm.operator == hand.operator else told


def _hold(alarm: Alarm, hand: Hand, operator: str) -> Alarm:
    """Return the alarm in an operator's hands from now on, with its next mark.

    A claim does not move the marks of *t3*: only an answer ends it. When both have passed, the end of the lease is the
    next one.
    """
    if alarm.on_test:
        due_us = alarm.due_mono_us
    elif alarm.state is State.ANSWERED:
        due_us = hand.hold_mono_us
    else:
        due_us = alarm.due_mono_us if alarm.overdue_us is None else hand.lease_mono_us
    return alarm._replace(
        operator=operator,
        claimed_us=alarm.claimed_us or hand.now.utc_us,
        lease_mono_us=hand.lease_mono_us,
        due_mono_us=due_us,
        lapsed_us=None,
    )


def _open(alarm: Alarm, hand: Hand) -> Alarm:
    if alarm.state is State.CLOSED:
        raise UsageError(
            f"alarm {alarm.id} is closed ({alarm.outcome})", remedy="vetlla queue list shows the open ones"
        )
    return as_of(alarm, hand.now)


def _free(alarm: Alarm, hand: Hand) -> Alarm:
    alarm = _open(alarm, hand)
    held = alarm.state is State.CLAIMED or (alarm.state is State.ANSWERED and holder_active(alarm, hand.now))
    if held and alarm.operator != hand.operator and not hand.supervisor:
        raise _held(alarm)
    return alarm


def _mine(alarm: Alarm, hand: Hand) -> Alarm:
    if alarm.operator == hand.operator or hand.supervisor:
        return alarm
    if alarm.operator:
        raise _held(alarm)
    raise UsageError(f"no operator holds alarm {alarm.id}", remedy=f"vetlla queue claim {alarm.id}")


def _held(alarm: Alarm) -> UsageError:
    return UsageError(
        f"alarm {alarm.id} is held by {alarm.operator}",
        remedy="they can hand it over; a supervisor can take it; an idle claim lapses by itself",
    )


# --- what time does ---------------------------------------------------------------------------------------------------


def watched(alarm: Alarm, marks: Marks) -> bool:
    """Return True if an unanswered alarm has marks: not on test, and of a priority that *t3* is kept for."""
    return not alarm.on_test and alarm.priority in marks.priorities


def first_mark_us(alarm: Alarm, now: Instant, marks: Marks) -> int | None:
    """Return when an alarm that is ready now is warned of."""
    return now.mono_us + marks.warn_us if watched(alarm, marks) else None


def mark_when_ready_us(alarm: Alarm, now: Instant, marks: Marks) -> int | None:
    """Return the next mark of an alarm that becomes ready now; one that came on test keeps its own.

    An emergency that came on test and has no mark lost it with the machine's last boot: it is due now.
    """
    if not alarm.on_test:
        return first_mark_us(alarm, now, marks)
    return now.mono_us if alarm.due_mono_us is None and alarm.priority in REPEATED else alarm.due_mono_us


def await_answer(alarm: Alarm, now: Instant, marks: Marks) -> Alarm:
    """Return an alarm that a more urgent signal joined now: its marks start again with that signal."""
    return alarm._replace(warned_us=None, overdue_us=None, due_mono_us=first_mark_us(alarm, now, marks))


def after_restart(alarm: Alarm, hand: Hand, marks: Marks) -> Alarm:
    """Return an open alarm with the next mark that it must have.

    A mark that has passed meanwhile is due now. So is an alarm that an operator held before the machine was restarted:
    the monotonic clock of that boot cannot tell for how long they have been quiet. An emergency that came on test and
    is still open is due, too: no operator can have asked the installer about it meanwhile.
    """
    if alarm.due_mono_us is not None:
        return alarm
    now_us = hand.now.mono_us
    if alarm.on_test:
        return alarm._replace(due_mono_us=now_us) if alarm.priority in REPEATED else alarm
    if alarm.state is not State.ANSWERED and alarm.overdue_us is None:
        mark_us = marks.warn_us if alarm.warned_us is None else marks.max_us
        due_us = now_us - (waited_us(alarm, hand.now) or 0) + mark_us if watched(alarm, marks) else None
    elif alarm.state is State.CLAIMED or (alarm.state is State.ANSWERED and alarm.lapsed_us is None):
        due_us = max(now_us, alarm.lease_mono_us or 0)
    else:
        due_us = hand.hold_mono_us if alarm.priority in REPEATED else None
    return alarm._replace(due_mono_us=due_us)


def unattended(alarm: Alarm) -> bool:
    """Return True if an answered alarm's operator has let the hold time pass."""
    return alarm.lapsed_us is not None


def due(alarm: Alarm, now: Instant) -> bool:
    """Return True if the alarm's next mark has come."""
    return alarm.due_mono_us is not None and alarm.due_mono_us <= now.mono_us


def warn(alarm: Alarm, hand: Hand, marks: Marks) -> Alarm:
    """Mark an alarm that has waited for ``t3_warn_s``; the next mark is that of ``t3_max_s``."""
    next_us = (alarm.due_mono_us or hand.now.mono_us) + marks.max_us - marks.warn_us
    return alarm._replace(warned_us=hand.now.utc_us, due_mono_us=next_us)


def cause(alarm: Alarm, now: Instant) -> Cause | None:
    """Return why an alarm that is due goes before a supervisor; None: it has only to be warned of."""
    if alarm.on_test:
        return Cause.ON_TEST
    if alarm.state is State.ANSWERED:
        return Cause.HOLD_LAPSED
    if alarm.warned_us is None:
        return None
    claim_lapsed = alarm.state is State.CLAIMED and alarm.overdue_us is not None and not holder_active(alarm, now)
    return Cause.CLAIM_LAPSED if claim_lapsed else Cause.UNANSWERED


def fall_due(alarm: Alarm, hand: Hand, why: Cause) -> Alarm:
    """Put an alarm before a supervisor, because no operator acted in time. If it came on test, it leaves the test."""
    alarm = as_of(alarm, hand.now)
    now_us = hand.now.utc_us
    if why is Cause.ON_TEST:
        alarm = alarm._replace(on_test=False, warned_us=now_us)
    if alarm.state is State.ANSWERED:
        alarm = alarm._replace(lapsed_us=now_us)
    else:
        alarm = alarm._replace(overdue_us=alarm.overdue_us or now_us)
    if alarm.state is State.CLAIMED:
        next_us = alarm.lease_mono_us
    else:
        next_us = hand.hold_mono_us if alarm.priority in REPEATED else None
    return put_before(alarm, hand, why)._replace(due_mono_us=next_us)


def put_before(alarm: Alarm, hand: Hand, why: Cause) -> Alarm:
    """Record that the receiver put an alarm before a supervisor. What an operator wrote to them stays."""
    if alarm.escalated_by in {"", hand.operator}:
        alarm = alarm._replace(escalated_us=hand.now.utc_us, escalated_by=hand.operator, escalated_why=why.value)
    return alarm._replace(escalated=alarm.escalated + 1)
