"""Everything an operator can set, with its default and its bounds.

The model is the list of settings: ``config/vetlla.toml`` and ``docs/configuration.md`` are tested against it. Durations
are seconds (``_s``), sizes mebibytes (``_mib``). Values are frozen; a reload makes new ones.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from vetlla.domain.accounts import PlainPolicy, UnknownPolicy
from vetlla.domain.devices import DeviceType
from vetlla.domain.signals import Kind, Priority
from vetlla.settings.broker import Mqtt
from vetlla.settings.section import (
    LONGEST_WAIT_S,
    MOST,
    AbsolutePath,
    Count,
    Host,
    Mebibytes,
    Port,
    Seconds,
    Section,
    Wait,
    Word,
    spelled,
)

DEFAULT_STATE_DIR = Path("/var/lib/vetlla")
KEYS_CREDENTIAL = "vetlla-keys"
"""Name of the systemd credential (``LoadCredential=vetlla-keys:...``) that may hold the keys file."""
LISTENERS_MAX = 128
"""Listeners of one receiver, and as many brokers: supervision numbers both in one byte of each device's row."""
LEDGER_MONTHS_MAX = 1_200
"""A century of days."""


def _one_or_both(transports: tuple[str, ...]) -> tuple[str, ...]:
    if not transports or len(set(transports)) != len(transports):
        raise ValueError("should name tcp, udp, or both")
    return transports


