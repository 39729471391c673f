"""Explains in words why a device is in its state."""

from __future__ import annotations

from typing import NamedTuple

from vetlla.service.supervision.rules import Health, Pause

PAUSES = {
    Pause.NO_INTERVAL: "no interval is set for it",
    Pause.AWAY: "the user left the home: its pendants may be out of reach",
    Pause.SUSPENDED: "the home's service is suspended or not active",
    Pause.WAREHOUSE: "it is in the warehouse",
    Pause.ORDERED: "paused",
    Pause.REMOVED: "it is no longer registered",
    Pause.UNREGISTERED: "it reports itself, but is not one of the home's registered UCRs",
}
QUIET = frozenset({Health.LATE, Health.LOST})


class StateFacts(NamedTuple):
    """What the receiver knows of one device."""

    state: Health
    pause: Pause = Pause.NONE
    missed: int = 0
    """Signs of life that it has missed since it was last heard, as far as this receiver knows."""
    allowed_misses: int = 1
    terminal: Health | None = None
    """State of the terminal through which it is heard; None for a terminal."""
    incident: str = ""
    """Name of the incident to which it belongs."""
    ordered: str = ""
    """Person who paused it, and the reason."""


def why(known: StateFacts) -> str:
    """Return the reason for a device's state, as one sentence without a full stop."""
    match known.state:
        case Health.OK:
            return "heard in time"
        case Health.LATE:
            return f"{known.missed} of {known.allowed_misses} signs of life failed to come"
        case Health.LOST:
            many = f"; one of many: {known.incident}" if known.incident else ""
            return f"{_lost(known.missed, known.allowed_misses)}{many}"
        case Health.UNKNOWN if known.terminal in QUIET:
            return f"its terminal is {known.terminal.word}, so its own silence says nothing"
        case Health.UNKNOWN:
            return "not heard since its supervision began"
        case Health.NOT_SUPERVISED:
            return "; ".join(_pause(one, known) for one in Pause if one in known.pause)


def _lost(missed: int, allowed_misses: int) -> str:
    if missed < allowed_misses:
        return "the broker reports that its connection broke"
    return f"{missed} sign{'' if missed == 1 else 's'} of life in a row failed to come"


def _pause(pause: Pause, known: StateFacts) -> str:
    if pause is Pause.ORDERED and known.ordered:
        return f"{PAUSES[pause]} by {known.ordered}"
    return PAUSES[pause]
