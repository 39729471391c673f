"""The receiver as it sees itself: for ``vetlla status``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla import __version__
from vetlla.alarms import State
from vetlla.clock import iso
from vetlla.receiver import lengths
from vetlla.receiver.http import Readiness
from vetlla.receiver.metrics import LIMITS, Gauges
from vetlla.signals import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.clock import Clock
    from vetlla.receiver.commit import GroupCommit
    from vetlla.receiver.control import Request
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.desk import Desk
    from vetlla.receiver.http import HttpServer
    from vetlla.receiver.intake import Intake
    from vetlla.receiver.listeners.mqtt import MqttListener
    from vetlla.receiver.listeners.tcp import TcpListener
    from vetlla.receiver.listeners.udp import UdpListener
    from vetlla.receiver.supervision_view import SupervisionView


class View:
    """Looks; changes nothing."""

    def __init__(
        self,
        *,
        desk: Desk,
        commit: GroupCommit,
        intake: Intake,
        counters: Counters,
        clock: Clock,
        listeners: Sequence[TcpListener | UdpListener],
        brokers: Sequence[MqttListener],
        http: HttpServer,
        supervision: SupervisionView,
    ) -> None:
        self._desk = desk
        self._commit = commit
        self._intake = intake
        self._counters = counters
        self._clock = clock
        self._listeners = listeners
        self._brokers = brokers
        self._http = http
        self._supervision = supervision
        self._since = clock.now()

    def readiness(self) -> Readiness:
        """Say whether a report would be committed and acknowledged now."""
        return Readiness(self._commit.ready, self._commit.why)

    def gauges(self) -> Gauges:
        """Return the present as numbers."""
        now = self._clock.now()
        settings = self._intake.settings
        return Gauges(
            ready=self._commit.ready,
            queue=lengths.counts(self._desk.alarms(), now),
            unattended=lengths.unattended(self._desk.alarms()),
            oldest_waiting_s=lengths.oldest_waiting_s(self._desk.alarms(), now),
            free_bytes=self._commit.free_bytes(),
            watermark_bytes=settings.store.min_free_mib << 20,
            intake_waiting=self._intake.waiting,
            accounts=len(self._intake.book),
            accounts_on_test=len(self._desk.tests.running(now)),
            supervised=self._supervision.counts(),
            incidents_open=self._supervision.incidents_open,
            limits_s={name: getattr(settings.queue, f"{name}_s") for name in LIMITS},
        )

    async def status(self, _: Request) -> dict[str, Any]:
        """Return what ``vetlla status`` prints."""
        now = self._clock.now()
        return {
            "ready": self._commit.ready,
            "why": self._commit.why,
            "version": __version__,
            "since": iso(self._since.utc_us),
            "uptime_s": (now.mono_us - self._since.mono_us) / 1e6,
            "listening": [
                {
                    "name": one.listen.name,
                    "protocol": one.listen.protocol,
                    "transport": one.transport,
                    "host": one.host,
                    "port": one.port,
                }
                for one in self._listeners
            ]
            + [broker.place() for broker in self._brokers],
            "http": {"host": self._intake.settings.http.host, "port": self._http.port} if self._http.running else None,
            "counts": self._counts(),
            "supervision": self._supervision.health(),
            "store": {
                "state": self._commit.state.value,
                "free_bytes": self._commit.free_bytes(),
                "commit_ms_last": self._commit.last_commit_us / 1e3,
            },
        }

    def _counts(self) -> dict[str, Any]:
        counters = self._counters
        by_outcome = dict.fromkeys(Outcome, 0)
        for (_, outcome), count in counters.signals.items():
            by_outcome[outcome] += count
        open_alarms: dict[str, int] = {}
        waiting = 0
        for (state, priority), count in lengths.counts(self._desk.alarms(), self._clock.now()).items():
            open_alarms[priority.name] = open_alarms.get(priority.name, 0) + count
            waiting += count if state is State.WAITING else 0
        return {
            "signals": by_outcome[Outcome.STORED],
            "duplicates": by_outcome[Outcome.DUPLICATE],
            "refused": by_outcome[Outcome.REFUSED],
            "rejects": sum(counters.rejects.values()),
            "heartbeats": sum(counters.heartbeats.values()),
            "connections": counters.connections_open,
            "accounts": len(self._intake.book),
            "alarms_open": open_alarms,
            "waiting": waiting,
            "unattended": sum(lengths.unattended(self._desk.alarms()).values()),
        }
