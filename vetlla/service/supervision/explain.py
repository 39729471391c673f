"""Why a device is in the state it is in, as people read it."""

from __future__ import annotations

from typing import NamedTuple

from vetlla.service.supervision.rules import Health, Pause

PAUSES = {
    Pause.NO_INTERVAL: "nobody said how often it is to be heard",
    Pause.AWAY: "the home was left: its pendants may be out of reach",
    Pause.SUSPENDED: "the home's service is suspended or not active",
    Pause.WAREHOUSE: "it stands in the warehouse",
    Pause.ORDERED: "paused",
    Pause.REMOVED: "it is registered no more",
    Pause.UNREGISTERED: "it reports itself, but is none of the home's registered UCRs",
}
QUIET = frozenset({Health.LATE, Health.LOST})


class Known(NamedTuple):
    """What is known of one device."""

    state: Health
    pause: Pause = Pause.NONE
    missed: int = 0
    """Signs of life that failed to come since it was last heard, as far as this receiver can tell."""
    allowed_misses: int = 1
    terminal: Health | None = None
    """State of the terminal through which it is heard; None: it is a terminal itself."""
    incident: str = ""
    """The failure of many that it is part of."""
    ordered: str = ""
    """Who paused it and why."""


def why(known: Known) -> str:
    """Return the reason of a device's state, in one sentence without its full stop."""
    match known.state:
        case Health.OK:
            return "heard in time"
        case Health.LATE:
            return f"{known.missed} of {known.allowed_misses} signs of life failed to come"
        case Health.LOST:
            many = f"; one of many: {known.incident}" if known.incident else ""
            return f"{_lost(known.missed, known.allowed_misses)}{many}"
        case Health.UNKNOWN if known.terminal in QUIET:
            return f"its terminal is {known.terminal.word}: its own silence says nothing"
        case Health.UNKNOWN:
            return "not heard yet since it is supervised"
        case Health.NOT_SUPERVISED:
            return "; ".join(_pause(one, known) for one in Pause if one in known.pause)


def _lost(missed: int, allowed_misses: int) -> str:
    if missed < allowed_misses:
        return "its connection broke: the broker says so"
    return f"{missed} sign{'' if missed == 1 else 's'} of life in a row failed to come"


def _pause(pause: Pause, known: Known) -> str:
    if pause is Pause.ORDERED and known.ordered:
        return f"{PAUSES[pause]} by {known.ordered}"
    return PAUSES[pause]
