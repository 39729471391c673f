"""Records what becomes of an emergency: a unit is sent, arrives, gets in, or the emergency is called off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.codes import code_key
from vetlla.domain.emergencies import UnitState
from vetlla.domain.errors import UsageError
from vetlla.service.dispatch.emergency import UNIT
from vetlla.service.dispatch.units import find
from vetlla.tasks.dispatch import looking
from vetlla.tasks.duties.book import WITHDRAW

if TYPE_CHECKING:
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.tasks.dispatch.work import Told, Work


def send(work: Work, alarm: str, told: Told, *, unit: str, base: str = "") -> StreetEmergency:
    """Send a unit to the emergency of an alarm; a unit that was sent before is free again. Return the emergency.

    ``base`` is where it starts from, by default its own base. Raises UsageError if the unit was not free at that time.
    """
    one = _open(work, alarm, told)
    if one.access_us is not None:
        raise UsageError("a unit has got in already", remedy=f"vetlla dispatch show {alarm}")
    found = find(looking.known_units(work.connection, work.rules, work.now_us, told.at_us), unit)
    unit = found.code
    if code_key(one.unit) == code_key(unit):
        raise UsageError(f"unit {unit} was sent there already", remedy=f"vetlla dispatch show {alarm}")
    if found.emergency is not None:
        other = found.emergency.label
        raise UsageError(
            f"unit {unit} is away for {found.emergency.named} at {work.shown(told.at_us)}",
            remedy=f"correct --at; vetlla dispatch finished {other}; or to divert it, recalled {other} --reason WHY",
        )
    if found.state is UnitState.OFF_DUTY:
        raise UsageError(
            f"unit {unit} is off duty at {work.shown(told.at_us)}",
            remedy=f"correct --at, or vetlla dispatch units on {unit}",
        )
    last_us = one.reached_us or one.sent_us
    if one.unit and last_us is not None and told.at_us < last_us:
        what = "reached the home" if one.reached_us else "was sent"
        raise UsageError(f"unit {one.unit} {what} at {work.shown(last_us)}, which is later", remedy="correct --at")
    base = looking.spelled_base(work.connection, base) or found.base
    event = told.event("sent", alarm=_number(alarm), base=base, **{UNIT: unit})
    return work.record(one.id, event)


def progress(work: Work, alarm: str, event: str, told: Told) -> StreetEmergency:
    """Record that the unit was called away (``recalled``), ``arrived``, has ``access`` or ``no_access``.

    Return the emergency. Raises UsageError if it was finished, if no unit was sent, or if that has happened.
    """
    one = _open(work, alarm, told)
    if not one.unit:
        raise UsageError(f"no unit was sent to alarm {alarm}", remedy=f"vetlla dispatch send {alarm} --unit UNIT")
    if one.sent_us is not None and told.at_us < one.sent_us:
        raise UsageError(f"the unit was sent at {work.shown(one.sent_us)}, which is later", remedy="correct --at")
    if event == "recalled" and one.access_us is not None:
        raise UsageError("the unit has got in already", remedy=f"vetlla dispatch finished {alarm}")
    happened = {"arrived": one.arrived_us, "access": one.access_us, "no_access": one.shut_out_us}.get(event)
    if happened is not None:
        raise UsageError(
            f"alarm {alarm} has {event} since {work.shown(happened)}",
            remedy=f"if that is wrong, first: {WITHDRAW}; vetlla duties show {one.id} has its number",
        )
    if event in {"access", "no_access"} and one.arrived_us is not None and told.at_us < one.arrived_us:
        raise UsageError(f"the unit arrived at {work.shown(one.arrived_us)}, which is later", remedy="correct --at")
    recorded = told.event(event, alarm=_number(alarm), base=one.base, **{UNIT: one.unit})
    return work.record(one.id, recorded)


def finish(work: Work, alarm: str, told: Told) -> StreetEmergency:
    """Record that the emergency of an alarm is over and its unit is free; return it.

    Raises UsageError if no unit got in, and none has reported that it could not.
    """
    one = _open(work, alarm, told)
    if one.access_us is None and one.no_access_us is None:
        raise UsageError(
            f"no unit has reached alarm {alarm}",
            remedy=f"vetlla dispatch access {alarm}, no-access {alarm}, or cancelled {alarm} --reason WHY",
        )
    return work.record(one.id, told.event("finished", alarm=_number(alarm)))


def cancel(work: Work, alarm: str, told: Told) -> StreetEmergency:
    """Record that the emergency of an alarm was called off; return it.

    Raises UsageError if a unit has got in, or came and could not.
    """
    one = _open(work, alarm, told)
    if one.access_us is not None:
        raise UsageError(
            f"a unit has got in at {work.shown(one.access_us)}",
            remedy=f"vetlla dispatch finished {alarm}",
        )
    if one.no_access_us is not None:
        raise UsageError(
            f"a unit came and could not get in at {work.shown(one.no_access_us)}, so that it was judged",
            remedy=f"vetlla dispatch finished {alarm}",
        )
    return work.record(one.id, told.event("cancelled", alarm=_number(alarm)))


def _number(alarm: str) -> str:
    """Return the number of an alarm; "" for the label of an emergency without one."""
    return "" if looking.duty_number(alarm) else alarm


def _open(work: Work, alarm: str, told: Told) -> StreetEmergency:
    """Return the open emergency of an alarm. Raises UsageError if it has none, or if it began later than is told."""
    one = looking.the_emergency(work.connection, work.rules, alarm, work.now_us)
    if not one.is_open:
        ended = one.standing.ended
        what = ended.told.event if ended else "over"
        raise UsageError(f"the emergency of alarm {alarm} is {what}", remedy=f"vetlla dispatch show {alarm}")
    if told.at_us < one.opened_us:
        raise UsageError(
            f"its first communication came at {work.shown(one.opened_us)}, which is later",
            remedy="correct --at",
        )
    return one
