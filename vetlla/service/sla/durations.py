"""Durations of a month: how many are within a limit, the 90th percentile, the longest, and their distribution."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.domain.service_levels import Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS: Final = 61
"""Places of a distribution: 60 whole steps, and all that is longer."""


class Durations:
    """Durations in microseconds, eight bytes each."""

    def __init__(self, name: str, limits_us: Sequence[int], step_us: int = SECOND_US) -> None:
        """Take the name of the durations, the limits that a chart shows, and the step of their distribution."""
        self.name = name
        self._limits_us = tuple(limits_us)
        self._step_us = step_us
        self._all = array("q")

    def __len__(self) -> int:
        return len(self._all)

    def add(self, duration_us: int) -> None:
        """Add a duration."""
        self._all.append(duration_us)

    def spread(self) -> Spread:
        """Return how they are spread. The 90th percentile is the shortest that at least 90 % do not exceed."""
        ordered = sorted(self._all)
        counts = [0] * STEPS
        for one in ordered:
            # A duration that is equal to a whole step belongs to it: 15 s is within "at most 15 s".
            counts[min(STEPS - 1, max(0, -(-one // self._step_us) - 1))] += 1
        p90 = ordered[-(-9 * len(ordered) // 10) - 1] if ordered else None
        longest = ordered[-1] if ordered else None
        return Spread(self.name, len(ordered), p90, longest, tuple(counts), self._step_us, self._limits_us)