def _priority_named(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in Priority.__members__:
        raise ValueError(f"should be one of {', '.join(Priority.__members__)}")
    return Priority[value]


def _zone_known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError('should be a time zone such as "Europe/Madrid"') from error
    return name


def _recover_above(data: dict[str, Any]) -> int:
    min_free_mib: int = data["min_free_mib"]
    return ceil(1.25 * min_free_mib)


def _hold_beyond_lease(data: dict[str, Any]) -> float:
    lease_s: float = data["lease_s"]
    return max(300, lease_s)


def _default_keys_file(data: dict[str, Any]) -> Path:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (credential := Path(credentials) / KEYS_CREDENTIAL).exists():
        return credential
    state_dir: Path = data["state_dir"]
    return state_dir / "keys.toml"


DAY_S = 86_400
DAYS_MAX = 36_525
"""A century. For a longer time say 0: for ever."""
Days: TypeAlias = Annotated[int, Field(ge=0, le=DAYS_MAX)]
NamedPriority: TypeAlias = Annotated[
    Priority, BeforeValidator(_priority_named), PlainSerializer(lambda priority: priority.name, when_used="json")
]


class LogFormat(StrEnum):
    """How log lines look; AUTO: for people on a terminal, JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least important line that is still written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Tls(Section):
    """Certificate chain and key of one listener, PEM; ``client_ca`` given: peers must present a certificate of it."""

    certificate: AbsolutePath
    key: AbsolutePath
    client_ca: AbsolutePath | None = None
    client_accounts: Literal["named", "any"] = "named"
    """Accounts that a peer's certificate may report for: those that it names (common name or a DNS name), or any, as a
    gateway of many homes needs."""


class Listen(Section):
    """One address to listen on. ``port`` 0 picks a free one. With TLS there is no UDP, which would be in clear."""

    protocol: Word
    name: Word = Field(default_factory=lambda data: str(data["protocol"]))
    """How logs, metrics and signals call this listener."""
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
            raise ValueError('tls applies to tcp: say transports = ["tcp"]; udp in clear needs a [[listen]] of its own')
        return self


class Limits(Section):
    """What one peer, or all of them together, may take from the receiver."""

    connections: Count = 20_000
    """Open connections, all listeners together."""
    connections_per_peer: Count = 1_000
    """Open connections from one address: a mobile operator's gateway stands for many homes."""
    idle_timeout_s: Wait = 900
    """Silence after which a connection is closed; longer than the interval at which devices report."""
    first_frame_timeout_s: Wait = 30
    """Time a new connection has for its first whole frame."""
    bogus_frames: Count = 10
    """Rejects on one connection before it is closed."""
    rejects_kept_per_peer_per_minute: Count = 60
    """Rejects stored as evidence; the rest is counted."""
    pending_per_connection: Count = 256
    """Frames of one connection that wait for their commit; then reading pauses."""
    intake_waiting: Count = 50_000
    """Signals of all connections that wait for their commit (a frame may hold several); then reading pauses."""
    drain_deadline_s: Wait = 10
    """Time that a stop gives to commit and answer what was read."""


class StoreSettings(Section):
    """How the journal is kept."""

    min_free_mib: Mebibytes = 512
    """Free disk below which nothing new is answered: devices retry or use their second receiver."""
    recover_free_mib: Mebibytes = Field(default_factory=_recover_above)
    """Free disk above which reports are answered again; default 1.25 times ``min_free_mib``."""
    checkpoint_pages: Count = 1_000
    """Pages of write-ahead log after which the writer folds it into the database."""
    duplicate_window_s: Seconds = 900
    """How long a repeated report is recognised as the same one (devices retry for minutes)."""
    duplicate_window_max: Count = 1_000_000
    """Reports remembered for that purpose."""
    retry_s: Wait = 1.0
    """Pause before a failed commit is tried again."""
    stall_s: Wait = 5.0
    """Time after which a disk that has not answered makes the receiver unready: devices use their second receiver."""

    @model_validator(mode="after")
    def _recovery_above_alarm(self) -> "StoreSettings":
        if self.recover_free_mib < self.min_free_mib:
            raise ValueError("recover_free_mib should not be below min_free_mib")
        return self


class QueueSettings(Section):
    """How alarms stand before operators."""

    chain_window_s: Seconds = 1_800
    """Signals of one home within this time of its last one join its open alarm."""
    lease_s: Seconds = 60
    """How long a claim holds without activity of its operator."""
    hold_s: Seconds = Field(default_factory=_hold_beyond_lease)
    """How long an answered alarm stays without activity of its operator before it is put before a supervisor.

    LIFE and HOME_RISK are put there again after each such time in which no operator acts. Default 300, or a longer
    ``lease_s``."""
    t3_warn_s: Seconds = 15
    """Time that an alarm waits for an answer before the receiver warns of it (t3 is ready to answered)."""
    t3_max_s: Seconds = 30
    """Time that an alarm waits for an answer before it is put before a supervisor."""
    t3_priorities: tuple[NamedPriority, ...] = (Priority.LIFE, Priority.HOME_RISK, Priority.TECHNICAL)
    """Priorities whose alarms have these two limits; ANS 6 is about every incoming communication."""
    t2_max_s: Seconds = 20
    """Time from the first byte of a communication to ready beyond which it counts as a breach (ANS 5)."""
    test_unseen_s: Seconds = 900
    """How long an emergency that came on test may stand apart until a person closes it; then it goes before a
    supervisor, as it does when the test ends: the installer may have gone. When the test is ordered
    again, this time starts again."""
    runaway_signals: Count = 20
    """Signals of one device within ``runaway_window_s`` that make it a runaway."""
    runaway_window_s: Seconds = 60
    """See ``runaway_signals``."""
    priorities: Mapping[Kind, NamedPriority] = {}
    """Kind -> LIFE, HOME_RISK, TECHNICAL or ROUTINE, where it differs from the standard table."""

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
    """What is taken from whom."""

    unknown_accounts: UnknownPolicy = UnknownPolicy.ACCEPT
    """A report from an account that nobody registered: put before an operator, or refused."""
    plain_for_keyed: PlainPolicy = PlainPolicy.REFUSE
    """A frame in clear from an account that has a key."""


class AlarmPolicy(StrEnum):
    """Whose loss opens an alarm; it is noted down and shown in any case."""

    ALL = "all"
    TERMINALS = "terminals"
    NONE = "none"


class SupervisionSettings(Section):
    """Who is to be heard how often, and what is done when they are not."""

    intervals_s: Mapping[DeviceType, Annotated[int, Field(ge=1, le=32 * 86_400)]] = {}
    """Type of device (inventory) -> expected seconds between two signs of life, where its account says none."""
    allowed_misses: Annotated[int, Field(ge=1, le=100)] = 3
    """Signs of life in a row that may fail to come; with so many the device is lost. Accounts may say otherwise."""
    tolerance_s: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)] = 5
    """What a sign of life is given to arrive after its due time."""
    alarms: AlarmPolicy = AlarmPolicy.ALL
    """Whose loss opens a TECHNICAL alarm: all, terminals, none."""
    incident_devices: Annotated[int, Field(ge=2, le=MOST)] = 10
    """Losses with a common label within ``incident_window_s`` that are one incident."""
    incident_window_s: Seconds = 60
    """See ``incident_devices``."""
    incident_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of a small group (a cell) that, lost within one interval, is one incident; at least three devices."""
    timezone: Annotated[str, AfterValidator(_zone_known)] = "Europe/Madrid"
    """Where the service's days begin."""
    ledger_months: Annotated[int, Field(ge=1, le=LEDGER_MONTHS_MAX)] = 24
    """How long the days of each device are kept."""


