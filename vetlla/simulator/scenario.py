"""What is to be simulated: how many homes, saying what, how often, over which transport, with which mishaps."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from vetlla.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.accounts import Account
    from vetlla.signals import Key

ACK_TIMEOUT_S = 5.0
"""Terminals wait 5 to 60 s for an acknowledgement (fact sheet DC-09, section 4); the impatient end finds more."""
ATTEMPTS = 4
"""The first try and three repeats: what terminals do on one path before they change to the next."""


class Transport(StrEnum):
    """How a home dials in."""

    TCP = "tcp"
    UDP = "udp"
    TLS = "tls"


class Connection(StrEnum):
    """Whether a home stays connected or dials anew for every message."""

    KEEP = "keep"
    EACH = "each"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What homes say, as weights."""

    alarms: float = 5
    """Pendants, falls, smoke."""
    technical: float = 5
    """Mains and batteries, lost and restored."""
    tests: float = 30
    """Periodic tests: CID 602, SIA RP."""
    heartbeats: float = 60
    """NULL frames."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``alarms=5,tests=30``; what is not named is not said. UsageError for anything else."""
        mix = cls(**(dict.fromkeys(_names(cls), 0.0) | _weights(cls, text, default=1.0)))
        if not any(mix.weights()):
            raise UsageError(f"the mix {text!r} says nothing", remedy="give at least one weight above 0")
        return mix

    def weights(self) -> tuple[float, ...]:
        """Return the weights in the order of the fields."""
        return self.alarms, self.technical, self.tests, self.heartbeats


DEFAULT_SHARE = 0.1
"""Share of messages that meet a mishap which was named without a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Mishaps on the way, as shares of the messages between 0 and 1 (``storm``: a number of messages)."""

    torn: float = 0.0
    """Cut into many small segments (TCP and TLS)."""
    batch: float = 0.0
    """Several messages of one home in one segment (TCP and TLS)."""
    damage: float = 0.0
    """A damaged copy goes before the good one; nothing may answer the damaged one."""
    retry: float = 0.0
    """The home hangs up before the acknowledgement and repeats the message on a new connection."""
    duplicate: float = 0.0
    """The same frame goes over a second path as well: UDP beside TCP or TLS, TCP beside UDP."""
    clock: float = 0.0
    """Share of HOMES whose clock is minutes wrong until a NAK corrects it (seen with encryption only)."""
    storm: int = 0
    """Every home has this many messages to tell at the first moment, as after an outage (with a rate)."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``torn,retry=0.05,storm=3``; a mishap without a share gets 0.1; UsageError otherwise."""
        shares = _weights(cls, text, default=DEFAULT_SHARE)
        storm = shares.pop("storm", 0.0)
        for name, share in shares.items():
            if share > 1:
                raise UsageError(f"{name}={share:g} is no share", remedy="give a share between 0 and 1")
        return cls(**shares, storm=math.ceil(storm))

    @property
    def any(self) -> bool:
        """Whether single messages meet mishaps."""
        return bool(self.torn or self.batch or self.damage or self.retry or self.duplicate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run of the simulator. With a seed, what is said and what goes wrong repeat exactly; the timing cannot."""

    host: str
    port: int
    accounts: tuple[Account, ...]
    """One home each."""
    keys: Mapping[str, Key]
    """By key name: a home whose account names a key encrypts with it."""
    rate: float | None = None
    """Messages per second over all homes, at random instants, whether answered or not (open loop).

    None: every home tells its next message as soon as the last one is acknowledged (closed loop).
    """
    reports: int | None = None
    """Stop after so many messages."""
    duration_s: float | None = None
    """Stop telling new ones after so long. With neither: until told to stop."""
    transport: Transport = Transport.TCP
    connection: Connection = Connection.KEEP
    mix: Mix = Mix()
    faults: Faults = Faults()
    timeout_s: float = ACK_TIMEOUT_S
    attempts: int = ATTEMPTS
    seed: int = 0
    prebuilt: bool = False
    """Build every frame before the clock starts, so that a load measures the receiver and not this client.

    Only with ``reports``; encrypted frames age meanwhile and the receiver's clock window is 40 s.
    """
    trusted: str | None = None
    """PEM file of the certificate that TLS must present; None takes any, since a simulator proves nothing by it."""

    def __post_init__(self) -> None:
        if not self.accounts:
            raise UsageError("no home to simulate", remedy="give at least one account")
        if self.prebuilt and self.reports is None:
            raise UsageError("frames of an endless run cannot be prebuilt", remedy="give a number of reports")
        if self.faults.storm and self.rate is None:
            raise UsageError("without a rate all homes call at once anyway", remedy="give a rate beside the storm")
        missing = {account.key_name for account in self.accounts} - self.keys.keys() - {""}
        if missing:
            raise UsageError(f"no key named {', '.join(sorted(missing))}", remedy="give the keys the accounts name")


def _names(model: type[Mix | Faults]) -> list[str]:
    return [field.name for field in fields(model)]


def _weights(model: type[Mix | Faults], text: str, *, default: float) -> dict[str, float]:
    known = _names(model)
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        try:
            weights[name] = float(number) if number else default
        except ValueError:
            weights[name] = math.nan
        if name not in known or not 0 <= weights[name] < math.inf:
            raise UsageError(f"{part!r} is not understood", remedy=f"write NAME=NUMBER; names: {', '.join(known)}")
    return weights
