"""Settings of the queue of alarms."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from vetlla.domain.signals import Kind, Priority
from vetlla.settings.section import Count, NamedPriority, Seconds, Section


def _hold_beyond_lease(data: dict[str, Any]) -> float:
    lease_s: float = data["lease_s"]
    return max(300, lease_s)


class QueueSettings(Section):
    """Settings of the queue of alarms."""

    chain_window_s: Seconds = 1_800
    """A signal within this time of the home's last one joins its open alarm."""
    lease_s: Seconds = 60
    """How long a claim holds without activity of its operator."""
    hold_s: Seconds = Field(default_factory=_hold_beyond_lease)
    """Time without activity of its operator after which the receiver escalates an answered alarm.

    LIFE and HOME_RISK are escalated again after each such time in which no operator acts. Default 300, or a longer
    ``lease_s``."""
    t3_warn_s: Seconds = 15
    """Time that an alarm waits for an answer before the receiver warns (t3 runs from ready to answered)."""
    t3_max_s: Seconds = 30
    """Time that an alarm waits for an answer before the receiver escalates it."""
    t3_priorities: tuple[NamedPriority, ...] = (Priority.LIFE, Priority.HOME_RISK, Priority.TECHNICAL)
    """Priorities of the alarms with these two limits; ANS 6 applies to every incoming communication."""
    t2_max_s: Seconds = 20
    """Longest time from the first byte of a communication to ready; a longer one is a breach (ANS 5)."""
    test_unseen_s: Seconds = 900
    """How long an emergency during a test may be shown apart before the receiver escalates it.

    The receiver also escalates it when the test ends, because the installer may have left. A new order of the test
    restarts this time."""
    runaway_signals: Count = 20
    """Signals of one device within ``runaway_window_s`` that make it a runaway."""
    runaway_window_s: Seconds = 60
    """See ``runaway_signals``."""
    priorities: Mapping[Kind, NamedPriority] = {}
    """Priority by kind (LIFE, HOME_RISK, TECHNICAL or ROUTINE), where it differs from the standard table."""

    @model_validator(mode="after")
    def _warning_before_limit(self) -> "QueueSettings":
        if self.t3_warn_s > self.t3_max_s:
            raise ValueError("t3_warn_s should not be above t3_max_s")
        return self

    @model_validator(mode="after")
    def _hold_outlasts_lease(self) -> "QueueSettings":
        if self.hold_s < self.lease_s:
            raise ValueError("hold_s should not be below lease_s")
        return self

    @model_validator(mode="after")
    def _emergencies_have_limits(self) -> "QueueSettings":
        if Priority.LIFE not in self.t3_priorities or Priority.HOME_RISK not in self.t3_priorities:
            raise ValueError("t3_priorities should name LIFE and HOME_RISK")
        return self
