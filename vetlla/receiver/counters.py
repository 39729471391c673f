"""The receiver's counters: plain integers that are increased without a lock.

There is one object per daemon. Only the event loop's thread writes it, and that thread also answers ``/metrics``. A
step is ``counters.signals[protocol, outcome] += 1``: a dictionary access without a call, about 0.1 µs. Series that are
known beforehand start at zero, because Prometheus' ``increase()`` cannot see the first step of a new series.

No label can hold an account: labels are enums and the registry's protocol names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat
from typing import TYPE_CHECKING

from vetlla.domain.alarms import Cause
from vetlla.domain.removal import What
from vetlla.domain.signals import Priority, Reason, VerdictOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ANSWER_BOUNDS_US = tuple(
    round(ms * 1000) for ms in (0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000)
)
"""From one fast fsync to 20 s, when terminals have long given up and dialled their second receiver."""

COMMIT_BOUNDS_US = tuple(
    round(ms * 1000) for ms in (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000)
)
"""From a disk with a safe write cache to a disk that is failing."""

T2_BOUNDS_US = tuple(round(s * 1_000_000) for s in (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 20, 30, 60))
"""The contract's limit for *t2* (established to ready) is a bound: 20 s for every communication. ``t2_breaches`` counts
by the limit in the settings."""

T3_BOUNDS_US = tuple(round(s * 1_000_000) for s in (2, 5, 10, 15, 20, 25, 30, 45, 60, 90, 120, 300, 600))
"""The contract's limits for *t3* (ready to answered) are bounds: 15 s for 90 % and 30 s for all. ``t3_slow`` and
``t3_breaches`` count by the limits in the settings."""


class CallerKind(StrEnum):
    """Whether the account that a reject names is registered."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    UNNAMED = "unnamed"
    """The receiver could read no account in the bytes."""


class Refusal(StrEnum):
    """Why a connection was refused, or closed by the receiver."""

    CONNECTIONS = "connections"
    """The limit of all connections is reached."""
    PEER = "peer"
    """The limit of this address is reached."""
    UNPROVEN = "unproven"
    """It had sent no report of a registered account, and was dropped to make room for another one."""
    IDLE = "idle"
    BOGUS = "bogus"
    """It sent too many frames that could not be read."""
    FOREIGN = "foreign"
    HANGUP = "hangup"
    """The decoder asked for the end of the connection."""
    TLS = "tls"
    """The handshake failed."""
    NOT_READY = "not_ready"
    """Nothing can be committed, so the terminal should try its second receiver."""


class Receipt(StrEnum):
    """What happened to a receipt for an event that came by MQTT."""

    SENT = "sent"
    UNHEARD = "unheard"
    """The broker accepted it, but the terminal is not subscribed to its receipts."""
    REFUSED = "refused"
    """The broker did not accept it: check the broker's ACL."""


class Told(StrEnum):
    """What became of an answer of ours that went to a terminal as a SIP message of its own."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The terminal, or a proxy before it, refused it."""
    UNHEARD = "unheard"
    """No response came in time. The report is stored, and the terminal will most likely send it again."""


class SpoolOutcome(StrEnum):
    """What became of a file of a spool."""

    TAKEN = "taken"
    """Its events are on the disk."""
    QUARANTINED = "quarantined"
    """A person has to look at it: a part could not be read, or a report was refused. The rest is on the disk."""


@dataclass(slots=True)
class SpoolCounts:
    """What a spool has done, and its state."""

    files: dict[SpoolOutcome, int] = field(default_factory=lambda: dict.fromkeys(SpoolOutcome, 0))
    waiting: int = 0
    """Files that are there and were not taken."""
    stuck: int = 0
    """Files that were taken and cannot be moved."""
    reachable: bool = False
    """Whether the directory can be used."""
    last_us: int = 0
    """When a file was taken last, in microseconds of UTC; 0 if none was since the start."""


class Histogram:
    """Durations in buckets whose upper bounds are inclusive, in integer microseconds."""

    __slots__ = ("bounds_us", "counts", "sum_us")

    def __init__(self, bounds_us: tuple[int, ...]) -> None:
        self.bounds_us = bounds_us
        self.counts = [0] * (len(bounds_us) + 1)
        """Count per bucket, not cumulative; the last bucket has no upper bound."""
        self.sum_us = 0

    def observe(self, duration_us: int, times: int = 1) -> None:
        """Count a duration, once or several times."""
        self.counts[bisect_left(self.bounds_us, duration_us)] += times
        self.sum_us += duration_us * times

    def observe_each(self, durations_us: Sequence[int]) -> None:
        """Count several durations."""
        counts = self.counts
        for place in map(bisect_left, repeat(self.bounds_us), durations_us):
            counts[place] += 1
        self.sum_us += sum(durations_us)

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return sum(self.counts)


