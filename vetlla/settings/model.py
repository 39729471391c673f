"""All settings, with their defaults and bounds.

Tests compare ``config/vetlla.toml`` and ``docs/configuration.md`` with this model. Durations
are seconds (``_s``), sizes mebibytes (``_mib``). Values are frozen; a reload makes new ones.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from vetlla.domain.accounts import PlainPolicy, UnknownPolicy
from vetlla.domain.devices import DeviceType
from vetlla.domain.signals import Kind, Priority
from vetlla.settings.broker import Mqtt
from vetlla.settings.line import Line
from vetlla.settings.log import LogSettings
from vetlla.settings.section import (
    LONGEST_WAIT_S,
    MOST,
    AbsolutePath,
    Count,
    Host,
    Mebibytes,
    NamedPriority,
    Port,
    Seconds,
    Section,
    Wait,
    Word,
    Zone,
    is_here,
    spelled,
)
from vetlla.settings.sinks.automation import AutomationSink
from vetlla.settings.sinks.model import SINKS_MAX, Sink
from vetlla.settings.spool import Spool

DEFAULT_STATE_DIR = Path("/var/lib/vetlla")
KEYS_CREDENTIAL = "vetlla-keys"
"""Name of the systemd credential (``LoadCredential=vetlla-keys:...``) that may hold the keys file."""
CARDS_CREDENTIAL = "vetlla-cards"
"""Name of the systemd credential that may hold the key of the cards."""
LISTENERS_MAX = 128
"""Most listeners of one receiver, and most brokers. Supervision numbers both in one byte of each device's row."""
LEDGER_MONTHS_MAX = 1_200
"""A century in months."""


def _one_or_both(transports: tuple[str, ...]) -> tuple[str, ...]:
    if not transports or len(set(transports)) != len(transports):
        raise ValueError("should name tcp, udp, or both")
    return transports


def _recover_above(data: dict[str, Any]) -> int:
    min_free_mib: int = data["min_free_mib"]
    return ceil(1.25 * min_free_mib)


def _hold_beyond_lease(data: dict[str, Any]) -> float:
    lease_s: float = data["lease_s"]
    return max(300, lease_s)


def _default_keys_file(data: dict[str, Any]) -> Path:
    return _credential(KEYS_CREDENTIAL) or data["state_dir"] / "keys.toml"


def default_cards_key_file(state_dir: Path) -> Path:
    """Return where the key of the cards is if no setting names its file: the systemd credential, or a file."""
    return _credential(CARDS_CREDENTIAL) or state_dir / "cards.toml"


def _credential(name: str) -> Path | None:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(credentials or "/") / name
    return path if credentials and path.exists() else None


DAY_S = 86_400
DAYS_MAX = 36_525
"""A century. For a longer time use 0, which means for ever."""
Days: TypeAlias = Annotated[int, Field(ge=0, le=DAYS_MAX)]


class Tls(Section):
    """Certificate chain and key of one listener, PEM. With ``client_ca``, peers must present a certificate from it."""

    certificate: AbsolutePath
    key: AbsolutePath
    client_ca: AbsolutePath | None = None
    client_accounts: Literal["named", "any"] = "named"
    """Accounts for which a peer with a certificate may report: those that the certificate names (common name or a DNS
    name), or any, which a gateway of many homes needs."""


class Listen(Section):
    """One address to listen on. ``port`` 0 picks a free one. With TLS there is no UDP, because it is not encrypted."""

    protocol: Word
    name: Word = Field(default_factory=lambda data: str(data["protocol"]))
    """Name of this listener in logs, metrics and signals."""
    host: Host
    port: Port
    tls: Tls | None = None
    transports: Annotated[tuple[Literal["tcp", "udp"], ...], AfterValidator(_one_or_both)] = Field(
        default_factory=lambda data: ("tcp",) if data.get("tls") else ("tcp", "udp")
    )

    @property
    def address(self) -> str:
        """Return ``HOST:PORT``, an IPv6 host in brackets."""
        return spelled(self.host, self.port)

    @model_validator(mode="after")
    def _tls_has_tcp_alone(self) -> "Listen":
        if self.tls and self.transports != ("tcp",):
            raise ValueError('tls applies to tcp: set transports = ["tcp"]; plain udp needs a [[listen]] of its own')
        return self


class Limits(Section):
    """How much of the receiver one peer may use, and how much all peers may use together."""

    connections: Count = 20_000
    """Open connections on all listeners together."""
    connections_per_peer: Count = 1_000
    """Open connections from one address: many homes may share a mobile operator's gateway."""
    idle_timeout_s: Wait = 900
    """Silence after which a connection is closed; it should be longer than the interval of the devices."""
    first_frame_timeout_s: Wait = 30
    """Time a new connection has for its first whole frame."""
    bogus_frames: Count = 10
    """Rejects on one connection before it is closed."""
    rejects_kept_per_peer_per_minute: Count = 60
    """Rejects stored as evidence; further ones are only counted."""
    pending_per_connection: Count = 256
    """Frames of one connection that may wait for their commit before reading pauses."""
    intake_waiting: Count = 50_000
    """Signals of all connections that may wait for their commit (a frame may hold several) before reading pauses."""
    drain_deadline_s: Wait = 10
    """Time in which a stopping receiver commits and answers what it has read."""


