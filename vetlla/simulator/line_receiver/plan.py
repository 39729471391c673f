"""The plan of a simulated line receiver, its counts, and the result of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from vetlla.domain.errors import UsageError
from vetlla.protocols.automation.fields import LineForm
from vetlla.protocols.automation.talker import Patience, TalkerCounts
from vetlla.simulator.statistics import Latencies
from vetlla.simulator.weights import LineFaults, Mix

LINES_MOST = 32
"""Most lines of a receiver. MLR2000 has 24, and System 5 has this number."""
BUFFER_MOST = 100_000
"""Most events that wait for the computer. Real receivers keep 500 to 10,000 and then lose the oldest or the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverPlan:
    """What a receiver says, and how. With neither ``reports`` nor ``duration_s`` the run ends when it is stopped."""

    protocol: str
    accounts: tuple[str, ...]
    """Accounts of the homes that call it."""
    receiver: str = "01"
    """Its number, as hexadecimal digits."""
    lines: int = 4
    form: LineForm = field(default_factory=LineForm)
    patience: Patience = field(default_factory=Patience)
    rate: float | None = None
    """Events a second, at random instants, answered or not. None: each event follows the ACK of the one before."""
    reports: int | None = None
    """Stop after this number of messages."""
    duration_s: float | None = None
    mix: Mix = field(default_factory=Mix)
    faults: LineFaults = field(default_factory=LineFaults)
    seed: int = 0
    first_serial: int = 0
    """Reports that each home has sent before. A report carries its number, so another run repeats none of them."""

    def __post_init__(self) -> None:
        if not self.accounts:
            raise UsageError("no home to simulate", remedy="give at least one account")
        if not 1 <= self.lines <= LINES_MOST:
            raise UsageError(f"a receiver cannot have {self.lines} lines", remedy=f"give 1 to {LINES_MOST}")


@dataclass(slots=True)
class ReceiverCounts:
    """Running counts of a receiver."""

    told: int = 0
    """Messages that became due."""
    overflowed: int = 0
    """Messages that the full buffer could not take. They are lost."""
    connections: int = 0
    absent_s: float = 0.0
    """Time in absence that has ended."""
    talker: TalkerCounts = field(default_factory=TalkerCounts)
    latencies: Latencies = field(default_factory=Latencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    """The result of a run. Latencies are in microseconds, from the instant a message was due to its acknowledgement."""

    homes: int
    seconds: float
    told: int
    acknowledged: int
    lost: int
    """Messages that were not acknowledged at the end, or did not fit into the buffer."""
    sent: int
    repeated: int
    nak: int
    heartbeats: int
    strays: int
    """Answers that no message waited for."""
    absences: int
    absent_s: float
    connections: int
    per_second: float
    p50_us: int | None
    p90_us: int | None
    p99_us: int | None
    max_us: int | None

    @property
    def complete(self) -> bool:
        """Whether every message was acknowledged."""
        return self.acknowledged == self.told


def conclude(counts: ReceiverCounts, *, homes: int, seconds: float) -> ReceiverReport:
    """Return the result of the counts of a run that lasted ``seconds``."""
    talker, latencies = counts.talker, counts.latencies
    return ReceiverReport(
        homes=homes,
        seconds=round(seconds, 3),
        told=counts.told,
        acknowledged=talker.acknowledged,
        lost=counts.told - talker.acknowledged,
        sent=talker.sent,
        repeated=talker.repeated,
        nak=talker.refused,
        heartbeats=talker.heartbeats,
        strays=talker.strays,
        absences=talker.absences,
        absent_s=round(counts.absent_s, 3),
        connections=counts.connections,
        per_second=round(talker.acknowledged / seconds, 1) if seconds else 0.0,
        p50_us=latencies.percentile(50),
        p90_us=latencies.percentile(90),
        p99_us=latencies.percentile(99),
        max_us=latencies.max,
    )
