"""The receiver's own state, for ``vetlla status``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import os
import platform
import resource
from typing import TYPE_CHECKING, NamedTuple

from vetlla import __version__
from vetlla.domain.alarms import State
from vetlla.domain.clock import iso
from vetlla.domain.permissions import user_name
from vetlla.domain.signals import VerdictOutcome
from vetlla.receiver.monitoring.http import Readiness
from vetlla.receiver.monitoring.metrics import LIMITS, Gauges
from vetlla.receiver.queue import lengths
from vetlla.receiver.sinks.view import sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.clock import Clock
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.messages.receiver import (
        CertificateInUse,
        LinePortFacts,
        ListeningAddress,
        ProcessFacts,
        ReloadState,
        ShowStatus,
        Status,
        StatusCounts,
    )
    from vetlla.receiver.control.roles import Caller
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.intake.intake import Intake
    from vetlla.receiver.listeners.mqtt.listener import MqttListener
    from vetlla.receiver.listeners.spool.listener import SpoolListener
    from vetlla.receiver.listeners.tcp import TcpListener
    from vetlla.receiver.listeners.tls import Certificate
    from vetlla.receiver.listeners.udp import UdpListener
    from vetlla.receiver.monitoring.emergencies import EmergencyWatch
    from vetlla.receiver.monitoring.http import HttpServer
    from vetlla.receiver.queue.desk import Desk
    from vetlla.receiver.sinks.sinks import Sinks
    from vetlla.receiver.supervision.view import SupervisionView


class Standing(NamedTuple):
    """Files and settings that the receiver uses now."""

    config: str
    """The configuration file; empty if there is none."""
    certificates: Sequence[Certificate]
    journal: os.stat_result
    """The file that the receiver writes, even if another file has that name now."""
    engine: str
    """Version of the database program that writes it."""
    refused: str
    """Why the receiver refused the last configuration; empty if it took it."""
    waiting: Sequence[str]
    """Settings that wait for a restart."""


class View:
    """Read-only view of the receiver."""

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
        lines: Callable[[], Sequence[LinePortFacts]],
        accounts: Callable[[], int],
        spools: Sequence[SpoolListener],
        http: HttpServer,
        supervision: SupervisionView,
        sinks: Sinks,
        emergencies: EmergencyWatch,
        standing: Callable[[], Standing],
    ) -> None:
        self._desk = desk
        self._commit = commit
        self._intake = intake
        self._counters = counters
        self._clock = clock
        self._listeners = listeners
        self._brokers = brokers
        self._lines = lines
        self._accounts = accounts
        self._spools = spools
        self._http = http
        self._supervision = supervision
        self._sinks = sinks
        self._emergencies = emergencies
        self._standing = standing
        self._since = clock.now()

    def readiness(self) -> Readiness:
        """Return whether a report would be committed and acknowledged now, and why not."""
        return Readiness(self._commit.ready, self._commit.why)

    def gauges(self) -> Gauges:
        """Return the present state as numbers."""
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
            accounts=self._accounts(),
            accounts_on_test=len(self._desk.tests.running(now)),
            alarms_on_test=lengths.on_test(self._desk.alarms()),
            supervised=self._supervision.counts(),
            incidents_open=self._supervision.incidents_open,
            sinks=self._sinks.figures(now),
            limits_s={name: getattr(settings.queue, f"{name}_s") for name in LIMITS},
            certificates=self._standing().certificates,
            lines=self._lines(),
            emergencies=self._emergencies.figures(),
        )

    async def status(self, _: ShowStatus, __: Caller) -> Status:
        """Return what ``vetlla status`` prints."""
        now = self._clock.now()
        listening: list[ListeningAddress] = [
            {
                "name": one.listen.name,
                "protocol": one.listen.protocol,
                "transport": one.transport,
                "host": one.host,
                "port": one.port,
            }
            for one in self._listeners
        ]
        return {
            "ready": self._commit.ready,
            "why": self._commit.why,
            "version": __version__,
            "since": iso(self._since.utc_us),
            "uptime_s": (now.mono_us - self._since.mono_us) / 1e6,
            "listening": [
                *listening,
                *(broker.place() for broker in self._brokers),
                *(spool.place() for spool in self._spools),
            ],
            "lines": list(self._lines()),
            "http": {"host": self._intake.settings.http.host, "port": self._http.port} if self._http.running else None,
            "process": self._process(),
            "certificates": [_certificate(one) for one in self._standing().certificates],
            "reload": self._reload(),
            "counts": self._counts(),
            "supervision": self._supervision.health(),
            "sinks": [sheet(one, now) for one in self._sinks.running],
            "store": {
                "state": self._commit.state.value,
                "free_bytes": self._commit.free_bytes(),
                "commit_ms_last": self._commit.last_commit_us / 1e3,
            },
        }

    def _process(self) -> ProcessFacts:
        """Return the facts about this process that ``vetlla doctor``, another process, checks."""
        settings, journal = self._intake.settings, self._standing().journal
        _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
        return {
            "pid": os.getpid(),
            "user": user_name(os.geteuid()),
            "python": platform.python_version(),
            "sqlite": self._standing().engine,
            "descriptors": None if descriptors == resource.RLIM_INFINITY else descriptors,
            "connections": settings.limits.connections,
            "config": self._standing().config,
            "state_dir": str(settings.state_dir),
            "keys_file": str(settings.keys_file),
            "journal": {"device": journal.st_dev, "inode": journal.st_ino},
        }

    def _reload(self) -> ReloadState:
        refused, waiting = self._standing().refused, self._standing().waiting
        return {"refused": refused, "waiting": list(waiting)}

    def _counts(self) -> StatusCounts:
        counters = self._counters
        by_outcome = dict.fromkeys(VerdictOutcome, 0)
        for (_, outcome), count in counters.signals.items():
            by_outcome[outcome] += count
        open_alarms: dict[str, int] = {}
        waiting = 0
        for (state, priority), count in lengths.counts(self._desk.alarms(), self._clock.now()).items():
            open_alarms[priority.name] = open_alarms.get(priority.name, 0) + count
            waiting += count if state is State.WAITING else 0
        return {
            "signals": by_outcome[VerdictOutcome.STORED],
            "duplicates": by_outcome[VerdictOutcome.DUPLICATE],
            "refused": by_outcome[VerdictOutcome.REFUSED],
            "rejects": sum(counters.rejects.values()),
            "heartbeats": sum(counters.heartbeats.values()),
            "connections": counters.connections_open,
            "accounts": self._accounts(),
            "alarms_open": open_alarms,
            "waiting": waiting,
            "unattended": sum(lengths.unattended(self._desk.alarms()).values()),
        }


def _certificate(one: Certificate) -> CertificateInUse:
    begins, ends = one.not_before.isoformat(), one.not_after.isoformat()
    return {"name": one.name, "use": one.use, "file": str(one.file), "not_before": begins, "not_after": ends}
