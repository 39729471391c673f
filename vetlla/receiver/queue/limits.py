"""The settings of the queue, in the units in which the desk counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.alarms import RECEIVER
from vetlla.domain.clock import SECOND_US
from vetlla.service.queue.marks import Marks
from vetlla.service.queue.steps import OperatorAction

if TYPE_CHECKING:
    from vetlla.domain.clock import Instant
    from vetlla.settings.queue import QueueSettings


class QueueLimits(NamedTuple):
    """Times in microseconds, and the number of signals after which a device is a runaway."""

    marks: Marks
    hold_us: int
    test_us: int
    """Longest time that an emergency on test is not put before a supervisor."""
    chain_window_us: int
    runaway_window_us: int
    runaway_signals: int

    @classmethod
    def of(cls, settings: QueueSettings) -> QueueLimits:
        """Return the rules of these settings."""
        warn_us, max_us = round(settings.t3_warn_s * SECOND_US), round(settings.t3_max_s * SECOND_US)
        return cls(
            Marks(warn_us, max_us, settings.t3_priorities),
            hold_us=round(settings.hold_s * SECOND_US),
            test_us=round(settings.test_unseen_s * SECOND_US),
            chain_window_us=round(settings.chain_window_s * SECOND_US),
            runaway_window_us=round(settings.runaway_window_s * SECOND_US),
            runaway_signals=settings.runaway_signals,
        )

    def by_receiver(self, now: Instant) -> OperatorAction:
        """Return an action of the receiver itself, to which the rules about operators do not apply."""
        return OperatorAction(RECEIVER, now, 0, supervisor=True, hold_us=self.hold_us)
