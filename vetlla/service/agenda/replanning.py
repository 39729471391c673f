"""What planning has to write: new calls, and what changes of those that a month has already.

Planning the same month again changes nothing. A call that operators have made, given up or called off stays as it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.agenda.call import PLANNED_KINDS
from vetlla.service.agenda.moments import local_time
from vetlla.service.agenda.wanted import FOLLOW_UP, fortnightly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from vetlla.domain.homes import Home, Period, Person
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.agenda.month import AgendaMonth
    from vetlla.service.agenda.wanted import WantedCall
    from vetlla.service.duties.calendar import ServiceCalendar


LEFT: Final = "not in the service"
"""Cause of a call that is called off because its home or person has left."""
SUSPENDED: Final = "suspended"
PROGRAMME: Final = "in a programme with fortnightly calls"


class CalledOff(NamedTuple):
    """A call that is no longer wanted, and why."""

    call: AgendaCall
    cause: str
    instead: str = ""
    """Reference of the revaluation that takes its place; empty if it is cancelled."""
    at_us: int | None = None
    """When it was no longer owed, because the service had ended; None for the moment of the planning."""


class AgendaChanges(NamedTuple):
    """What planning has to write."""

    new: list[WantedCall]
    replaced: list[WantedCall]
    """Follow-ups whose place a revaluation takes: they are opened and called off at once."""
    moved: list[tuple[AgendaCall, WantedCall]]
    """Open calls that have to move to another day, because the home cannot be called on theirs."""
    off: list[CalledOff]
    late: list[WantedCall]
    """Wanted calls for which no working day is left."""
    kept: list[AgendaCall]
    """Calls of the month that stay as they are, ended ones too."""


class _Sorter:
    def __init__(self, month: AgendaMonth, first: date, calendar: ServiceCalendar) -> None:
        self.found = AgendaChanges([], [], [], [], [], [])
        self._ahead = month.between(first, month.last)
        self._month = month
        self._first = first
        self._calendar = calendar

    def put(self, wanted: WantedCall, chain: Sequence[AgendaCall]) -> None:
        """Compare a wanted call with the duties that it has had, in the order of their references."""
        last = chain[-1] if chain else None
        ahead = wanted.days & self._ahead
        if last is None or last.by_plan:
            if wanted.replaced_by:
                if last is None:
                    self.found.replaced.append(wanted)
                return
            ref = f"{wanted.ref}-{len(chain) + 1}" if chain else wanted.ref
            (self.found.new if ahead else self.found.late).append(wanted._replace(ref=ref, days=ahead))
        elif last.ended is not None:
            self.found.kept.append(last)
        elif wanted.replaced_by:
            self.found.off.append(CalledOff(last, f"replaced by {wanted.replaced_by}", wanted.replaced_by))
        elif self._may_stay(last, wanted):
            self.found.kept.append(last)
        elif ahead:
            self.found.moved.append((last, wanted._replace(days=ahead)))
        else:
            self.found.off.append(CalledOff(last, ""))

    def _may_stay(self, call: AgendaCall, wanted: WantedCall) -> bool:
        if call.planned_us is None:  # a call of another system may say no moment
            left = self._ahead & self._month.between(wanted.first, wanted.last)
            return not left or bool(left & wanted.days)
        day = local_time(call.planned_us, self._calendar).date()
        # A call whose day has passed stays, so that operators still make it. Users may choose a day off.
        return day < self._first or day not in self._month.days or bool(wanted.days & self._month.between(day, day))


def replan(
    wanted: Iterable[WantedCall],
    existing: Mapping[tuple[str, str], Sequence[AgendaCall]],
    month: AgendaMonth,
    first: date,
    calendar: ServiceCalendar,
    *,
    off: Iterable[CalledOff] = (),
) -> AgendaChanges:
    """Return what planning has to write.

    ``existing`` has the calls of the month by kind and subject, in order of their opening. ``first`` is the first day
    on which a call may be planned now. ``off`` are calls of the month that are no longer wanted, with the causes.
    """
    sorter = _Sorter(month, first, calendar)
    sorter.found.off.extend(off)
    done = {one.call.duty.id for one in sorter.found.off}
    for one in wanted:
        chain = _chain(one, existing.get((one.kind, one.subject), ()))
        done.update(call.duty.id for call in chain)
        sorter.put(one, chain)
    for calls in existing.values():
        for call in calls:
            if call.duty.id in done:
                continue
            if call.ended:
                sorter.found.kept.append(call)
            else:
                sorter.found.off.append(CalledOff(call, ""))
    return sorter.found


def _chain(wanted: WantedCall, calls: Sequence[AgendaCall]) -> list[AgendaCall]:
    """Return the duties that a wanted call has had, in the order of their references."""
    if wanted.duty:
        return [call for call in calls if call.duty.id == wanted.duty]
    by_ref = {call.duty.ref: call for call in calls}
    found = []
    ref = wanted.ref
    while ref in by_ref:
        found.append(by_ref[ref])
        ref = f"{wanted.ref}-{len(found) + 1}"
    return found


def cause_of(
    call: AgendaCall, home: Home | None, people: Sequence[Person], excluded: frozenset[str], today: date
) -> str:
    """Return why a call is no longer wanted."""
    one = call.duty
    person = next((person for person in people if person.code == one.subject), None)
    if home is None or (one.kind in PLANNED_KINDS and one.kind != FOLLOW_UP and person is None):
        return "no longer registered"
    active, suspended = person.periods(home) if person else (home.active, home.suspended)
    days = [today + timedelta(days=ahead) for ahead in range(31)]
    if not any(period.covers(day) for period in active for day in days[:1]):
        return LEFT
    if any(period.covers(day) for period in suspended for day in days):
        return SUSPENDED
    if one.kind == FOLLOW_UP and any(period.covers(day) for period in fortnightly(people, excluded) for day in days):
        return PROGRAMME
    return "not due at the present support level"


def left_on(active: Iterable[Period], day: date) -> date | None:
    """Return the last day of service before a day; None if that day is one, and if there is none before it."""
    lasts = [period.until for period in active if period.since <= day]
    ended = [until for until in lasts if until is not None and until < day]
    return max(ended, default=None) if len(ended) == len(lasts) else None
