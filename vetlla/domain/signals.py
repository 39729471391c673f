"""The vocabulary every room shares: what a device said, what became of it, and how urgent it is.

All values are frozen. A decoder makes ``Signal``, ``Reply``, ``Reject`` and ``Hangup``; the intake makes ``Verdict``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vetlla.domain.clock import Instant


class Kind(StrEnum):
    """What happened, in telecare's words: one closed list for all protocols."""

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
    """The frame is whole, but no event could be read from its data: it may be a call for help."""
    UNKNOWN = "unknown"
    """A code or a command that no table has; its text says what the device sent."""


class Phase(StrEnum):
    """Whether a condition begins, ends, or is reported as it stands."""

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
    """Why bytes were not taken as a report, or a report was refused."""

    TOO_LONG = "too_long"
    TRUNCATED = "truncated"
    BAD_LENGTH = "bad_length"
    BAD_CHECKSUM = "bad_checksum"
    MALFORMED = "malformed"
    UNDECRYPTABLE = "undecryptable"
    UNSUPPORTED = "unsupported"
    FOREIGN = "foreign"
    WRONG_PORT = "wrong_port"
    """A protocol of ours, at another one's port: a home without a receiver, and nobody would know."""
    WRONG_ACCOUNT = "wrong_account"
    """The frame's header names one account and its sealed data another one that has the same key."""
    STALE_TIME = "stale_time"
    PLAIN_REFUSED = "plain_refused"
    UNKNOWN_ACCOUNT = "unknown_account"
    WRONG_CERTIFICATE = "wrong_certificate"
    """The terminal's certificate names another account than its report."""


class AccountId(NamedTuple):
    """Who is calling, as the frame's header spells it. DC-09: receiver = R digits, line = L digits ("" if absent).

    Protocols without receiver and line numbers (IMEI, UUID) leave both empty.
    """

    receiver: str
    line: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A shared secret of 16, 24 or 32 bytes. The name may be logged and stored; the secret never."""

    name: str
    secret: bytes = field(repr=False)
    long_pad: bool = False
    """Its terminals put a whole block of pad, or more, in front (DC-09 of 2026): then an attacker
    who has no key can change the block behind it unseen. False: such a frame is doubtful."""


class Event(NamedTuple):
    """What happened: kind and phase in our words, the code as received and the code system it belongs to."""

    kind: Kind
    phase: Phase
    code: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the device says it is: degrees WGS 84, metres; ``source`` as the protocol names it (gps, lbs, wifi ...)."""

    latitude: float
    longitude: float
    altitude_m: float | None = None
    accuracy_m: float | None = None
    source: str = ""
    at: datetime | None = None


NOTHING: Mapping[str, str] = MappingProxyType({})
NO_MEASUREMENTS: Mapping[str, float] = MappingProxyType({})


class Signal(NamedTuple):
    """One report exactly as a device made it. A named tuple: it is made for every frame, in a third of the time.

    A frame that carries several events becomes several signals (``part`` of ``parts``) that share ``raw``; they are
    committed together and only the last one is answered.
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
    """The peer's own number for this report, echoed in the answer where the protocol does so."""
    occurred_at: datetime | None = None
    """When it happened by the device's own account, aware UTC; never used to refuse or to delay an alarm."""
    sent_at: datetime | None = None
    """When the frame was made by the device's own clock, aware UTC; guards against replay of encrypted frames."""
    position: Position | None = None
    measurements: Mapping[str, float] = NO_MEASUREMENTS
    """Battery (%), rssi (dBm), heart_rate (1/min) ..."""
    details: Mapping[str, str] = NOTHING
    """Everything else that was said, under the protocol's names: verification URLs, MAC, account in the data ..."""
    identity: bytes = b""
    """What makes a retry recognisable within one protocol (see facts on duplicates); b"" is never a duplicate."""
    sealed_with: str = ""
    """Name of the key that opened the frame; "" when it came in clear."""
    buffered: bool = False
    """Kept back by the device until it could send: an alarm all the same, shown with its age."""
    repeated: bool = False
    """The device says that it has reported this before (DC-03 "O" block): stored, opens no new alarm."""
    hearsay: bool = False
    """Somebody else's word: a broker that misses the device, or kept what it once said. No sign of life."""
    part: int = 1
    parts: int = 1


class Outcome(StrEnum):
    """What became of a signal at the store's door."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Verdict(NamedTuple):
    """The store's word on a signal. Only its holder can ask a decoder for an acknowledgement."""

    outcome: Outcome
    reason: Reason | None = None


STORED = Verdict(Outcome.STORED)
DUPLICATE = Verdict(Outcome.DUPLICATE)


def refused(reason: Reason) -> Verdict:
    """Return the verdict of a signal that policy does not take."""
    return Verdict(Outcome.REFUSED, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Bytes the protocol wants sent at once, that promise nothing (never an acknowledgement of a report)."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Bytes that were not a report: kept as evidence. ``text`` is a sentence an installer can act on."""

    protocol: str
    reason: Reason
    raw: bytes
    text: str
    id: AccountId | None = None
    """Whom the frame named, where that much could be read."""
    kind: Kind = Kind.FAULT
    """What an operator is told of a known home: UNREADABLE where the bytes may have been a call for help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """The decoder can make nothing of this peer: close the connection."""

    text: str


Item: TypeAlias = Signal | Reply | Reject | Hangup


class Arrival(NamedTuple):
    """How and when bytes reached us; made by the session, stored with every signal and reject."""

    listener: str
    transport: str
    """tcp, udp, tls, serial, mqtt"""
    peer: str
    established: Instant
    """Connection set up, or first byte of this frame when the connection already stood: t2 starts here."""
    received: Instant

    @property
    def host(self) -> str:
        """The peer without its port."""
        return self.peer.rpartition(":")[0] or self.peer
