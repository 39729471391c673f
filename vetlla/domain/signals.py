"""Values that all packages share: what a device reported, what the receiver did with it, and how urgent it is.

All values are frozen. A decoder makes ``Signal``, ``Reply``, ``Reject`` and ``Hangup``; the intake makes ``Verdict``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vetlla.domain.clock import Instant


class Kind(StrEnum):
    """What happened, in telecare terms: one closed list for all protocols."""

    PERSONAL_EMERGENCY = "personal_emergency"
    FALL = "fall"
    INACTIVITY = "inactivity"
    SMOKE = "smoke"
    HEAT = "heat"
    GAS = "gas"
    CO = "co"
    FLOOD = "flood"
    TEMPERATURE = "temperature"
    DOOR = "door"
    WANDERING = "wandering"
    INTRUSION = "intrusion"
    DURESS = "duress"
    GENERAL_ALARM = "general_alarm"
    MAINS_LOST = "mains_lost"
    BATTERY_LOW = "battery_low"
    DEVICE_LOST = "device_lost"
    TAMPER = "tamper"
    PATH_TROUBLE = "path_trouble"
    JAMMING = "jamming"
    FAULT = "fault"
    SERVICE_REQUEST = "service_request"
    MANUAL_TEST = "manual_test"
    PERIODIC_TEST = "periodic_test"
    HEARTBEAT = "heartbeat"
    PRESENCE = "presence"
    LISTEN_IN = "listen_in"
    STAFF_PRESENCE = "staff_presence"
    CANCEL = "cancel"
    RESET = "reset"
    POSITION = "position"
    VITALS = "vitals"
    CONFIGURATION = "configuration"
    UNREADABLE = "unreadable"
    """The frame is complete, but no event could be read from its data. It may be a call for help."""
    UNKNOWN = "unknown"
    """A code or command that is in no table; the signal's text says what the device sent."""


class Phase(StrEnum):
    """Whether a condition begins, ends, or is only reported."""

    NEW = "new"
    RESTORE = "restore"
    STATUS = "status"


class Priority(IntEnum):
    """Order in which operators work: smaller is more urgent. ROUTINE opens no alarm."""

    LIFE = 0
    HOME_RISK = 1
    TECHNICAL = 2
    ROUTINE = 3


class Reason(StrEnum):
    """Why the receiver could not read bytes as a report, or refused a report."""

    TOO_LONG = "too_long"
    TRUNCATED = "truncated"
    BAD_LENGTH = "bad_length"
    BAD_CHECKSUM = "bad_checksum"
    MALFORMED = "malformed"
    UNDECRYPTABLE = "undecryptable"
    UNSUPPORTED = "unsupported"
    FOREIGN = "foreign"
    WRONG_PORT = "wrong_port"
    """A supported protocol on the port of another one. The home has no receiver, and no one would notice."""
    WRONG_ACCOUNT = "wrong_account"
    """The frame's header names one account; its encrypted data names another one with the same key."""
    STALE_TIME = "stale_time"
    PLAIN_REFUSED = "plain_refused"
    UNKNOWN_ACCOUNT = "unknown_account"
    WRONG_CERTIFICATE = "wrong_certificate"
    """The terminal's certificate names another account than its report."""


class AccountId(NamedTuple):
    """The caller as written in the frame's header. DC-09: receiver = R digits, line = L digits ("" if absent).

    Protocols without receiver and line numbers (IMEI, UUID) leave both empty.
    """

    receiver: str
    line: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A shared secret of 16, 24 or 32 bytes. The name may be logged and stored; the secret must not."""

    name: str
    secret: bytes = field(repr=False)
    long_pad: bool = False
    """Whether its terminals start with a whole block of pad or more (DC-09 of 2026). An attacker without the key
    can change the block after such a pad unseen, so if this is False, such a frame is doubtful."""


class Event(NamedTuple):
    """What happened: our kind and phase, the code as received and the code system to which it belongs."""

    kind: Kind
    phase: Phase
    code: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Position that the device reports: degrees WGS 84, metres; ``source`` as in the protocol (gps, lbs, wifi ...)."""

    latitude: float
    longitude: float
    altitude_m: float | None = None
    accuracy_m: float | None = None
    source: str = ""
    at: datetime | None = None


