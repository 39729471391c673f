"""A clock that runs, and that a person may set ahead."""

from __future__ import annotations

from vetlla.domain.clock import SECOND_US, Instant, SystemClock


class MovableClock:
    """The machine's clock, and the time by which it was set ahead."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead_us = 0

    def now(self) -> Instant:
        """Return the present moment of this clock."""
        now = self._system.now()
        return Instant(now.utc_us + self._ahead_us, now.mono_us + self._ahead_us)

    def advance(self, seconds: float) -> None:
        """Set it ahead."""
        self._ahead_us += round(seconds * SECOND_US)
