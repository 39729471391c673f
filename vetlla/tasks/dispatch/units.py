"""Adds units, and records who goes on and off duty. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.codes import code_key
from vetlla.domain.emergencies import UnitEvent, UnitState
from vetlla.domain.errors import UsageError
from vetlla.service.dispatch.units import find
from vetlla.store.dispatch import units as store
from vetlla.tasks.dispatch import looking

if TYPE_CHECKING:
    from vetlla.service.dispatch.units import StreetUnit
    from vetlla.tasks.dispatch.work import Work


def add(work: Work, event: UnitEvent) -> StreetUnit:
    """Add a unit, which is on duty; for one that is known, change its base or vehicle. Return it.

    Codes that differ only in case or spaces are one unit, and one base: the first spelling stays.
    Raises UsageError if nothing would change, or for a time to come.
    """
    known = {code_key(one.code): one for one in looking.known_units(work.connection, work.rules, work.now_us)}
    before = known.get(code_key(event.unit))
    code = before.code if before else " ".join(event.unit.split())
    event = event._replace(unit=code, base=looking.spelled_base(work.connection, event.base))
    if before is not None:
        if event.base == before.base and event.vehicle in {"", before.vehicle}:
            raise UsageError(f"unit {event.unit} is known with that base", remedy="vetlla dispatch units list")
        event = event._replace(event="off" if before.state is UnitState.OFF_DUTY else "on")
    return _add(work, event)


def shift(work: Work, event: UnitEvent) -> StreetUnit:
    """Record that a unit goes on or off duty; return it.

    Raises UsageError if there is no such unit, if it is so already, or if it is away for an emergency.
    """
    one = find(looking.known_units(work.connection, work.rules, work.now_us), event.unit)
    if event.event == "off" and one.emergency is not None:
        alarm = one.emergency.label
        raise UsageError(
            f"unit {one.code} is away for {one.emergency.named}",
            remedy=f"vetlla dispatch finished {alarm}, or recalled {alarm} --reason WHY",
        )
    if (event.event == "off") == (one.state is UnitState.OFF_DUTY):
        raise UsageError(f"unit {one.code} is {event.event} duty already", remedy="vetlla dispatch units list")
    if one.emergency is None and event.at_us < one.since_us:
        raise UsageError("an event of that unit is later", remedy="correct --at")
    return _add(work, event._replace(unit=one.code))


def _add(work: Work, event: UnitEvent) -> StreetUnit:
    if event.at_us > work.now_us:
        raise UsageError("that lies in the future", remedy="record what has happened; correct --at")
    store.add(work.connection, event, work.recording.source, work.now_us)
    return find(looking.known_units(work.connection, work.rules, work.now_us), event.unit)
