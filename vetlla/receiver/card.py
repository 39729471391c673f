"""An alarm's card on the desk: the alarm and how much it has grown, as operators see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.clock import SECOND_US, iso
from vetlla.service import queue

if TYPE_CHECKING:
    from vetlla.alarms import Alarm, Tally
    from vetlla.clock import Instant

_STAMPS = ("established_us", "opened_us", "ready_us", "claimed_us", "answered_us", "closed_us")
_CLOCKWORK = ("ready_mono_us", "lease_mono_us", "boot", "t2_us", "t3_us")
"""Fields that mean something to this machine only; people get seconds instead."""


class Card(NamedTuple):
    """What the desk knows of an alarm."""

    alarm: Alarm
    tally: Tally

    def fields(self, now: Instant) -> dict[str, Any]:
        """Return the alarm as it stands now, JSON-ready, with its growth and its running clocks in seconds."""
        alarm = queue.as_of(self.alarm, now)
        plain = alarm._asdict()
        for name in _CLOCKWORK:
            del plain[name]
        stamps = {name.removesuffix("_us"): iso(plain.pop(name)) for name in _STAMPS}
        lease_us = alarm.lease_mono_us
        return plain | {
            "priority": alarm.priority.name,
            "signals": self.tally.signals,
            "last_signal": self.tally.last_signal,
            "told_again": self.tally.told_again,
            "last_told_again": iso(self.tally.told_again_us) if self.tally.told_again else None,
            **stamps,
            "age_s": queue.age_us(alarm, now) / SECOND_US,
            "t2_s": _seconds(alarm.t2_us),
            "t3_s": _seconds(alarm.t3_us if alarm.answered_us is not None else queue.waited_us(alarm, now)),
            "lease_s": None if lease_us is None else max(0, lease_us - now.mono_us) / SECOND_US,
        }


def _seconds(duration_us: int | None) -> float | None:
    return None if duration_us is None else duration_us / SECOND_US
