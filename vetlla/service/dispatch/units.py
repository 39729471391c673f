"""Where the units are, and in which order free ones are proposed for a home.

A unit is free if it is on duty and has no unfinished emergency.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.codes import code_key
from vetlla.domain.emergencies import UnitState
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vetlla.domain.emergencies import UnitEvent
    from vetlla.service.dispatch.emergency import StreetEmergency


class StreetUnit(NamedTuple):
    """A unit and where it is."""

    code: str
    base: str
    vehicle: str
    state: UnitState
    since_us: int
    emergency: StreetEmergency | None
    """The emergency for which it is away."""


def units(events: Iterable[UnitEvent], emergencies: Sequence[StreetEmergency]) -> list[StreetUnit]:
    """Return every unit. ``events`` are ordered by unit and time; ``emergencies`` are open or just ended."""
    by_unit: dict[str, list[UnitEvent]] = {}
    for event in events:
        by_unit.setdefault(code_key(event.unit), []).append(event)
    return [_unit(sorted(told, key=lambda event: event.at_us), emergencies) for told in by_unit.values()]


def told_until(events: Iterable[UnitEvent], at_us: int) -> list[UnitEvent]:
    """Return the events up to a moment, of events that are ordered by unit and time.

    Of a unit that was recorded later its first event is returned, because it was sent before the office wrote it down.
    """
    by_unit = groupby(events, key=lambda event: event.unit)
    return [event for _, told in by_unit for place, event in enumerate(told) if event.at_us <= at_us or place == 0]


def find(known: Iterable[StreetUnit], code: str) -> StreetUnit:
    """Return a unit by its code. Raises UsageError if there is none."""
    for one in known:
        if code_key(one.code) == code_key(code):
            return one
    raise UsageError(f"there is no unit {code}", remedy=f"vetlla dispatch units add {code} --base BASE")


def _unit(events: Sequence[UnitEvent], emergencies: Sequence[StreetEmergency]) -> StreetUnit:
    code, base, vehicle = events[0].unit, "", ""
    key = code_key(code)
    for event in events:
        base, vehicle = event.base or base, event.vehicle or vehicle
    last = events[-1]
    own = [one for one in emergencies if code_key(one.unit) == key]
    away = max((one for one in own if one.is_open), key=lambda one: (one.sent_us or 0, one.id), default=None)
    if away is not None:
        at_home = away.reached_us
        state = UnitState.AT_HOME if at_home else UnitState.ON_THE_WAY
        return StreetUnit(code, base, vehicle, state, at_home or away.sent_us or away.opened_us, away)
    if last.event == "off":
        return StreetUnit(code, base, vehicle, UnitState.OFF_DUTY, last.at_us, None)
    ended_us = (one.ended_us or 0 for one in own)
    freed_us = (one.freed.get(key, 0) for one in emergencies)
    return StreetUnit(code, base, vehicle, UnitState.FREE, max((last.at_us, *ended_us, *freed_us)), None)


class Proposal(NamedTuple):
    """A free unit that could go, and the reason for its place in the order."""

    unit: StreetUnit
    why: str


def bases_in_order(base: str, order: str) -> list[str]:
    """Return the bases by their distance from a base: itself, then those that the parameter lists."""
    listed = [name.strip() for name in order.split(",") if name.strip()]
    return [base, *(name for name in dict.fromkeys(listed) if code_key(name) != code_key(base))]


def propose(known: Iterable[StreetUnit], base: str, order: Callable[[str], str]) -> list[Proposal]:
    """Return the free units that could go to a home of a base, the nearest first.

    ``order`` returns the bases by their distance from one, separated by commas, or "" if that is not known. Of one base
    the unit that has been free for the longest time goes first, so that the work is shared.
    """
    near = bases_in_order(base, order(base))
    free = [one for one in known if one.state is UnitState.FREE]
    ranks = {code_key(name): rank for rank, name in enumerate(near)}
    free.sort(key=lambda one: (ranks.get(code_key(one.base), len(near)), code_key(one.base), one.since_us, one.code))
    return [Proposal(one, _why(one, base, ranks)) for one in free]


def _why(one: StreetUnit, base: str, ranks: dict[str, int]) -> str:
    key = code_key(one.base)
    if key == code_key(base):
        return f"free, of the home's own base {base}"
    if key in ranks:
        return f"free, of base {one.base}, number {ranks[key]} by distance from {base or 'the home'}"
    return f"free, of base {one.base}, whose distance from {base or 'the home'} no parameter says"
