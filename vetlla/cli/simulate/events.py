"""The options of ``vetlla simulate`` that cause outages and silence."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import typer

from vetlla.cli.kit.moments import duration
from vetlla.domain.clock import seconds_of
from vetlla.domain.errors import UsageError
from vetlla.simulator.scenario import Outage, Silence

SILENT_AFTER_S = 5.0
"""Default time after which homes fall silent. A receiver can only miss a home that it has heard first."""

Outages = Annotated[
    str,
    typer.Option(metavar="AFTER:LENGTH", help="After AFTER all connections break; the homes are away for LENGTH."),
]
ReturnWithin = Annotated[
    float, duration("--return-within", help="Time within which the homes return after --outage; 0 for all at once.")
]
Silent = Annotated[
    str,
    typer.Option(
        metavar="SHARE[:AFTER]",
        help=f"This share of the homes falls silent after this time ({SILENT_AFTER_S:g}s); their connections stay.",
    ),
]


class Mishaps(NamedTuple):
    """Options that cause an outage or silence."""

    outage: Outages = ""
    return_within: ReturnWithin = 0.0
    silent: Silent = ""

    def wanted_outage(self) -> Outage | None:
        """Return the outage of ``AFTER:LENGTH``, two durations; None for "". Raises UsageError."""
        text = self.outage
        if not text:
            if self.return_within:
                raise UsageError("--return-within needs an outage", remedy="give --outage AFTER:LENGTH too")
            return None
        after, _, length = text.partition(":")
        after_s, length_s = _seconds(after), _seconds(length)
        if not (after_s >= 0 and length_s > 0):
            raise UsageError(f"--outage {text}: not AFTER:LENGTH", remedy="two durations, such as 30s:1m")
        return Outage(after_s=after_s, length_s=length_s, return_within_s=self.return_within)

    def wanted_silence(self) -> Silence | None:
        """Return the silence of ``SHARE`` or ``SHARE:AFTER``; None for "". Raises UsageError."""
        text = self.silent
        if not text:
            return None
        share, colon, after = text.partition(":")
        silence = Silence(share=_number(share), after_s=_seconds(after) if colon else SILENT_AFTER_S)
        if not (0 < silence.share <= 1 and silence.after_s >= 0):
            raise UsageError(f"--silent {text}: not SHARE[:AFTER]", remedy="such as 0.2, or 0.2:1m for after a minute")
        return silence


def _number(text: str) -> float:
    """Return a finite number; NaN for anything else, because it fails every comparison."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _seconds(text: str) -> float:
    """Return the seconds of a duration; NaN for anything else, because it fails every comparison."""
    try:
        return seconds_of(text)
    except ValueError:
        return math.nan