NOTHING: Mapping[str, str] = MappingProxyType({})
LINE_RECEIVER = "LINE:"
"""Beginning of the account under which a line receiver itself is supervised; the name of its port follows."""
T2_FROM = "t2_from"
"""Detail of a report from an analog call that says when *t2* began: one of the next two values."""
FROM_CALL = "call"
"""*t2* began when the PBX set up the call."""
FROM_FIRST_BYTE = "first_byte"
"""*t2* began with the first byte that came from the line receiver or the PBX, which did not tell the set-up."""
NO_MEASUREMENTS: Mapping[str, float] = MappingProxyType({})


class Signal(NamedTuple):
    """One event exactly as a device reported it.

    It is a named tuple, because one is made for every frame and a named tuple needs only a third of the time.

    A frame with several events becomes several signals (``part`` of ``parts``) that share ``raw``. They are committed
    together, and only the last one is answered.
    """

    protocol: str
    id: AccountId
    event: Event
    raw: bytes
    device: str = ""
    """Zone, user, UCR or transmitter id as received."""
    area: str = ""
    """Partition as received."""
    text: str = ""
    sequence: str = ""
    """The peer's own number for this report; the answer repeats it if the protocol asks for that."""
    occurred_at: datetime | None = None
    """When it happened according to the device, aware UTC; never used to refuse or delay an alarm."""
    sent_at: datetime | None = None
    """When the frame was made according to the device's clock, aware UTC; guards against replay of encrypted frames."""
    position: Position | None = None
    measurements: Mapping[str, float] = NO_MEASUREMENTS
    """Battery (%), rssi (dBm), heart_rate (1/min) ..."""
    details: Mapping[str, str] = NOTHING
    """All else in the report, under the protocol's names: verification URLs, MAC, account in the data ..."""
    identity: bytes = b""
    """Identifies a repetition within one protocol (see facts on duplicates); b"" is never a duplicate."""
    sealed_with: str = ""
    """Name of the key that decrypted the frame; "" if the frame was not encrypted."""
    buffered: bool = False
    """Whether the device had to store it until it could send. It still opens an alarm, shown with its age."""
    repeated: bool = False
    """Whether the device says that it reported this before (DC-03 "O" block). It is stored and opens no new alarm."""
    from_broker: bool = False
    """Whether a broker reported it (last will or retained message): then it does not show that the device is alive."""
    part: int = 1
    parts: int = 1


class Flag(IntFlag):
    """Yes-or-no facts about a stored signal."""

    BUFFERED = 1
    REPEATED = 2
    UNKNOWN_ACCOUNT = 4
    ON_TEST = 8
    RUNAWAY = 16


class VerdictOutcome(StrEnum):
    """What the intake did with a signal."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Verdict(NamedTuple):
    """The decision of the intake on a signal. A decoder gives an acknowledgement only in return for a verdict."""

    outcome: VerdictOutcome
    reason: Reason | None = None


STORED = Verdict(VerdictOutcome.STORED)
DUPLICATE = Verdict(VerdictOutcome.DUPLICATE)


def refused(reason: Reason) -> Verdict:
    """Return the verdict of a signal that the policy refuses."""
    return Verdict(VerdictOutcome.REFUSED, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Bytes that the protocol asks for at once and that promise nothing (never an acknowledgement of a report)."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Bytes that were not a report, kept as evidence. ``text`` is a sentence that helps an installer."""

    protocol: str
    reason: Reason
    raw: bytes
    text: str
    id: AccountId | None = None
    """Account named in the frame, if it could be read."""
    kind: Kind = Kind.FAULT
    """Kind of the alarm if the home is known; UNREADABLE if the bytes may have been a call for help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """The decoder cannot read this peer at all, so the session closes the connection."""

    text: str


Item: TypeAlias = Signal | Reply | Reject | Hangup


class Arrival(NamedTuple):
    """How and when bytes arrived. The session makes it, and it is stored with every signal and reject."""

    listener: str
    transport: str
    """tcp, udp, tls, serial, mqtt, spool"""
    peer: str
    established: Instant
    """Set-up of the connection, or first byte of this frame on a connection that was already open. t2 starts here."""
    received: Instant

    @property
    def of_line(self) -> str:
        """Account of the line receiver whose port has the name of the listener."""
        return f"{LINE_RECEIVER}{self.listener}"

    @property
    def host(self) -> str:
        """The peer without its port."""
        return self.peer.rpartition(":")[0] or self.peer
