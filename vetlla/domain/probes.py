"""Values of probes: test signals and requests from outside that show whether a part of the service is available.

Times are microseconds UTC; durations are microseconds of the monotonic clock.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

NAME_MOST: Final = 64
"""Most characters of the name of a machine or a component: it is a column of tables."""
REASON_MOST: Final = 200
"""Most characters of a reason. It is a sentence for a person, and a month has a million probes."""


class ProbedPart(StrEnum):
    """What a component is a part of, and so the service level that it counts in."""

    SYSTEM = "system"
    """The information system: ANS 18."""
    ACCESS = "access"
    """The authority's access to the information behind the service levels: ANS 21."""


class ProbeResult(StrEnum):
    """How a probe ended."""

    OK = "ok"
    FAILED = "failed"
    """There was an answer, or an error, and it was not the right one."""
    TIMEOUT = "timeout"
    """There was no answer in time."""


class SeenThrough(StrEnum):
    """How far a probe followed its signal."""

    NOTHING = ""
    """Not even to an answer."""
    ACK = "ack"
    """The peer acknowledged it. A page or a file had the expected content, or a SIP server gave the expected status."""
    JOURNAL = "journal"
    """The journal of the receiver has it."""
    QUEUE = "queue"
    """The receiver has placed it: it stands in the queue apart, as an alarm of an account on test."""


class Probe(NamedTuple):
    """One probe of one component. A machine starts at most one probe of a component in a microsecond."""

    machine: str
    component: str
    part: ProbedPart
    started_us: int
    duration_us: int
    result: ProbeResult
    reason: str = ""
    """Why it is not ok; without secrets and without personal data."""
    through: SeenThrough = SeenThrough.NOTHING
    account: str = ""
    """The account of its signal, by which the office finds it in the journal; empty for a page or a file."""

    @property
    def ended_us(self) -> int:
        """When it ended, by its duration on the monotonic clock."""
        return self.started_us + self.duration_us


class ComponentName(NamedTuple):
    """A component that probes look at, and what it is a part of."""

    part: ProbedPart
    name: str


class Incident(NamedTuple):
    """What a person noted about an outage. It explains the figures and changes none of them."""

    number: int
    component: str
    begun_us: int
    ended_us: int
    is_planned: bool
    """Whether it was planned maintenance. The tender exempts none."""
    note: str
    by: str
    recorded_us: int
