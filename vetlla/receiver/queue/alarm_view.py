"""An alarm's card on the desk: the alarm and its counts, as operators see them, and the actions on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.alarms import Cause
from vetlla.domain.clock import SECOND_US, iso
from vetlla.receiver.dispatch import RECEIVER, make_event
from vetlla.service.queue import steps as queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.alarms import Alarm, Tally
    from vetlla.domain.clock import Instant

_STAMPS = (
    "established_us", "opened_us", "ready_us", "warned_us", "overdue_us", "claimed_us", "answered_us", "lapsed_us",
    "closed_us",
)  # fmt: skip
_CLOCKWORK = ("ready_mono_us", "lease_mono_us", "due_mono_us", "boot", "t2_us", "t3_us")
"""Fields that have a meaning only on this machine; people get seconds instead."""


class AlarmView(NamedTuple):
    """What the desk knows about an alarm."""

    alarm: Alarm
    tally: Tally

    def fields(self, now: Instant) -> dict[str, Any]:
        """Return the present state of the alarm, ready for JSON, with its counts and its running clocks in seconds."""
        alarm = queue.as_of(self.alarm, now)
        plain = alarm._asdict()
        for name in _CLOCKWORK:
            del plain[name]
        stamps = {name.removesuffix("_us"): iso(plain.pop(name)) for name in _STAMPS}
        plain["escalated_at"] = iso(plain.pop("escalated_us"))
        return plain | {
            "priority": alarm.priority.name,
            "signals": self.tally.signals,
            "last_signal": self.tally.last_signal,
            "told_again": self.tally.told_again,
            "last_told_again": iso(self.tally.told_again_us) if self.tally.told_again else None,
            **stamps,
            "age_s": queue.age_us(alarm, now) / SECOND_US,
            "t2_s": _seconds(alarm.t2_us),
            "t3_s": _seconds(queue.waited_us(alarm, now) if alarm.t3_us is None else alarm.t3_us),
            "lease_s": _left(alarm.lease_mono_us, now),
            "due_s": _left(alarm.due_mono_us, now),
        }

    def event(self, name: str, action: str, now: Instant, detail: Mapping[str, object]) -> dict[str, Any]:
        """Return the event that watchers receive when frames changed the alarm, or when they list the open alarms."""
        return make_event(name, now, action, detail=detail, alarm=self.fields(now))


EVENTS = {
    "claim": "claimed",
    "answer": "answered",
    "note": "noted",
    "close": "closed",
    "hand over": "handed_over",
    "warn": "warned",
    "escalate": "escalated",
}
"""The event that watchers receive for each action of the audit."""


class Deed(NamedTuple):
    """An action of an operator, or of the receiver in its own name, on an alarm."""

    card: AlarmView
    action: str
    """The audit's word for it."""
    actor: str
    at: Instant
    detail: dict[str, object]

    @property
    def cause(self) -> Cause:
        """Why the alarm was put before a supervisor; only for ``escalate``."""
        if self.actor != RECEIVER:
            return Cause.ASKED
        # A user of the machine may have the same name as the receiver; the reason that they typed is no cause.
        return next((cause for cause in Cause if cause.value == self.detail["why"]), Cause.ASKED)

    def answer(self, now: Instant) -> dict[str, Any]:
        """Return the answer that the actor receives: the alarm's fields, and those of the deed."""
        at = iso(self.at.utc_us)
        done = {"action": self.action, "actor": self.actor, "at": at, "detail": self.detail}
        return self.card.fields(now) | done

    def event(self, now: Instant) -> dict[str, Any]:
        """Return the event that watchers receive."""
        return make_event(
            EVENTS[self.action], self.at, self.action, self.actor, self.detail, alarm=self.card.fields(now)
        )


def _left(end_mono_us: int | None, now: Instant) -> float | None:
    return None if end_mono_us is None else max(0, end_mono_us - now.mono_us) / SECOND_US


def _seconds(duration_us: int | None) -> float | None:
    return None if duration_us is None else duration_us / SECOND_US