class StoreSettings(Section):
    """Settings of the journal."""

    min_free_mib: Mebibytes = 512
    """Free disk below which no new report is acknowledged: devices retry or use their second receiver."""
    recover_free_mib: Mebibytes = Field(default_factory=_recover_above)
    """Free disk above which reports are acknowledged again; default 1.25 times ``min_free_mib``."""
    checkpoint_pages: Count = 1_000
    """Pages of write-ahead log after which the writer copies it into the database."""
    duplicate_window_s: Seconds = 900
    """How long a repetition is recognised (devices retry for minutes)."""
    duplicate_window_max: Count = 1_000_000
    """Most reports that are remembered for this purpose."""
    retry_s: Wait = 1.0
    """Pause before a failed commit is tried again."""
    stall_s: Wait = 5.0
    """Time without an answer from the disk after which the receiver is not ready: devices use their second receiver."""

    @model_validator(mode="after")
    def _recovery_above_alarm(self) -> "StoreSettings":
        if self.recover_free_mib < self.min_free_mib:
            raise ValueError("recover_free_mib should not be below min_free_mib")
        return self


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


class IntakeSettings(Section):
    """Which reports the receiver accepts."""

    unknown_accounts: UnknownPolicy = UnknownPolicy.ACCEPT
    """Whether a report from an unregistered account is put before an operator or refused."""
    plain_for_keyed: PlainPolicy = PlainPolicy.REFUSE
    """Whether an unencrypted frame from an account with a key is accepted or refused."""


class AlarmPolicy(StrEnum):
    """Devices whose loss opens an alarm. Every loss is recorded and shown."""

    ALL = "all"
    TERMINALS = "terminals"
    NONE = "none"


class SupervisionSettings(Section):
    """How often devices must report, and what the receiver does when they do not."""

    intervals_s: Mapping[DeviceType, Annotated[int, Field(ge=1, le=32 * 86_400)]] = {}
    """Interval by type of device (inventory): seconds between two signs of life, if the account sets no interval."""
    allowed_misses: Annotated[int, Field(ge=1, le=100)] = 3
    """A device that misses this number of signs of life in a row is lost. An account may set another number."""
    tolerance_s: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)] = 5
    """How long after its due time a sign of life may still arrive."""
    alarms: AlarmPolicy = AlarmPolicy.ALL
    """Devices whose loss opens a TECHNICAL alarm: all, terminals or none."""
    incident_devices: Annotated[int, Field(ge=2, le=MOST)] = 10
    """Number of losses with a common label within ``incident_window_s`` that make one incident."""
    incident_window_s: Seconds = 60
    """See ``incident_devices``."""
    incident_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of a small group (a cell) whose loss within one interval is one incident; at least three devices."""
    timezone: Zone = "Europe/Madrid"
    """Time zone in which the service's days begin."""
    ledger_months: Annotated[int, Field(ge=1, le=LEDGER_MONTHS_MAX)] = 24
    """How long the daily records of each device are kept."""


class RetentionSettings(Section):
    """How long the receiver keeps its data, in whole days by the wall clock; 0 means for ever.

    Neither tender names a time for these data. The Barcelona contract (PCAP) names times for what they have to prove.
    The law (article 5.1.c and 5.1.e of Regulation (EU) 2016/679) forbids keeping personal data longer than needed, and
    clause 15 of the PCAP obliges the contractor to comply with it.
    """

    signals_days: Days = 730
    """How long signals and operators' notes on their alarms are kept; alarms themselves stay, with *t2* and *t3*.

    The guarantee lasts for two years (PCAP 21). A standard that is missed in several months of one year counts as a
    graver fault (PCAP 17), so each month must be proven for at least a year. The ledger of devices (ANS 13,
    ``supervision.ledger_months``) is kept for the same time."""
    raw_days: Days = 183
    """How long the bytes of a signal are kept; they prove how it was read.

    Faults within six months are counted together (PCAP 17). After that time the decoded signal is enough."""
    rejects_days: Days = 183
    """How long rejects and refusals are kept; the reason is the same as for ``raw_days``."""
    positions_days: Days = 30
    """How long the position of a device is kept; the bytes that contain it are removed with it.

    A position serves the emergency and later questions. Complaints are answered within 7 days (PCAP 16.19)."""

    def shortest_s(self) -> float:
        """Return the shortest of these times in seconds; times without end do not count."""
        days = (self.signals_days, self.raw_days, self.rejects_days, self.positions_days)
        return min((one for one in days if one), default=DAYS_MAX) * DAY_S


