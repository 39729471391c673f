"""Devices that run away: which ones repeat themselves without end, and under which alarm they are grouped.

What counts is that one device says one thing again and again: its neighbours, and whatever else it has to say, are not
touched by it. A fixed window for all is enough, since what matters is that a device which repeats itself for minutes is
grouped, not the exact second at which that begins. When a window ends all is forgotten, so the device's next report is
heard as a first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vetlla.signals import AccountId, Event

DEVICES_MAX = 100_000
"""Devices counted within one window; beyond it the window ends early, which groups less and hides nothing."""


class Device(NamedTuple):
    """One device of one caller and what it says, in or out of a test."""

    home: str
    """Tells callers apart that name no account: where they call from."""
    who: AccountId
    device: str
    event: Event
    on_test: bool


class Runaways:
    """Counts the reports of each device that want an operator's eye."""

    __slots__ = ("_counts", "_groups", "_since_us")

    def __init__(self) -> None:
        self._since_us = 0
        self._counts: dict[Device, int] = {}
        self._groups: dict[Device, int] = {}

    def count(self, device: Device, now_us: int, *, limit: int, window_us: int) -> bool:
        """Count one more report (``now_us`` on the monotonic clock); say whether the device is over its limit."""
        if now_us - self._since_us > window_us or len(self._counts) >= DEVICES_MAX:
            self.forget()
            self._since_us = now_us
        self._counts[device] = count = self._counts.get(device, 0) + 1
        return count > limit

    def gather(self, device: Device, alarm: int) -> None:
        """Remember the alarm that stands for a device which is over its limit."""
        self._groups[device] = alarm

    def group(self, device: Device) -> int | None:
        """Return the alarm that stands for a device within this window, open or closed by an operator since."""
        return self._groups.get(device)

    def forget(self) -> None:
        """Count from zero: an alarm more is opened rather than one too few."""
        self._counts.clear()
        self._groups.clear()
