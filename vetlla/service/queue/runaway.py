"""Finds runaway devices, which repeat one report without end, and the alarm that groups their repetitions.

Only repetitions of the same event by the same device count. Other devices, and other events of this device, are not
affected. One fixed window for all devices is enough: a device that repeats itself for minutes must be grouped, but the
exact second does not matter. When a window ends all counts are dropped, so the device's next report counts as a first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId, Event

DEVICES_MAX = 100_000
"""Most devices counted within one window. Above that the window ends early, which groups less and hides nothing."""


class Utterance(NamedTuple):
    """An event that a device of a caller reports, on test or not."""

    home: str
    """The home; for a caller without an account, the address from which it calls."""
    who: AccountId
    device: str
    event: Event
    on_test: bool


@dataclass(slots=True)
class Repetition:
    """How often a device reported one event within this window."""

    count: int = 0
    alarm: int | None = None
    """The alarm of the device once it is over its limit; an operator may have closed it since."""


class Runaways:
    """Counts the reports of each device that need an operator."""

    __slots__ = ("_said", "_since_us")

    def __init__(self) -> None:
        self._since_us = 0
        self._said: dict[Utterance, Repetition] = {}

    def count(self, utterance: Utterance, now_us: int, window_us: int) -> Repetition:
        """Count one more report (``now_us`` on the monotonic clock). Return how often it came, including this one."""
        if now_us - self._since_us > window_us or len(self._said) >= DEVICES_MAX:
            self.forget()
            self._since_us = now_us
        repetition = self._said.get(utterance)
        if repetition is None:
            repetition = self._said[utterance] = Repetition()
        repetition.count += 1
        return repetition

    def forget(self) -> None:
        """Drop all counts. This can open an alarm too many, but never one too few."""
        self._said.clear()
