"""What to simulate: the homes, their messages and rate, the transport and the mishaps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError
from vetlla.simulator.dialects import registry
from vetlla.simulator.weights import Faults, Mix, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import Key
    from vetlla.simulator.dialects.dialect import Dialect

ACK_TIMEOUT_S = 5.0
"""Terminals wait 5 to 60 s for an acknowledgement (fact sheet DC-09, section 4). The shortest wait finds most."""
ATTEMPTS = 4
"""The first try and three repeats, as terminals do on one path before they change to the next."""


class Transport(StrEnum):
    """How a home dials in."""

    TCP = "tcp"
    UDP = "udp"
    TLS = "tls"


class Connection(StrEnum):
    """Whether a home stays connected or dials again for every message."""

    KEEP = "keep"
    EACH = "each"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The network fails for all homes at once, and returns for one after the other."""

    after_s: float
    length_s: float
    return_within_s: float = 0.0
    """The homes return at random instants within this time; 0 means all at once."""

    @property
    def end_s(self) -> float:
        """When the last home is back, in seconds from the beginning."""
        return self.after_s + self.length_s + self.return_within_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Some homes stop sending but stay connected."""

    share: float
    after_s: float


def check_events(
    outage: Outage | None, silence: Silence | None, *, duration_s: float | None, reports: int | None
) -> None:
    """Raise UsageError if a run is too short for its outage or its silence."""
    if outage and duration_s is not None and duration_s < outage.end_s:
        raise UsageError(
            f"the run ends after {duration_s:g} s, before the last home is back",
            remedy=f"let it last {outage.end_s:g} s or more",
        )
    if silence and (duration_s is None or duration_s <= silence.after_s or reports is not None):
        raise UsageError(
            "a silence needs a run that goes on after its start",
            remedy=f"give a duration of more than {silence.after_s:g} s, and no number of reports",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run of the simulator. The same seed repeats the same messages and mishaps, but not the same timing."""

    host: str
    port: int
    accounts: tuple[Account, ...]
    """Each account is one home."""
    keys: Mapping[str, Key]
    """The keys by name. A home encrypts with the key that its account names."""
    rate: float | None = None
    """Messages per second over all homes, at random instants, whether answered or not (open loop).

    None means that every home sends its next message as soon as the last one is acknowledged (closed loop).
    """
    reports: int | None = None
    """Stop after this number of messages."""
    duration_s: float | None = None
    """Stop sending new messages after this time. With neither limit the run ends when it is stopped."""
    transport: Transport = Transport.TCP
    connection: Connection = Connection.KEEP
    mix: Mix = field(default_factory=Mix)
    faults: Faults = field(default_factory=Faults)
    timeout_s: float = ACK_TIMEOUT_S
    attempts: int = ATTEMPTS
    seed: int = 0
    prebuilt: bool = False
    """Build every frame before the clock starts, so that a load measures the receiver and not this client.

    This needs ``reports``. Encrypted frames age meanwhile, and the receiver's clock window is 40 s.
    """
    trusted: str | None = None
    """PEM file of the certificate that the receiver must present; None accepts any, enough for a simulator."""
    protocol: str = "dc09"
    outage: Outage | None = None
    silence: Silence | None = None

    @property
    def dialect(self) -> Dialect:
        """The dialect of the homes' protocol."""
        return registry.find(self.protocol)

    def __post_init__(self) -> None:
        if not self.accounts:
            raise UsageError("no home to simulate", remedy="give at least one account")
        if self.prebuilt and self.reports is None:
            raise UsageError("frames of an endless run cannot be prebuilt", remedy="give a number of reports")
        if self.faults.storm and self.rate is None:
            raise UsageError("a storm needs a rate: without one all homes call at once", remedy="give a rate too")
        self._check_accounts()
        self._check_dialect()
        self._check_events()

    def _check_accounts(self) -> None:
        dialect = self.dialect
        for account in self.accounts:
            if not dialect.form.fullmatch(account.account):
                raise UsageError(
                    f"{account.account!r} is not an account of {dialect.name}", remedy=f"give {dialect.form_said}"
                )
        missing = {account.key_name for account in self.accounts} - self.keys.keys() - {""} if dialect.encrypts else ()
        if missing:
            raise UsageError(
                f"there is no key named {', '.join(sorted(missing))}", remedy="give the keys that the accounts name"
            )

    def _check_dialect(self) -> None:
        dialect = self.dialect
        if self.keys and not dialect.encrypts:
            raise UsageError(f"{dialect.name} has no encryption", remedy="leave the keys out, or use TLS")
        if self.transport is Transport.UDP and not dialect.datagrams:
            raise UsageError(f"{dialect.name} runs over TCP only", remedy="use --transport tcp")
        senseless = [name for name in names_of(Faults) if getattr(self.faults, name) and name not in dialect.mishaps]
        if senseless:
            raise UsageError(
                f"{dialect.name} cannot have the mishap {', '.join(senseless)}",
                remedy=f"choose from {', '.join(sorted(dialect.mishaps))}",
            )

    def _check_events(self) -> None:
        if self.outage and self.rate is None:
            raise UsageError("an outage needs a rate: without one no message becomes due", remedy="give a rate too")
        check_events(self.outage, self.silence, duration_s=self.duration_s, reports=self.reports)
        if self.silence and self.connection is Connection.EACH:
            raise UsageError("a silence needs homes that stay connected", remedy="use --connection keep")
