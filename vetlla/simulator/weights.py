"""What homes say, and which mishaps their messages meet: weights and shares, as a command line gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

from vetlla.domain.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What homes say, as weights."""

    alarms: float = 5
    """Pendants, falls, smoke."""
    technical: float = 5
    """Mains and batteries, lost and restored."""
    tests: float = 30
    """Periodic tests: CID 602, SIA RP; from GSM terminals a position."""
    heartbeats: float = 60
    """DC-09: NULL frames."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``alarms=5,tests=30``; what is not named is not said. UsageError for anything else."""
        mix = cls(**(dict.fromkeys(names_of(cls), 0.0) | _weights(cls, text, default=1.0)))
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


def names_of(model: type[Mix | Faults]) -> list[str]:
    """Return the names that a text may give."""
    return [field.name for field in fields(model)]


def _weights(model: type[Mix | Faults], text: str, *, default: float) -> dict[str, float]:
    known = names_of(model)
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
