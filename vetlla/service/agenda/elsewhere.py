"""Calls that planning did not open: another system planned them and a file brought them, or a person opened them.

Such a call counts as one of those that the month needs if their times overlap, and planning opens none beside it. It is
called off only if its subject cannot be called on any day of its time, or if a revaluation takes its place.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.agenda.replanning import LEFT, PROGRAMME, SUSPENDED, CalledOff
from vetlla.service.agenda.wanted import FOLLOW_UP, WantedCall, fortnightly, is_own_ref

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from vetlla.domain.homes import Home, Period, Person
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.agenda.month import AgendaMonth
    from vetlla.service.duties.calendar import ServiceCalendar

ELSEWHERE: Final = "another call for that time is on record"
"""Cause of a planned call that is called off because a call that planning did not open takes its place."""
_MADE: Final = frozenset({"answered", "unanswered"})
_OFF: Final = "called off"


class Adoption(NamedTuple):
    """The wanted calls with those of elsewhere among them, and the calls that are off because of that."""

    wanted: list[WantedCall]
    off: list[CalledOff]


class Elsewhere:
    """Finds the calls of a month that planning did not open, and what they stand for."""

    def __init__(
        self, homes: Mapping[str, Home], people: Iterable[Person], excluded: Collection[str], month: AgendaMonth,
        calendar: ServiceCalendar,
    ) -> None:  # fmt: skip
        """Take the homes and people of the month, and the programmes whose homes get no follow-up."""
        self._homes = homes
        self._people = {person.code: person for person in people}
        self._living: dict[str, list[Person]] = {}
        for person in self._people.values():
            self._living.setdefault(person.home, []).append(person)
        self._excluded = excluded
        self._month = month
        self._calendar = calendar

    def adopt(self, wanted: Iterable[WantedCall], existing: Mapping[tuple[str, str], Sequence[AgendaCall]]) -> Adoption:
        """Return the wanted calls with each open or ended call of elsewhere in the place of one, or beside them."""
        by_subject: dict[tuple[str, str], list[WantedCall]] = {}
        for one in wanted:
            by_subject.setdefault((one.kind, one.subject), []).append(one)
        found = Adoption([], [])
        names: dict[str, str] = {}
        for (kind, subject), calls in existing.items():
            for call in sorted(filter(self._is_foreign, calls), key=_order):
                free = by_subject.setdefault((kind, subject), [])
                adopted = self._adopted(call)
                if adopted is None:
                    found.off.append(CalledOff(call, self._obstacle(call)))
                    continue
                instead, own = self._place_for(call, free, calls)
                if instead is not None:
                    free.remove(instead)
                    adopted = adopted._replace(replaced_by=instead.replaced_by)
                    names[instead.ref] = call.duty.ref or f"{kind} {call.duty.id}"
                if own is not None:
                    found.off.append(CalledOff(own, ELSEWHERE))
                found.wanted.append(adopted)
        every = [*(one for some in by_subject.values() for one in some), *found.wanted]
        return Adoption(
            [one._replace(replaced_by=names.get(one.replaced_by, one.replaced_by)) for one in every], found.off
        )

    def _is_foreign(self, call: AgendaCall) -> bool:
        one = call.duty
        return not call.by_plan and not is_own_ref(one.kind, one.subject, self._month, one.ref)

    def _place_for(
        self, call: AgendaCall, free: Sequence[WantedCall], calls: Sequence[AgendaCall]
    ) -> tuple[WantedCall | None, AgendaCall | None]:
        """Return the wanted call that this one stands for, and its planned call that is then off; None for none."""
        first, last = self._time(call)
        at = self._calendar.date_of(call.first_us if call.planned_us is None else call.planned_us)
        fits = [one for one in free if one.first <= last and first <= one.last]
        for one in sorted(fits, key=lambda one: (bool(one.replaced_by), not one.first <= at <= one.last, one.ref)):
            own = next((c for c in reversed(calls) if c.duty.ref == one.ref or _is_again(c.duty.ref, one.ref)), None)
            if own is None or own.by_plan:
                return one, None
            is_untouched = own.ended is None and not own.waits and not own.holder
            if is_untouched and _state(call) != _OFF:
                return one, own
        return None, None

    def _adopted(self, call: AgendaCall) -> WantedCall | None:
        """Return the call as a wanted one; None if it is open and can be made on no day of its time."""
        if call.ended is None and self._obstacle(call):
            return None
        first, last = self._time(call)
        home, times = self._times(call)
        days = self._month.days_of(*times) & self._month.between(first, last) if times else 0
        return WantedCall(
            call.duty.kind, call.duty.subject, home.code if home else call.home, call.duty.ref,
            home.level if home else 0, first, last, days, 0.0, duty=call.duty.id,
        )  # fmt: skip

    def _obstacle(self, call: AgendaCall) -> str:
        """Return why a call can be made on no day of its time; empty if there is a day."""
        _, times = self._times(call)
        if times is None:
            return "no longer registered"
        active, suspended, out = times
        days = [day for day in self._days(call) if any(one.covers(day) for one in active)]
        for periods, cause in (((), LEFT), (suspended, SUSPENDED), (out, PROGRAMME)):
            days = [day for day in days if not any(one.covers(day) for one in periods)]
            if not days:
                return cause
        return ""

    def _days(self, call: AgendaCall) -> Iterator[date]:
        first, last = self._time(call)
        for ahead in range((last - first).days + 1):
            yield first + timedelta(days=ahead)

    def _time(self, call: AgendaCall) -> tuple[date, date]:
        """Return the first and the last day of a call's time; it has the whole month if it promises no end."""
        first = self._calendar.date_of(call.first_us)
        return first, self._month.last if call.last_us is None else self._calendar.date_of(call.last_us)

    def _times(
        self, call: AgendaCall
    ) -> tuple[Home | None, tuple[Sequence[Period], Sequence[Period], Sequence[Period]] | None]:
        """Return the home of a call, and its active, suspended and excluded periods; None if it is not registered."""
        person = None if call.duty.kind == FOLLOW_UP else self._people.get(call.duty.subject)
        home = self._homes.get(person.home if person else call.home)
        if home is None:
            return None, None
        if person is not None:
            return home, (*person.periods(home), ())
        return home, (home.active, home.suspended, fortnightly(self._living.get(home.code, ()), self._excluded))


def _is_again(ref: str, first: str) -> bool:
    """Return True for the reference of a call that was planned again."""
    return ref.startswith(f"{first}-") and ref.removeprefix(f"{first}-").isdecimal()


def _state(call: AgendaCall) -> str:
    if call.ended is None:
        return "open"
    return "made" if call.ended.told.event in _MADE else _OFF


def _order(call: AgendaCall) -> tuple[int, int, int]:
    """Return the order in which calls take their places: those that were made first, those that are off last."""
    return ("made", "open", _OFF).index(_state(call)), call.first_us, call.duty.id
