"""The state of an alarm at a moment, how long it waits, and its place in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from vetlla.domain.alarms import State

if TYPE_CHECKING:
    from vetlla.domain.alarms import Alarm
    from vetlla.domain.clock import Instant

Order: TypeAlias = "tuple[int, bool, int, int]"
"""Place of an alarm in the queue: priority, whether a stranger called, when it began (monotonic), its number."""


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
