"""What a fleet of MQTT terminals is and says, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vetlla.simulator.scenario import check_events
from vetlla.simulator.statistics import Fortunes, Latencies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.simulator.scenario import Outage, Silence
    from vetlla.simulator.weights import Mix

CONNECTIONS_MAX: Final = 200
"""Connections of one fleet: each costs a descriptor, a task and a keep-alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a fleet is, and what it says."""

    host: str
    port: int
    terminals: Sequence[str]
    mix: Mix
    devices: int = 1
    """UCRs of each terminal: ucr-1, ucr-2 ..."""
    connections: int = CONNECTIONS_MAX
    rate: float = 10.0
    """Messages a second over all terminals, at random instants, whether receipted or not."""
    duration_s: float = 10.0
    messages: int | None = None
    """Stop after so many."""
    timeout_s: float = 5.0
    """A terminal repeats an event that has no receipt after this time ..."""
    attempts: int = 5
    """... so often in all."""
    seed: int = 0
    outage: Outage | None = None
    silence: Silence | None = None

    def __post_init__(self) -> None:
        check_events(self.outage, self.silence, duration_s=self.duration_s, reports=self.messages)


@dataclass(slots=True)
class FleetCounts(Fortunes):
    """Running counts of a fleet."""

    told: int = 0
    """Events that were due."""
    accepted: int = 0
    refused: int = 0
    lost: int = 0
    repeated: int = 0
    heartbeats: int = 0
    """Taken by the broker; nobody receipts them."""
    heartbeats_lost: int = 0
    connections: int = 0
    seconds: float = 0.0
    latencies: Latencies = field(default_factory=Latencies)
    """From due to receipted."""

    @property
    def complete(self) -> bool:
        """Whether every event was accepted."""
        return self.accepted == self.told
