"""An alarm's way through the hands of operators: each step takes a value and returns the next one, or refuses.

waiting -> claimed (lease, renewed by every action of its holder) -> answered -> closed(outcome). A claim whose lease
has lapsed is waiting again, at its old place: order is priority, then age, and neither changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.alarms import State
from vetlla.errors import UsageError

if TYPE_CHECKING:
    from vetlla.alarms import Alarm, Outcome
    from vetlla.clock import Instant


class Hand(NamedTuple):
    """Who acts on an alarm, when, and for how long an action keeps it theirs."""

    operator: str
    now: Instant
    lease_us: int
    supervisor: bool = False

    @property
    def lease_mono_us(self) -> int:
        """When the lease of this action ends."""
        return self.now.mono_us + self.lease_us


def order(alarm: Alarm) -> tuple[int, int, int]:
    """Return the place in the queue: most urgent first, then the one that began first."""
    return (alarm.priority, alarm.established_us, alarm.id)


def holder_active(alarm: Alarm, now: Instant) -> bool:
    """Say whether the operator who holds an alarm has shown signs of life within the lease."""
    return alarm.lease_mono_us is not None and now.mono_us < alarm.lease_mono_us


def as_of(alarm: Alarm, now: Instant) -> Alarm:
    """Return the alarm as it stands now: a lapsed claim is waiting again."""
    if alarm.state is State.CLAIMED and not holder_active(alarm, now):
        return alarm._replace(state=State.WAITING, operator="", lease_mono_us=None)
    return alarm


def after_reboot(alarm: Alarm, boot: int) -> Alarm:
    """Return an alarm of an earlier boot as this one can keep it: its monotonic stamps and leases mean nothing now."""
    return alarm._replace(boot=boot, ready_mono_us=None, lease_mono_us=None)


def claim(alarm: Alarm, hand: Hand) -> Alarm:
    """Take an alarm in hand. Raises UsageError when somebody else has it.

    An answered alarm whose holder has gone quiet can be taken over; a supervisor can take any.
    """
    alarm = _open(alarm, hand)
    held = alarm.state is State.CLAIMED or (alarm.state is State.ANSWERED and holder_active(alarm, hand.now))
    if held and alarm.operator != hand.operator and not hand.supervisor:
        raise _held(alarm)
    return alarm._replace(
        state=State.ANSWERED if alarm.state is State.ANSWERED else State.CLAIMED,
        operator=hand.operator,
        claimed_us=alarm.claimed_us or hand.now.utc_us,
        lease_mono_us=hand.lease_mono_us,
    )


def answer(alarm: Alarm, hand: Hand) -> Alarm:
    """Say that the operator is speaking with the home: ends *t3*. Claims the alarm first if it was free."""
    if alarm.state is State.ANSWERED:
        raise UsageError(
            f"alarm {alarm.id} was answered by {alarm.operator}",
            remedy=f"vetlla queue claim {alarm.id} takes it over once its holder has gone quiet",
        )
    held = claim(alarm, hand)
    return held._replace(state=State.ANSWERED, answered_us=hand.now.utc_us, t3_us=waited_us(alarm, hand.now))


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


def touch(alarm: Alarm, hand: Hand) -> Alarm:
    """Renew the lease of the operator who holds the alarm. Raises UsageError if that is somebody else, or nobody."""
    return _mine(_open(alarm, hand), hand)._replace(lease_mono_us=hand.lease_mono_us)


def close(alarm: Alarm, hand: Hand, outcome: Outcome) -> Alarm:
    """End an alarm: its holder does, or a supervisor."""
    alarm = _mine(_open(alarm, hand), hand)
    return alarm._replace(
        state=State.CLOSED,
        operator=alarm.operator or hand.operator,
        closed_us=hand.now.utc_us,
        outcome=outcome,
        lease_mono_us=None,
    )


def hand_over(alarm: Alarm, hand: Hand, to: str) -> Alarm:
    """Give an alarm to a colleague, whose lease begins now: its holder does, or a supervisor."""
    alarm = _mine(_open(alarm, hand), hand)
    return alarm._replace(
        state=State.CLAIMED if alarm.state is State.WAITING else alarm.state,
        operator=to,
        claimed_us=alarm.claimed_us or hand.now.utc_us,
        lease_mono_us=hand.lease_mono_us,
    )


def escalate(alarm: Alarm) -> Alarm:
    """Put an alarm before a supervisor: an operator asks for it, or it waited too long."""
    return alarm._replace(escalated=alarm.escalated + 1)


def _open(alarm: Alarm, hand: Hand) -> Alarm:
    if alarm.state is State.CLOSED:
        raise UsageError(
            f"alarm {alarm.id} is closed ({alarm.outcome})", remedy="vetlla queue list shows the open ones"
        )
    return as_of(alarm, hand.now)


def _mine(alarm: Alarm, hand: Hand) -> Alarm:
    if alarm.operator == hand.operator or hand.supervisor:
        return alarm
    if alarm.operator:
        raise _held(alarm)
    raise UsageError(f"alarm {alarm.id} is in nobody's hands", remedy=f"vetlla queue claim {alarm.id}")


def _held(alarm: Alarm) -> UsageError:
    return UsageError(
        f"alarm {alarm.id} is held by {alarm.operator}",
        remedy="they can hand it over; a supervisor can take it; an idle claim lapses by itself",
    )
