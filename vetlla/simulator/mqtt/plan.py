"""The plan of a fleet of MQTT terminals, and the counts of its run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vetlla.simulator.scenario import check_events
from vetlla.simulator.statistics import FleetStatistics, Latencies

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from vetlla.simulator.scenario import Outage, Silence
    from vetlla.simulator.weights import Mix

CONNECTIONS_MAX: Final = 200
"""Largest number of connections of one fleet. Each costs a descriptor, a task and a keep-alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The terminals of a fleet, and the messages that they send."""

    host: str
    port: int
    terminals: Sequence[str]
    mix: Mix
    devices: int = 1
    """Number of UCRs of each terminal; they are ucr-1, ucr-2 ..."""
    connections: int = CONNECTIONS_MAX
    rate: float = 10.0
    """Messages a second over all terminals, at random instants, even if earlier ones have no receipt yet."""
    duration_s: float = 10.0
    messages: int | None = None
    """Stop after this number of messages."""
    timeout_s: float = 5.0
    """A terminal repeats an event that has no receipt after this time."""
    attempts: int = 5
    """Largest number of times that a terminal sends one event."""
    seed: int = 0
    outage: Outage | None = None
    silence: Silence | None = None
    last_will: bool = True
    """Whether the broker says that a terminal is lost if its own connection breaks. A probe is no home to be missed."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        check_events(self.outage, self.silence, duration_s=self.duration_s, reports=self.messages)


@dataclass(slots=True)
class FleetCounts(FleetStatistics):
    """Running counts of a fleet."""

    told: int = 0
    """Events that became due."""
    accepted: int = 0
    refused: int = 0
    lost: int = 0
    repeated: int = 0
    heartbeats: int = 0
    """Heartbeats that the broker took. The receiver sends no receipt for a heartbeat."""
    heartbeats_lost: int = 0
    connections: int = 0
    seconds: float = 0.0
    latencies: Latencies = field(default_factory=Latencies)
    """From when an event is due until its receipt."""

    @property
    def complete(self) -> bool:
        """Whether every event was accepted."""
        return self.accepted == self.told