class RetentionSettings(Section):
    """How long what the receiver keeps is kept; 0: for ever. Whole days, by the wall clock.

    Neither tender names a time for these data. The Barcelona contract (PCAP) names times for what they have to prove,
    and the law (article 5.1.c and 5.1.e of Regulation (EU) 2016/679) keeps no personal data for longer than they serve;
    clause 15 of the PCAP obliges the contractor to comply with it.
    """

    signals_days: Days = 730
    """How long signals are kept, and operators' notes on their alarms; alarms themselves stay, with *t2* and *t3*.

    PCAP 21: the guarantee lasts for two years. PCAP 17: a standard that is missed in several months of one year counts
    as a graver fault, so that each month must be proven for a year at least; the ledger of devices (ANS 13,
    ``supervision.ledger_months``) is kept for as long."""
    raw_days: Days = 183
    """How long a signal's bytes are kept, which prove how it was read.

    PCAP 17: faults of six months are counted together. Afterwards what was understood of the bytes is enough."""
    rejects_days: Days = 183
    """How long bytes that were no report, or were refused, are kept: as ``raw_days``."""
    positions_days: Days = 30
    """How long the place of a device is kept; the bytes in which it stands go with it.

    PCAP 16.19: complaints are answered within 7 days. A place serves the emergency and the questions about it."""

    def shortest_s(self) -> float:
        """Return the shortest of these times in seconds; those that are for ever do not count."""
        days = (self.signals_days, self.raw_days, self.rejects_days, self.positions_days)
        return min((one for one in days if one), default=DAYS_MAX) * DAY_S


class HttpSettings(Section):
    """Where ``/healthz``, ``/readyz`` and ``/metrics`` are served; ``port`` 0 picks a free one."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Port = 9109


class ControlSettings(Section):
    """Who may use the control socket. A role without a group is held by whoever can open the socket."""

    operators: Word | None = None
    """Unix group that works alarms."""
    supervisors: Word | None = None
    """Unix group that may also take over and hand over alarms of others."""
    engineers: Word | None = None
    """Unix group that may put accounts on test and reload the configuration."""
    mode: Annotated[int, Field(ge=0o600, le=0o777)] = 0o660
    """Permissions of the socket."""


class LogSettings(Section):
    """What is written to stderr."""

    format: LogFormat = LogFormat.AUTO
    level: LogLevel = LogLevel.INFO


class Settings(Section):
    """All of it: the configuration file's top level."""

    state_dir: AbsolutePath = DEFAULT_STATE_DIR
    """Where journal, registry and control socket live."""
    keys_file: AbsolutePath = Field(default_factory=_default_keys_file)
    """Shared keys; default: the systemd credential ``vetlla-keys`` where there is one, else ``STATE_DIR/keys.toml``."""
    listen: Annotated[tuple[Listen, ...], Field(max_length=LISTENERS_MAX)] = ()
    mqtt: Annotated[tuple[Mqtt, ...], Field(max_length=LISTENERS_MAX)] = ()
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
                f" keep it for {days} days at least, or 0 for ever"
            )
        return self

    @model_validator(mode="after")
    def _listeners_apart(self) -> "Settings":
        taken: dict[tuple[str, int, str], str] = {}
        for number, listen in enumerate(self.listen):
            if any(other.name == listen.name for other in self.listen[:number]):
                raise ValueError(f"two listeners are called {listen.name!r}: give one of them another name")
            for transport in listen.transports if listen.port else ():
                other_name = taken.setdefault((listen.host, listen.port, transport), listen.name)
                if other_name != listen.name:
                    raise ValueError(f"{other_name!r} and {listen.name!r} both listen on {transport} {listen.address}")
        names = {listen.name for listen in self.listen}
        for broker in self.mqtt:
            if broker.name in names:
                raise ValueError(f"two listeners are called {broker.name!r}: give one of them another name")
            names.add(broker.name)
        return self
