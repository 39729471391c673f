"""An alarm as operators see it, with its counts; what frames did to it, and the actions of people on it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.alarms import RECEIVER, Cause
from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.signals import Kind
from vetlla.receiver.watchers import happening
from vetlla.service.queue import order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.alarms import Alarm, Tally
    from vetlla.domain.clock import Instant
    from vetlla.receiver.control.messages.queue import AlarmFields, StepDone
    from vetlla.receiver.control.messages.watch import AlarmEvent


class AlarmView(NamedTuple):
    """What the desk knows about an alarm."""

    alarm: Alarm
    tally: Tally

    @property
    def is_own_loss(self) -> bool:
        """True if the receiver itself noticed the silence that is this alarm, and no device's report joined it."""
        return self.alarm.kind is Kind.DEVICE_LOST and not self.alarm.first_signal and not self.tally.last_signal

    def fields(self, now: Instant) -> AlarmFields:
        """Return the present state of the alarm, ready for JSON, with its counts and its running clocks in seconds.

        Monotonic stamps have a meaning only on this machine, so people get seconds instead.
        """
        alarm, tally = order.as_of(self.alarm, now), self.tally
        return {
            "id": alarm.id,
            "home": alarm.home,
            "account": alarm.account,
            "kind": alarm.kind,
            "priority": alarm.priority.name,
            "why": alarm.why,
            "first_signal": alarm.first_signal,
            "chained_to": alarm.chained_to,
            "unknown_account": alarm.unknown_account,
            "on_test": alarm.on_test,
            "runaway": alarm.runaway,
            "escalated": alarm.escalated,
            "state": alarm.state,
            "operator": alarm.operator,
            "outcome": alarm.outcome,
            "escalated_by": alarm.escalated_by,
            "escalated_why": alarm.escalated_why,
            "escalated_at": iso(alarm.escalated_us),
            "signals": tally.signals,
            "last_signal": tally.last_signal,
            "told_again": tally.told_again,
            "last_told_again": iso(tally.told_again_us) if tally.told_again else None,
            "established": iso(alarm.established_us),
            "opened": iso(alarm.opened_us),
            "ready": iso(alarm.ready_us),
            "warned": iso(alarm.warned_us),
            "overdue": iso(alarm.overdue_us),
            "claimed": iso(alarm.claimed_us),
            "answered": iso(alarm.answered_us),
            "lapsed": iso(alarm.lapsed_us),
            "closed": iso(alarm.closed_us),
            "age_s": order.age_us(alarm, now) / SECOND_US,
            "t2_s": _seconds(alarm.t2_us),
            "t3_s": _seconds(order.waited_us(alarm, now) if alarm.t3_us is None else alarm.t3_us),
            "lease_s": _left(alarm.lease_mono_us, now),
            "due_s": _left(alarm.due_mono_us, now),
        }

    def event(self, name: str, action: str, now: Instant, detail: Mapping[str, object]) -> AlarmEvent:
        """Return the event that watchers receive when frames changed the alarm, or when they list the open alarms."""
        return {**happening(name, now, action, detail=detail), "alarm": self.fields(now)}


class News(StrEnum):
    """What frames did to an alarm, in the words that watchers receive."""

    OPENED = "alarm"
    LIFTED = "lifted"
    JOINED = "joined"
    REPEATED = "repeated"
    """One of its signals came again, because the acknowledgement did not arrive."""
    ESCALATED = "escalated"


def news_of(before: AlarmView, after: AlarmView) -> News:
    """Return what a batch did to an alarm that was open before it."""
    if after.alarm.priority < before.alarm.priority:
        return News.LIFTED
    if after.alarm.escalated > before.alarm.escalated:
        return News.ESCALATED
    return News.JOINED if after.tally.signals > before.tally.signals else News.REPEATED


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

    view: AlarmView
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

    def answer(self, now: Instant, *, durable: bool) -> StepDone:
        """Return the answer that the actor receives: the alarm's fields, and those of the deed."""
        return {
            **self.view.fields(now),
            "action": self.action,
            "actor": self.actor,
            "at": iso(self.at.utc_us),
            "detail": self.detail,
            "durable": durable,
        }

    def event(self, now: Instant) -> AlarmEvent:
        """Return the event that watchers receive."""
        event = happening(EVENTS[self.action], self.at, self.action, self.actor, self.detail)
        return {**event, "alarm": self.view.fields(now)}


def _left(end_mono_us: int | None, now: Instant) -> float | None:
    return None if end_mono_us is None else max(0, end_mono_us - now.mono_us) / SECOND_US


def _seconds(duration_us: int | None) -> float | None:
    return None if duration_us is None else duration_us / SECOND_US
