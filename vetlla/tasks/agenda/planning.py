"""Plans the calls of a month and writes them as duties; planning again writes only what has changed since."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import iso
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.agenda.call import PLANNED_KINDS
from vetlla.service.agenda.elsewhere import Elsewhere
from vetlla.service.agenda.moments import local_time, moments
from vetlla.service.agenda.month import agenda_month
from vetlla.service.agenda.replanning import LEFT, CalledOff, cause_of, left_on, replan
from vetlla.service.agenda.wanted import FOLLOW_UP, OWN_FOLLOW_UPS, WantedCalls
from vetlla.service.calendar import add_months
from vetlla.service.duties.columns import details_text
from vetlla.store.agenda import calls as store
from vetlla.store.duties import events
from vetlla.store.homes import queries as registered
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.agenda.joined import welcome
from vetlla.tasks.agenda.reading import AHEAD, calls_around, figures_on, is_in, month_us
from vetlla.tasks.duties import book
from vetlla.tasks.duties.index import keep_index

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.homes import Home, Period, Person
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.agenda.figures import AgendaFigures
    from vetlla.service.agenda.month import AgendaMonth
    from vetlla.service.agenda.replanning import AgendaChanges
    from vetlla.service.agenda.wanted import WantedCall
    from vetlla.service.duties.terms import DutyRules

SOURCE: Final = "vetlla agenda plan"
EMERGENCIES: Final = ("umo_1", "umo_2")
_MADE: Final = frozenset({"answered", "unanswered"})
_ENDED: Final = "its time has ended"


class PlannedMonth(NamedTuple):
    """What planning a month has done."""

    month: AgendaMonth
    new: Counter[tuple[str, int]]
    """Calls that are new, by kind and support level."""
    replaced: int
    """Follow-ups that are new, and whose place a revaluation takes."""
    moved: int
    off: Counter[str]
    """Calls that were called off, by cause."""
    late: Sequence[WantedCall]
    """Calls that could not be planned, because no working day is left for them."""
    kept: int
    joined: int
    """Duties that were opened for people who joined."""
    load: Mapping[date, int]
    """Calls of each working day of the month, those of before included."""


def plan(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    first: date,
    *,
    by: str,
    at_us: int | None = None,
    dry_run: bool = False,
) -> PlannedMonth:
    """Plan the month with this first day, as of now or of an earlier time, in one change of the registry.

    Raises UsageError for a month that is over or too far ahead.
    """
    now_us = clock.now().utc_us
    planner = _Planner(rules, first, now_us if at_us is None else at_us, now_us, by)
    with snapshot(state_dir, clock) as connection:
        is_large = not planner.is_planned(connection)
    with transaction(state_dir, clock, dry_run=dry_run, large=is_large) as connection:
        return planner.plan(connection)


class _Planner:
    def __init__(self, rules: DutyRules, first: date, at_us: int, now_us: int, by: str) -> None:
        self._rules = rules
        self._at_us = at_us
        self._now_us = now_us
        self._blank = NewEvent("", "", "", at_us, by=by)
        self._month = agenda_month(first, rules.calendar)
        self._today = rules.calendar.date_of(at_us)
        if at_us > now_us:
            raise UsageError("that lies in the future", remedy="correct --at, or leave it out to plan now")
        if self._today > self._month.last:
            raise UsageError(
                f"{self._month.name} is over",
                remedy="plan a month before it ends; --at says when, for one that was planned elsewhere",
            )
        if self._today < add_months(first, -AHEAD):
            raise UsageError(
                f"{self._month.name} is more than {AHEAD} months ahead", remedy="who joins and leaves is not known yet"
            )
        self._figures = figures_on(rules, max(first, self._today))

    def is_planned(self, connection: sqlite3.Connection) -> bool:
        """Return True if the month has calls."""
        since_us = self._rules.calendar.begin_of(add_months(self._month.first, -AHEAD).toordinal())
        begin, end = month_us(self._rules, self._month)
        return any(
            begin <= (one.told.begin_us or 0) <= end for one in events.since(connection, PLANNED_KINDS, since_us)
        )

    def plan(self, connection: sqlite3.Connection) -> PlannedMonth:
        """Write what the month needs; return what was done. Raises UsageError for a time before the last planning."""
        planned = store.planned_span(connection, FOLLOW_UP, OWN_FOLLOW_UPS)
        if planned and self._at_us <= planned[1]:
            raise UsageError("the agenda was planned later than that", remedy="leave out --at")
        day = max(self._today, self._month.first)
        homes = registered.homes(connection, day=day)
        people = registered.people(connection, day=day)
        emergencies = _emergencies(connection, self._rules, self._month, self._figures)
        calendar, excluded = self._rules.calendar, self._figures.excluded
        needed = WantedCalls(self._figures, self._month, calendar, emergencies).of(homes, people)
        old, existing = self._existing(connection)
        wanted, gone = Elsewhere(homes, people, excluded, self._month, calendar).adopt(needed, existing)
        first = self._first_day()
        found = replan(wanted, existing, self._month, first, calendar, off=gone)
        off = [*self._causes(found.off, homes, people), *(self._unmade(call, homes.get(call.home)) for call in old)]
        placed = [*found.new, *(one for _, one in found.moved)]
        staying = [*_staying(found.kept, self._at_us)]
        when = moments(placed, self._month, self._figures, self._rules.calendar, first=first, held_us=staying)
        # Before the new calls are written, because the last planning before this one counts.
        joined = welcome(connection, self._rules, homes, people, today=self._today, blank=self._blank)
        written = [*self._events(found, off, when), *joined]
        events.add_all(connection, written, SOURCE, self._now_us)
        keep_index(connection, self._rules, {(one.kind, one.subject) for one in written})
        return PlannedMonth(
            self._month,
            Counter((one.kind, one.level) for one in found.new),
            len(found.replaced),
            len(found.moved),
            Counter("replaced by a revaluation" if one.instead else one.cause for one in off),
            found.late,
            len(found.kept),
            sum(one.event == "joined" for one in joined),
            self._load(found.kept, when),
        )

    def _load(self, kept: Sequence[AgendaCall], when: Sequence[int]) -> dict[date, int]:
        """Return the calls of each working day."""
        stay = (
            one.planned_us
            for one in kept
            if one.planned_us is not None and (one.ended is None or one.ended.told.event in _MADE)
        )
        load = Counter(local_time(moment_us, self._rules.calendar).date() for moment_us in (*stay, *when))
        return {day: load[day] for day in self._month.days}

    def _existing(
        self, connection: sqlite3.Connection
    ) -> tuple[list[AgendaCall], dict[tuple[str, str], list[AgendaCall]]]:
        """Return the open follow-ups of earlier months whose time has ended, and the calls of this month."""
        old: list[AgendaCall] = []
        found: defaultdict[tuple[str, str], list[AgendaCall]] = defaultdict(list)
        begin, _ = month_us(self._rules, self._month)
        for call in calls_around(connection, self._rules, self._figures, self._month):
            if is_in(call, self._rules, self._month):
                found[call.duty.kind, call.duty.subject].append(call)
            elif (
                call.duty.kind == FOLLOW_UP
                and call.ended is None
                and call.last_us is not None
                and call.last_us < min(begin, self._at_us)
            ):
                old.append(call)
        return old, dict(found)

    def _first_day(self) -> date:
        """Return the first day on which calls may be planned: today only before operators begin to call."""
        if self._today < self._month.first:
            return self._month.first
        at = local_time(self._at_us, self._rules.calendar)
        cells = self._figures.hours[at.weekday()] if at.weekday() < len(self._figures.hours) else ()
        has_begun = not cells or at.hour * 60 + at.minute >= cells[0].begin
        return self._today + timedelta(days=has_begun)

    def _causes(
        self, off: Sequence[CalledOff], homes: Mapping[str, Home], people: Sequence[Person]
    ) -> Iterator[CalledOff]:
        living: defaultdict[str, list[Person]] = defaultdict(list)
        homes_of: dict[str, str] = {}
        for person in people if off else ():
            living[person.home].append(person)
            homes_of[person.code] = person.home
        today = max(self._today, self._month.first)
        for one in off:
            # A call of another system about a person does not say the home.
            code = one.call.home if one.call.home in homes else homes_of.get(one.call.duty.subject, one.call.home)
            home = homes.get(code)
            cause = one.cause or cause_of(one.call, home, living[code], self._figures.excluded, today)
            at_us = None
            if cause == LEFT and home is not None:
                subject = next((p for p in living[home.code] if p.code == one.call.duty.subject), None)
                at_us = self._left_us(one.call, subject.periods(home)[0] if subject else home.active)
            yield one._replace(cause=cause, at_us=at_us)

    def _unmade(self, call: AgendaCall, home: Home | None) -> CalledOff:
        """Return a follow-up of an earlier month that was never made: its home may have left before it was due."""
        left_us = self._left_us(call, home.active) if home else None
        return CalledOff(call, _ENDED) if left_us is None else CalledOff(call, LEFT, at_us=left_us)

    def _left_us(self, call: AgendaCall, active: Sequence[Period]) -> int | None:
        """Return when the service ended before a call was due; None if it went on until then.

        What was planned after that end was never owed, so that it ends as it begins.
        """
        calendar = self._rules.calendar
        due = self._today if call.last_us is None else min(self._today, calendar.date_of(call.last_us))
        left = left_on(active, due)
        return None if left is None else max(call.duty.opened_us, calendar.end_of(left.toordinal()))

    def _events(self, found: AgendaChanges, off: Sequence[CalledOff], when: Sequence[int]) -> Iterator[NewEvent]:
        for wanted, moment_us in zip(found.new, when, strict=False):
            yield self._opening(wanted, iso(moment_us))
        for wanted in found.replaced:
            opening = self._opening(wanted, "")
            yield opening
            note = f"replaced by {wanted.replaced_by}"
            yield opening._replace(
                event="replaced", note=note, details=details_text({"cause": note}), begin_us=None, end_us=None
            )
        for (call, _), moment_us in zip(found.moved, when[len(found.new) :], strict=True):
            day = self._rules.calendar.date_of(call.planned_us or 0)
            note = f"planned again: the home cannot be called on {day}"
            yield _about(call, self._blank)._replace(
                event="postponed", note=note, details=details_text({"planned": iso(moment_us)})
            )
        for gone in off:
            event = "replaced" if gone.instead else "cancelled"
            details = details_text({"cause": gone.cause})
            told = _about(gone.call, self._blank)._replace(event=event, note=gone.cause, details=details)
            yield told if gone.at_us is None else told._replace(at_us=gone.at_us)

    def _opening(self, wanted: WantedCall, moment: str) -> NewEvent:
        return self._blank._replace(
            kind=wanted.kind,
            subject=wanted.subject,
            event="planned",
            ref=wanted.ref,
            details=details_text({"home": wanted.home, "level": str(wanted.level), "planned": moment}),
            begin_us=self._rules.calendar.begin_of(wanted.first.toordinal()),
            end_us=self._rules.calendar.end_of(wanted.last.toordinal()),
        )


def _about(call: AgendaCall, event: NewEvent) -> NewEvent:
    """Return an event about a call that is planned already."""
    duty = call.duty
    return event._replace(kind=duty.kind, subject=duty.subject, ref=duty.ref, duty=duty.id)


def _staying(kept: Sequence[AgendaCall], at_us: int) -> Iterator[tuple[str, int]]:
    """Yield home and moment of the calls that stay, for the spacing and the load of each day."""
    for call in kept:
        if call.ended is not None and call.ended.told.event == "answered":
            yield call.home, call.ended.told.at_us
        elif call.ended is None and call.planned_us is not None and call.planned_us >= at_us:
            yield call.home, call.planned_us


def _emergencies(
    connection: sqlite3.Connection, rules: DutyRules, month: AgendaMonth, figures: AgendaFigures
) -> frozenset[str]:
    """Return the homes for which an emergency unit was called out in the months before, and not called off."""
    begin = rules.calendar.begin_of(add_months(month.first, -figures.emergency_within).toordinal())
    end = rules.calendar.begin_of(month.first.toordinal())
    return frozenset(
        home
        for kind in EMERGENCIES
        if rules.kinds.find(kind)
        for home in events.subjects(connection, kind, begin, end)
        if any(
            begin <= duty.opened_us < end
            and not any(event.told.event in rules.kinds.kind(kind).cancels for event in duty.events)
            for duty in book.duties_of(connection, rules, kind, home)
        )
    )