class HttpSettings(Section):
    """Where ``/healthz``, ``/readyz`` and ``/metrics`` are served; ``port`` 0 picks a free one."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Port = 9109


class ControlSettings(Section):
    """Who may use the control socket. Every user who can open the socket has the roles without a group."""

    operators: Word | None = None
    """Unix group whose members may work on alarms."""
    supervisors: Word | None = None
    """Unix group whose members may also take over and hand over alarms of others."""
    engineers: Word | None = None
    """Unix group whose members may put accounts on test and reload the configuration."""
    mode: Annotated[int, Field(ge=0o600, le=0o777)] = 0o660
    """Permissions of the socket."""


class Settings(Section):
    """The whole configuration: the top level of the file."""

    state_dir: AbsolutePath = DEFAULT_STATE_DIR
    """Directory of the journal, the registry and the control socket."""
    keys_file: AbsolutePath = Field(default_factory=_default_keys_file)
    """Shared keys; default: the systemd credential ``vetlla-keys`` if there is one, else ``STATE_DIR/keys.toml``."""
    cards_key_file: AbsolutePath = Field(default_factory=lambda data: default_cards_key_file(data["state_dir"]))
    """Key of the cards; default: the systemd credential ``vetlla-cards``, else ``STATE_DIR/cards.toml``."""
    listen: Annotated[tuple[Listen, ...], Field(max_length=LISTENERS_MAX)] = ()
    mqtt: Annotated[tuple[Mqtt, ...], Field(max_length=LISTENERS_MAX)] = ()
    line: Annotated[tuple[Line, ...], Field(max_length=LISTENERS_MAX)] = ()
    spool: Annotated[tuple[Spool, ...], Field(max_length=LISTENERS_MAX)] = ()
    sink: Annotated[tuple[Sink, ...], Field(max_length=SINKS_MAX)] = ()
    limits: Limits = Limits()
    store: StoreSettings = StoreSettings()
    queue: QueueSettings = QueueSettings()
    intake: IntakeSettings = IntakeSettings()
    supervision: SupervisionSettings = SupervisionSettings()
    retention: RetentionSettings = RetentionSettings()
    http: HttpSettings = HttpSettings()
    control: ControlSettings = ControlSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _kept_while_in_use(self) -> "Settings":
        in_use_s = self.store.duplicate_window_s + self.queue.chain_window_s
        if self.retention.shortest_s() <= in_use_s:
            days = ceil(in_use_s / DAY_S) + 1
            raise ValueError(
                "retention: nothing should be removed within store.duplicate_window_s and queue.chain_window_s:"
                f" keep it for at least {days} days, or set 0 for ever"
            )
        return self

    @property
    def addresses(self) -> tuple[Listen, ...]:
        """All addresses on which the receiver listens for reports: those of ``listen``, and those of ``line``."""
        return (*self.listen, *(accepting(line) for line in self.line if line.accept is not None))

    @model_validator(mode="after")
    def _addresses_apart(self) -> "Settings":
        taken: dict[tuple[str, int, str], str] = {}
        for listen in self.addresses:
            for transport in listen.transports if listen.port else ():
                other_name = taken.setdefault((listen.host, listen.port, transport), listen.name)
                if other_name != listen.name:
                    raise ValueError(f"{other_name!r} and {listen.name!r} both listen on {transport} {listen.address}")
        return self

    @model_validator(mode="after")
    def _names_apart(self) -> "Settings":
        names = [
            *(listen.name for listen in self.listen), *(one.name for one in self.mqtt),
            *(one.name for one in self.line), *(one.name for one in self.spool),
        ]  # fmt: skip
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two listeners are called {name!r}: give one of them another name")
        return self

    @model_validator(mode="after")
    def _ports_apart(self) -> "Settings":
        ports = [line.serial for line in self.line]
        ports += [sink.serial for sink in self.sink if isinstance(sink, AutomationSink)]
        devices = [port.device for port in ports if port is not None]
        for device in devices:
            if devices.count(device) > 1:
                raise ValueError(f"two tables have the serial port {device}")
        directories = [spool.directory for spool in self.spool]
        for directory in directories:
            if directories.count(directory) > 1:
                raise ValueError(f"two spools have the directory {directory}: leave one of them out")
        return self

    @model_validator(mode="after")
    def _sinks_apart(self) -> "Settings":
        names = [sink.name for sink in self.sink]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sinks are called {name!r}: give one of them another name")
        return self

    @model_validator(mode="after")
    def _no_circle(self) -> "Settings":
        ports = {line.accept.port for line in self.line if line.accept is not None}
        for sink in self.sink:
            to = sink.connect if isinstance(sink, AutomationSink) else None
            if to is not None and to.port in ports and is_here(to.host):
                raise ValueError(f"the sink {sink.name!r} connects to a port of this receiver: signals would go round")
        return self


def accepting(line: Line) -> Listen:
    """Return the address on which the receiver waits for a line receiver that connects to it."""
    assert line.accept is not None
    return Listen(
        protocol=line.protocol, name=line.name, host=line.accept.host, port=line.accept.port, transports=("tcp",)
    )
