"""Devices that run away: which ones repeat themselves without end, and under which alarm they are grouped.

What counts is that one device says one thing again and again: its neighbours, and whatever else it has to say, are not
touched by it. A fixed window for all is enough, since what matters is that a device which repeats itself for minutes is
grouped, not the exact second at which that begins. When a window ends all is forgotten, so the device's next report is
heard as a first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId, Event

DEVICES_MAX = 100_000
"""Devices counted within one window; beyond it the window ends early, which groups less and hides nothing."""


class Utterance(NamedTuple):
    """One device of one caller and what it says, in or out of a test."""

    home: str
    """Tells callers apart that name no account: where they call from."""
    who: AccountId
    device: str
    event: Event
    on_test: bool


@dataclass(slots=True)
class Repetition:
    """How often a device said one thing within this window."""

    count: int = 0
    alarm: int | None = None
    """The alarm that stands for the device if it is over its limit, open or closed by an operator since."""


class Runaways:
    """Counts the reports of each device that want an operator's eye."""

    __slots__ = ("_said", "_since_us")

    def __init__(self) -> None:
        self._since_us = 0
        self._said: dict[Utterance, Repetition] = {}

    def count(self, said: Utterance, now_us: int, window_us: int) -> Repetition:
        """Count one more report (``now_us`` on the monotonic clock); return how often it came, with this one."""
        if now_us - self._since_us > window_us or len(self._said) >= DEVICES_MAX:
            self.forget()
            self._since_us = now_us
        repetition = self._said.get(said)
        if repetition is None:
            repetition = self._said[said] = Repetition()
        repetition.count += 1
        return repetition

    def forget(self) -> None:
        """Count from zero: an alarm more is opened rather than one too few."""
        self._said.clear()
