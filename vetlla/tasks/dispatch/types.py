"""Decides the type of an emergency: opens its duty with the time of the first communication, or changes its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.clock import iso
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import details_text
from vetlla.tasks.dispatch import looking
from vetlla.tasks.dispatch.beginning import beginning_of
from vetlla.tasks.dispatch.work import Told
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vetlla.domain.emergencies import EmergencyType
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.tasks.dispatch.beginning import Beginning
    from vetlla.tasks.dispatch.work import Work

_CARRIED: tuple[str, ...] = ("repeated", "sent", "recalled", "arrived", "escalated")
"""Events that also hold for the emergency under its other type."""


def set_type(work: Work, state_dir: Path, alarm: str, wanted: EmergencyType, told: Told) -> StreetEmergency:
    """Give the emergency of an alarm its type, and return it. Works within the caller's transaction.

    If the emergency has a duty, a later alarm joins it. If a unit attended it and has left, a call that joined the
    alarm since then opens another one. Raises UsageError if it has that type already, if a unit has got in, or if the
    alarm or its home is not known.
    """
    connection, rules, now_us = work.connection, work.rules, work.now_us
    known = looking.of_alarm(connection, rules, alarm, now_us)
    if known is None or (known.is_attended and not known.is_open):
        begun = beginning_of(connection, rules, state_dir, alarm, now_us)
        if known is not None and begun.first.alarm.opened_us <= (known.ended_us or now_us):
            raise UsageError(
                f"the emergency of alarm {alarm} was attended and is finished", remedy=f"vetlla dispatch show {alarm}"
            )
        going_on = _going_on(begun, now_us)
        if going_on is None:
            return _open(work, begun, wanted, told)
        known = _join(work, going_on, begun, told)
        if known.type is wanted:
            return known
    elif known.is_open and known.type is wanted:
        raise UsageError(f"alarm {alarm} has type {wanted} already", remedy=f"vetlla dispatch show {alarm}")
    if not known.is_open:
        begun = beginning_of(connection, rules, state_dir, alarm, now_us)
        return _open(work, begun, wanted, told)
    return _retype(work, known, wanted, told)


def _going_on(begun: Beginning, now_us: int) -> StreetEmergency | None:
    """Return the open emergency of the home that an alarm belongs to. Raises UsageError if that is left unclear.

    While no unit has got in, every call of the home belongs to it, also if the chaining time has passed. To one without
    news belong only its own alarms and what follows them: else the call would be late as soon as it came.
    """
    named = {str(one.id) for one in begun.first.alarms}
    alarm = begun.first.alarm
    for one in sorted(begun.emergencies, key=lambda one: not one.is_open):
        if not one.is_open:
            if one.access_us is not None and one.opened_us <= alarm.opened_us <= one.access_us:
                raise UsageError(
                    f"alarm {alarm.id} came before the unit got in at {iso(one.access_us)}, in an emergency that is"
                    f" finished: that of {one.named}",
                    remedy=f"vetlla duties show {one.id}",
                )
            continue
        if one.has_no_news(now_us) and not named & set(one.alarms):
            continue
        if one.access_us is None or named & set(one.alarms) or alarm.opened_us - one.access_us <= begun.window_us:
            return one
        raise UsageError(
            f"the home has an emergency into which a unit got at {iso(one.access_us)}, and which is not finished",
            remedy=f"vetlla dispatch finished {one.label} --at TIME, then again",
        )
    return None


def _open(
    work: Work,
    begun: Beginning,
    wanted: EmergencyType,
    told: Told,
) -> StreetEmergency:
    first, alarm = begun.first.first, begun.first.alarm
    opening = NewEvent(
        kind=wanted.kind,
        subject=begun.home,
        event="",
        at_us=begun.first.at_us,
        ref=_new_ref(begun.emergencies, str(alarm.id)),
        by=told.by,
        details=details_text({"alarm": str(first.id)}),
    )
    duty = book.open_duty(work.connection, work.rules, opening, work.recording).duty
    for one in begun.first.alarms:
        if one is not first:
            repeated = Told(max(one.opened_us, duty.opened_us), told.by).event("repeated", alarm=str(one.id))
            work.record(duty.id, repeated)
    return work.record(duty.id, told.event("typed", alarm=str(alarm.id)))


def _join(
    work: Work,
    one: StreetEmergency,
    begun: Beginning,
    told: Told,
) -> StreetEmergency:
    for alarm in begun.first.alarms:
        if str(alarm.id) not in one.alarms:
            repeated = Told(max(alarm.opened_us, one.opened_us), told.by, told.note)
            one = work.record(one.id, repeated.event("repeated", alarm=str(alarm.id)))
    return one


def _retype(
    work: Work,
    one: StreetEmergency,
    wanted: EmergencyType,
    told: Told,
) -> StreetEmergency:
    """Call off the duty of one type and open that of the other, with the same first communication."""
    if not one.waits:
        raise UsageError(
            "a unit has got in or could not, so the type stays as it was judged",
            remedy=f"vetlla duties show {one.id}",
        )
    first, last = (one.alarms[0], one.alarms[-1]) if one.alarms else ("", "")
    others = looking.of_home(work.connection, work.rules, one.home, work.now_us)
    work.record(one.id, told.event("retyped", alarm=first))
    opening = one.standing.duty.events[0].told._replace(
        kind=wanted.kind, ref=_new_ref(others, last or str(one.id)), duty=0
    )
    number = book.open_duty(work.connection, work.rules, opening, work.recording).duty.id
    for event in one.standing.duty.events:
        if event.told.event in _CARRIED:
            work.record(number, event.told._replace(ref=""))
    return work.record(number, told.event("typed", alarm=last))


def _new_ref(others: Iterable[StreetEmergency], alarm: str) -> str:
    """Return a reference that no emergency of the home has, because the same one would be the same duty."""
    taken = {one.standing.duty.ref for one in others}
    ref, number = f"A{alarm}", 1
    while ref in taken:
        number += 1
        ref = f"A{alarm}/{number}"
    return ref
