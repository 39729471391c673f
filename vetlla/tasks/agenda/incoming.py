"""Counts a call that came in as a call of the agenda (tender 20220428, 5: agendas may be done in incoming calls)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import NewEvent
from vetlla.service.agenda.call import PLANNED_KINDS
from vetlla.store.homes import queries as registered
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.duties import Duty
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording


class IncomingCall(NamedTuple):
    """A call that came in and was answered."""

    home: str
    at_us: int
    ref: str = ""
    """Its reference in the telephone exchange; empty if it has none."""
    by: str = ""
    note: str = ""


class Counted(NamedTuple):
    """What an incoming call did."""

    standing: Standing | None
    """The call of the agenda that it answered; None if it answered none."""
    why: str
    """Why it answered none; empty if it answered one."""
    candidates: tuple[int, ...] = ()
    """The calls of the agenda that it may have answered, if there are several."""


def count_incoming(
    connection: sqlite3.Connection, rules: DutyRules, one: IncomingCall, recording: Recording
) -> Counted:
    """Record an incoming call on the open call of its home whose time contains it, if there is exactly one.

    Follow-ups of the home and revaluations of its people count. An incoming call with a reference counts once, however
    often it is imported. Works within the caller's transaction. Raises UsageError for a home that is not registered.
    """
    registered.home(connection, one.home)
    duties = _duties(connection, rules, one.home)
    if one.ref and any(book.own_ref(event) == one.ref for duty in duties for event in duty.events):
        return Counted(None, f"call {one.ref} is recorded already")
    found = [duty for duty in duties if _is_open_at(duty, rules, one.at_us)]
    if not found:
        return Counted(None, f"home {one.home} has no open call of the agenda at that time")
    if len(found) > 1:
        numbers = tuple(duty.id for duty in found)
        return Counted(None, f"home {one.home} has {len(found)} open calls of the agenda at that time", numbers)
    told = NewEvent("", "", "answered", one.at_us, one.ref, one.by, one.note, details='{"way":"incoming"}')
    return Counted(book.record(connection, rules, found[0].id, told, recording), "")


def _duties(connection: sqlite3.Connection, rules: DutyRules, home: str) -> list[Duty]:
    people = [person.code for person in registered.people(connection, [home])]
    follow_up, revaluation = PLANNED_KINDS
    subjects = [(follow_up, home), *((revaluation, person) for person in people)]
    return [
        duty
        for kind, subject in subjects
        if rules.kinds.find(kind)
        for duty in book.duties_of(connection, rules, kind, subject)
    ]


def _is_open_at(duty: Duty, rules: DutyRules, at_us: int) -> bool:
    kind = rules.kinds.kind(duty.kind)
    opening = duty.events[0].told
    over = {*kind.ends, *kind.cancels}
    return (
        (opening.begin_us or opening.at_us) <= at_us <= (opening.end_us or at_us)
        and opening.at_us <= at_us
        and not any(event.told.event in over for event in duty.events)
    )
