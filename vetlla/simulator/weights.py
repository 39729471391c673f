"""Weights of the kinds of messages and shares of mishaps, as a command line gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

from vetlla.domain.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Weights of the kinds of messages that homes send."""

    alarms: float = 5
    """Alarms of pendants, falls and smoke."""
    technical: float = 5
    """Losses and restorals of mains and batteries."""
    tests: float = 30
    """Periodic tests: CID 602, SIA RP, or a position from GSM terminals."""
    heartbeats: float = 60
    """Heartbeats: in DC-09, NULL frames."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``alarms=5,tests=30``; a kind that is not named gets no messages. Raises UsageError for other text."""
        mix = cls(**(dict.fromkeys(names_of(cls), 0.0) | _weights(cls, text, default=1.0)))
        if not any(mix.weights()):
            raise UsageError(f"the mix {text!r} has no weight above 0", remedy="give at least one")
        return mix

    def weights(self) -> tuple[float, ...]:
        """Return the weights in the order of the fields."""
        return self.alarms, self.technical, self.tests, self.heartbeats


DEFAULT_SHARE = 0.1
"""Share of messages with a mishap, if the text names the mishap without a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Mishaps on the way, as shares of the messages between 0 and 1. ``storm`` is a number of messages."""

    torn: float = 0.0
    """The frame is cut into many small segments (TCP and TLS)."""
    batch: float = 0.0
    """Several messages of one home go in one segment (TCP and TLS)."""
    damage: float = 0.0
    """The home sends a damaged copy before the good one. The receiver may not answer the damaged one."""
    retry: float = 0.0
    """The home hangs up before the acknowledgement and repeats the message on a new connection."""
    duplicate: float = 0.0
    """The same frame also goes over a second path: the other of TCP and UDP, or a second TLS connection."""
    clock: float = 0.0
    """Share of HOMES whose clock is minutes wrong until a NAK corrects it. It shows only with encryption."""
    storm: int = 0
    """Every home has this number of messages to send at the start, as after an outage. It needs a rate."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``torn,retry=0.05,storm=3``; a mishap without a share gets 0.1. Raises UsageError for other text."""
        shares = _weights(cls, text, default=DEFAULT_SHARE)
        storm = shares.pop("storm", 0.0)
        for name, share in shares.items():
            if share > 1:
                raise UsageError(f"{name}={share:g} is not a share", remedy="give a share between 0 and 1")
        return cls(**shares, storm=math.ceil(storm))

    @property
    def any(self) -> bool:
        """Whether there are mishaps of single messages."""
        return bool(self.torn or self.batch or self.damage or self.retry or self.duplicate)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """Mishaps between a line receiver and its computer, as shares of the messages between 0 and 1.

    A message has at most one of them, at its first sending; it is repeated whole. ``caller`` is a share of the calls.
    """

    damage: float = 0.0
    """One byte arrives with its eighth bit set."""
    parity: float = 0.0
    """All bytes arrive with a parity bit, as if the receiver sent 7E1 and the computer read 8N1."""
    endless: float = 0.0
    """The end mark is lost."""
    glued: float = 0.0
    """The frame arrives two or three times without an end mark between the copies."""
    duplicate: float = 0.0
    """The frame arrives twice, as if its acknowledgement was lost."""
    torn: float = 0.0
    """The frame arrives in pieces."""
    caller: float = 0.0
    """A frame with the caller's telephone number comes before the event (surgard)."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``torn,glued=0.05``; a mishap without a share gets 0.1. Raises UsageError for other text."""
        shares = _weights(cls, text, default=DEFAULT_SHARE)
        for name, share in shares.items():
            if share > 1:
                raise UsageError(f"{name}={share:g} is not a share", remedy="give a share between 0 and 1")
        return cls(**shares)


def names_of(model: type[Mix | Faults | LineFaults]) -> list[str]:
    """Return the names that a text may give."""
    return [field.name for field in fields(model)]


def _weights(model: type[Mix | Faults | LineFaults], text: str, *, default: float) -> dict[str, float]:
    known = names_of(model)
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        try:
            weights[name] = float(number) if number else default
        except ValueError:
            weights[name] = math.nan
        if name not in known or not 0 <= weights[name] < math.inf:
            raise UsageError(
                f"{part!r} is not NAME=NUMBER with a known name", remedy=f"use one of the names {', '.join(known)}"
            )
    return weights
