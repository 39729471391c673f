"""What came of a run: latency percentiles, throughput, losses and what the receiver answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

PRECISION_BITS = 10
"""Latencies keep their ten leading bits: an error below 0.2 %, and memory that does not grow with the run."""


class Latencies:
    """A histogram of microseconds."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._max = 0

    def add(self, latency_us: int) -> None:
        """Count one latency."""
        shift = latency_us.bit_length() - PRECISION_BITS
        self._counts[latency_us if shift <= 0 else latency_us >> shift << shift] += 1
        self._max = max(self._max, latency_us)

    def percentile(self, percent: float) -> int | None:
        """Return the latency that ``percent`` of all do not exceed (nearest rank), or None if there is none."""
        total = self._counts.total()
        rank = -(-total * percent // 100)
        for latency_us, count in sorted(self._counts.items()):
            rank -= count
            if rank <= 0:
                return latency_us
        return None

    @property
    def max(self) -> int | None:
        """Return the longest, exactly, or None if there is none."""
        return self._max if self._counts else None


@dataclass(slots=True)
class Fortunes:
    """What befell a fleet."""

    cut: int = 0
    """Lines that stood when the network went away."""
    backlog: int = 0
    """Reports that became due while it was away."""
    back_ns: int = 0
    """When the first home was back, monotonic."""
    backlog_settled_ns: int = 0
    """When the last report from before that was settled."""
    silent: tuple[str, ...] = ()
    """Accounts that fell silent."""

    @property
    def backlog_s(self) -> float | None:
        """From the first home's return until the last report from before it was settled; None: there was none."""
        return round((self.backlog_settled_ns - self.back_ns) / 1e9, 3) if self.backlog_settled_ns else None


@dataclass(slots=True)
class Counts(Fortunes):
    """Running counts of one run, shared by all its homes."""

    told: int = 0
    """Messages the homes had to tell."""
    acknowledged: int = 0
    sent: int = 0
    """Reports for which the protocol has no acknowledgement: the receiver's machine took their bytes."""
    refused: int = 0
    """Answered DUH: received, and not taken."""
    lost: int = 0
    """Unacknowledged after all attempts, or still open when the run was cut short."""
    repeated: int = 0
    """Transmissions of a message beyond its first, mishaps apart."""
    nak: int = 0
    malformed: int = 0
    """Replies with a wrong CRC, length or form, or for somebody else."""
    stray: int = 0
    """Good acknowledgements that nothing waited for (any more)."""
    duplicated: int = 0
    """Messages sent over a second path as well."""
    second_path: int = 0
    """Acknowledgements of duplicates on the second path."""
    connections: int = 0
    dropped: int = 0
    """Connections the receiver refused or closed while a message was open."""
    latencies: Latencies = field(default_factory=Latencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a run. Latencies in microseconds from the instant a message was due to its acknowledgement.

    They count from *due*, not from *sent*: when the receiver stalls, those who would have called meanwhile wait too.
    What became due while the home had no network counts from its return.
    """

    homes: int
    seconds: float
    told: int
    acknowledged: int
    sent: int
    refused: int
    lost: int
    repeated: int
    nak: int
    malformed: int
    stray: int
    duplicated: int
    second_path: int
    connections: int
    dropped: int
    per_second: float
    p50_us: int | None
    p90_us: int | None
    p99_us: int | None
    max_us: int | None
    cut: int
    backlog: int
    backlog_s: float | None
    """From the first home's return until the last report from before it was settled; None: there was none."""
    silent: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every report was acknowledged, or sent where the protocol acknowledges nothing."""
        return self.acknowledged + self.sent == self.told


def conclude(counts: Counts, *, homes: int, seconds: float) -> Report:
    """Return the result of the counts of a run that lasted ``seconds``."""
    latencies = counts.latencies
    return Report(
        homes=homes,
        seconds=round(seconds, 3),
        told=counts.told,
        acknowledged=counts.acknowledged,
        sent=counts.sent,
        refused=counts.refused,
        lost=counts.lost,
        repeated=counts.repeated,
        nak=counts.nak,
        malformed=counts.malformed,
        stray=counts.stray,
        duplicated=counts.duplicated,
        second_path=counts.second_path,
        connections=counts.connections,
        dropped=counts.dropped,
        per_second=round((counts.acknowledged + counts.sent) / seconds, 1) if seconds else 0.0,
        p50_us=latencies.percentile(50),
        p90_us=latencies.percentile(90),
        p99_us=latencies.percentile(99),
        max_us=latencies.max,
        cut=counts.cut,
        backlog=counts.backlog,
        backlog_s=counts.backlog_s,
        silent=counts.silent,
    )