class Counters:
    """Everything counted since the daemon's start. Each attribute becomes one metric (``monitoring/metrics.py``)."""

    __slots__ = (
        "answer",
        "brokers",
        "commit",
        "committed_signals",
        "connections_accepted",
        "connections_open",
        "connections_refused",
        "escalations",
        "heartbeats",
        "receipts",
        "registry_unread",
        "rejects",
        "reloads",
        "reloads_refused",
        "removals_refused",
        "removed",
        "removed_upto_us",
        "replies",
        "signals",
        "sip_answers",
        "spools",
        "store_failures",
        "t2",
        "t2_breaches",
        "t3",
        "t3_breaches",
        "t3_slow",
        "warnings",
    )

    def __init__(self, protocols: Iterable[str] = ()) -> None:  # noqa: PLR0915 - one statement for each metric
        protocols = tuple(protocols)
        self.signals = defaultdict[tuple[str, VerdictOutcome], int](
            int, {(p, o): 0 for p in protocols for o in VerdictOutcome}
        )
        """Signals by protocol and outcome; duplicates are an outcome."""
        self.rejects = defaultdict[tuple[str, Reason, CallerKind], int](
            int, {(p, r, c): 0 for p in protocols for r in Reason for c in CallerKind}
        )
        """Bytes that could not be read as a report, by protocol, reason and whether their account is registered."""
        self.replies = defaultdict[str, int](int, dict.fromkeys(protocols, 0))
        """Replies that promise nothing (NAK with time ...), by protocol."""
        self.heartbeats = defaultdict[str, int](int, dict.fromkeys(protocols, 0))
        """Signals of kind heartbeat, by protocol."""
        self.connections_open = 0
        self.connections_accepted = 0
        self.connections_refused = defaultdict[Refusal, int](int, dict.fromkeys(Refusal, 0))
        self.brokers: dict[str, bool] = {}
        """Whether each MQTT broker is connected, by its name in the configuration."""
        self.spools: dict[str, SpoolCounts] = {}
        """Files of each spool, by its name in the configuration."""
        self.receipts = defaultdict[Receipt, int](int, dict.fromkeys(Receipt, 0))
        """Receipts published to terminals."""
        self.sip_answers = defaultdict[Told, int](int, dict.fromkeys(Told, 0))
        """Answers that went to terminals as SIP messages of their own."""
        self.commit = Histogram(COMMIT_BOUNDS_US)
        """Time until a group commit was durable, one observation per commit."""
        self.committed_signals = 0
        """Signals in those commits. Divided by the number of commits, this is the size of a group."""
        self.store_failures = 0
        """Commits that failed; none of their reports was acknowledged."""
        self.answer = Histogram(ANSWER_BOUNDS_US)
        """Time from a frame's last byte received to the verdict on which it is acknowledged."""
        self.t2 = Histogram(T2_BOUNDS_US)
        """Time from the set-up of each communication until it is ready for an operator (ANS 5)."""
        self.t2_breaches = 0
        """Communications that were ready later than ``queue.t2_max_s``."""
        self.t3 = {priority: Histogram(T3_BOUNDS_US) for priority in Priority}
        """Time of each communication from ready to answered (ANS 6). The receiver itself answers those of ROUTINE."""
        self.t3_slow = dict.fromkeys(Priority, 0)
        """Communications that were answered later than ``queue.t3_warn_s``."""
        self.t3_breaches = dict.fromkeys(Priority, 0)
        """Communications that were answered later than ``queue.t3_max_s``."""
        self.warnings = dict.fromkeys(Priority, 0)
        """Alarms that were not answered within ``queue.t3_warn_s``."""
        self.escalations = {(priority, cause): 0 for priority in Priority for cause in Cause}
        """Alarms put before a supervisor."""
        self.reloads = 0
        """Configurations that a reload has applied."""
        self.reloads_refused = 0
        """Configurations that a reload has refused; the old one stayed in force."""
        self.registry_unread = 0
        """Failed readings of accounts and keys alone; the known ones stayed in force."""

        self.removed = dict.fromkeys(What, 0)
        """Rows that were removed or emptied because of their age."""
        self.removed_upto_us = dict.fromkeys(What, 0)
        """Stamp of the last row that a round dealt with; 0 if there was none since the start."""
        self.removals_refused = 0
        """Ranges of signals that were not removed, because they are not those that were committed."""

    def ready(self, t2_us: Sequence[int], limit_us: int) -> int:
        """Count communications that became ready; return how many of them took longer than the limit."""
        self.t2.observe_each(t2_us)
        late = sum(one > limit_us for one in t2_us) if max(t2_us, default=0) > limit_us else 0
        self.t2_breaches += late
        return late
