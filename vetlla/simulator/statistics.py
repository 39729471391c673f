"""The result of a run: latency percentiles, throughput, losses and the receiver's answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

PRECISION_BITS = 10
"""Latencies keep their ten leading bits. The error is below 0.2 %, and memory does not grow with the run."""


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
        """Return the latency that ``percent`` of all do not exceed (nearest rank), or None without latencies."""
        total = self._counts.total()
        rank = -(-total * percent // 100)
        for latency_us, count in sorted(self._counts.items()):
            rank -= count
            if rank <= 0:
                return latency_us
        return None

    @property
    def max(self) -> int | None:
        """Return the exact longest latency, or None without latencies."""
        return self._max if self._counts else None


@dataclass(slots=True)
class FleetStatistics:
    """Counts of the outage and the silence of a fleet."""

    cut: int = 0
    """Lines that were open when the network failed."""
    backlog: int = 0
    """Reports that became due during the outage."""
    back_ns: int = 0
    """When the first home was back, in monotonic time."""
    backlog_settled_ns: int = 0
    """When the last report that was due before its home's return was settled."""
    silent: tuple[str, ...] = ()
    """Accounts that fell silent."""

    @property
    def backlog_s(self) -> float | None:
        """Seconds from the first home's return until the backlog was settled, or None without a backlog."""
        return round((self.backlog_settled_ns - self.back_ns) / 1e9, 3) if self.backlog_settled_ns else None


@dataclass(slots=True)
class Counts(FleetStatistics):
    """Running counts of one run, shared by all its homes."""

    told: int = 0
    """Messages that the homes had to send."""
    acknowledged: int = 0
    sent: int = 0
    """Reports without an acknowledgement in the protocol, whose bytes the receiver's machine took."""
    refused: int = 0
    """Messages that the receiver answered with DUH: it received them but did not take them."""
    lost: int = 0
    """Messages not acknowledged after all attempts, or still open when the run was stopped."""
    repeated: int = 0
    """Transmissions of a message after its first, without those of mishaps."""
    nak: int = 0
    malformed: int = 0
    """Replies with a wrong CRC, length or form, or for another account."""
    stray: int = 0
    """Good acknowledgements that no message waited for, or no longer."""
    duplicated: int = 0
    """Messages that were also sent over a second path."""
    second_path: int = 0
    """Acknowledgements of duplicates on the second path."""
    connections: int = 0
    dropped: int = 0
    """Connections that the receiver refused, or closed while a message was open."""
    latencies: Latencies = field(default_factory=Latencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a run. Latencies are in microseconds, from the instant a message was due to its acknowledgement.

    They count from *due*, not from *sent*, because messages that become due while the receiver stalls wait too.
    A message that became due while the home had no network counts from the home's return.
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
    """Seconds from the first home's return until the backlog was settled, or None without a backlog."""
    silent: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every report was acknowledged, or sent if the protocol has no acknowledgement for it."""
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
