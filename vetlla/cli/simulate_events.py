"""The options of ``vetlla simulate`` that say what befalls the fleet."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from vetlla.errors import UsageError
from vetlla.simulator.scenario import Outage, Silence

SILENT_AFTER_S = 5.0
"""When homes fall silent unless it is said: what a receiver is to miss it must have heard first."""

Outages = Annotated[
    str,
    typer.Option(
        metavar="AFTER:LENGTH", help="After so many seconds all connections break; the homes are away for so many."
    ),
]
ReturnWithin = Annotated[
    float, typer.Option(min=0, help="Seconds within which the homes return after --outage; 0: all at once.")
]
Silent = Annotated[
    str,
    typer.Option(
        metavar="SHARE[:AFTER]",
        help=f"This share of the homes says nothing any more after so many seconds (default {SILENT_AFTER_S:g}),"
        " connections standing.",
    ),
]


def outage_from(text: str, return_within_s: float) -> Outage | None:
    """Read ``AFTER:LENGTH`` in seconds; "" is none. Raises UsageError."""
    if not text:
        if return_within_s:
            raise UsageError("--return-within says how an outage ends", remedy="give --outage AFTER:LENGTH too")
        return None
    after, _, length = text.partition(":")
    after_s, length_s = _number(after), _number(length)
    if not (after_s >= 0 and length_s > 0):
        raise UsageError(f"--outage {text}: not AFTER:LENGTH", remedy="in seconds, such as 30:60")
    return Outage(after_s=after_s, length_s=length_s, return_within_s=return_within_s)


def silence_from(text: str) -> Silence | None:
    """Read ``SHARE`` or ``SHARE:AFTER``; "" is none. Raises UsageError."""
    if not text:
        return None
    share, colon, after = text.partition(":")
    silence = Silence(share=_number(share), after_s=_number(after) if colon else SILENT_AFTER_S)
    if not (0 < silence.share <= 1 and silence.after_s >= 0):
        raise UsageError(f"--silent {text}: not SHARE[:AFTER]", remedy="such as 0.2, or 0.2:60 for after 60 s")
    return silence


def _number(text: str) -> float:
    """Return a finite number; NaN for anything else, which no comparison lets pass."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
