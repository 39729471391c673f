"""Opens the duties that follow from the plan, from the upkeep that is due, and from the homes that left or stay.

Doing it again opens nothing twice. It also ends what the registry knows to be over by other ways than the commands
about devices, such as an import: those commands end a duty in their own transaction (``tasks.duties.equipment``).
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.devices import Place
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.calendar import add_months
from vetlla.service.duties.columns import details_text
from vetlla.service.duties.grouping import group
from vetlla.service.inventory.movements import name
from vetlla.service.inventory.upkeep import attended, intervals, upkeep_due
from vetlla.service.visits import planned
from vetlla.service.visits.visit import OF_DEVICES, VisitPurpose, details_of
from vetlla.store.duties import events as store
from vetlla.store.homes import queries as home_store
from vetlla.store.inventory import queries as inventory
from vetlla.store.renewals import plan as plans
from vetlla.tasks.duties.index import keep_index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vetlla.domain.devices import DeviceRecord
    from vetlla.domain.duties import Duty
    from vetlla.domain.homes import Home
    from vetlla.service.visits.planned import WantedDuty
    from vetlla.tasks.duties.desk import DutyDesk, OpenBook

PURPOSES: Final = (VisitPurpose.RENEWAL, VisitPurpose.MAINTENANCE, VisitPurpose.REMOVAL, VisitPurpose.FOLLOW_UP_VISIT)
"""What duties are made of here; a fault is detected, and an installation is requested."""
HORIZON_MONTHS: Final = 12
"""How far ahead duties are made if there is no plan: a year, as far as a service plans its visits."""


class MadeDuties(NamedTuple):
    """How many duties were opened, were there already, and were ended because the registry knows that they are over."""

    until: date
    opened: Counter[str]
    known: Counter[str]
    ended: Counter[str]


class _Known(NamedTuple):
    """What the registry says today."""

    today: date
    last: date
    """Last day for which duties are made."""
    homes: Mapping[str, Home]
    in_homes: Mapping[str, DeviceRecord]
    """By name, the devices that are in a home."""
    equipped: frozenset[str]
    """Codes of the homes with equipment."""


def from_plan(
    desk: DutyDesk,
    today: date,
    *,
    by: str,
    purposes: Collection[VisitPurpose] = PURPOSES,
    until: date | None = None,
) -> MadeDuties:
    """Open the duties whose day is up to ``until``, by default the last day of the plan, or a year ahead without one.

    Raises UsageError for a day that is past.
    """
    if until is not None and until < today:
        raise UsageError(f"{until} is past", remedy="give a later day with --to")
    with desk.writing(large=True) as book:
        connection = book.connection
        span = plans.planned_span(connection)
        last = until or (max(span[1], today) if span else add_months(today, HORIZON_MONTHS))
        devices = [kept for kept in inventory.fleet(connection) if kept.standing.place is Place.HOME]
        known = _Known(
            today,
            last,
            home_store.homes(connection),
            {name(kept.device): kept for kept in devices},
            frozenset(kept.standing.home for kept in devices),
        )
        made = MadeDuties(last, Counter(), Counter(), Counter())
        events = [
            event._replace(by=by)
            for purpose in PURPOSES
            if purpose in purposes
            for event in _Maker(book, known, purpose, made).events()
        ]
        store.add_all(connection, events, desk.source, book.now_us)
        keep_index(connection, desk.rules, [(event.kind, event.subject) for event in events])
        return made


class _Maker:
    """Makes the events of one purpose."""

    def __init__(self, book: OpenBook, known: _Known, purpose: VisitPurpose, made: MadeDuties) -> None:
        self._book = book
        self._known = known
        self._purpose = purpose
        self._made = made
        self._kind = book.rules.kinds.kind(purpose)
        over = {*self._kind.ends, *self._kind.cancels}
        self._duties: dict[str, list[Duty]] = {
            subject: group(self._kind, events).duties
            for _, subject, events in store.by_subject(book.connection, [purpose])
        }
        self._open = [
            duty
            for found in self._duties.values()
            for duty in found
            if not any(event.told.event in over for event in duty.events)
        ]

    def events(self) -> Iterator[NewEvent]:
        """Yield the events that open and end duties, and count them."""
        by_people = {duty.subject for duty in self._open if "work" not in details_of(duty)}
        asked: dict[tuple[str, str], WantedDuty] = {}
        for one in self._wanted():
            asked[one.subject, one.work] = one
            refs = {duty.ref for duty in self._duties.get(one.subject, ())}
            if one.ref in refs or one.subject in by_people:
                self._made.known[self._purpose] += 1
            else:
                self._made.opened[self._purpose] += 1
                yield self._opening(one)
        for duty in self._open:
            if end := self._end_of(duty, asked):
                self._made.ended[self._purpose] += 1
                yield end._replace(kind=self._purpose, subject=duty.subject, ref=duty.ref, duty=duty.id)

    def _wanted(self) -> Iterator[WantedDuty]:
        known, connection = self._known, self._book.connection
        values = self._book.rules.parameters.on(known.today)
        match self._purpose:
            case VisitPurpose.RENEWAL:
                names = {kept.id: device for device, kept in known.in_homes.items()}
                yield from planned.renewals(plans.visits(connection), names, known.last)
            case VisitPurpose.MAINTENANCE:
                found = upkeep_due(known.in_homes.values(), intervals(values), known.last)
                yield from planned.upkeep(attended(found, known.homes, known.today))
            case VisitPurpose.REMOVAL:
                yield from planned.removals(known.homes, known.equipped, known.today)
            case VisitPurpose.FOLLOW_UP_VISIT:
                counted = dict(self._counted_from())
                yield from planned.follow_up_visits(known.homes.values(), counted, values, known.today, known.last)

    def _counted_from(self) -> Iterator[tuple[str, date]]:
        """Yield each home with the day of its last follow-up visit, or the day from which the first one was counted."""
        for home, found in self._duties.items():
            done = [event.told.at_us for duty in found for event in duty.events if event.told.event == "done"]
            since = [day for duty in found if (day := details_of(duty).get("since", ""))]
            if done:
                yield home, self._book.rules.calendar.date_of(max(done))
            elif since:
                yield home, date.fromisoformat(max(since))

    def _opening(self, one: WantedDuty) -> NewEvent:
        now_us, end_us = self._book.now_us, self._end_of_day(one.last)
        details = details_text({"work": one.work, "since": one.since})
        if self._purpose is VisitPurpose.REMOVAL:  # it happened when the home left, and promises no time
            return NewEvent(
                self._purpose, one.subject, self._kind.opens, min(end_us, now_us), ref=one.ref, details=details
            )
        return NewEvent(
            self._purpose, one.subject, self._kind.opens, now_us, ref=one.ref, end_us=end_us, details=details
        )

    def _end_of(self, duty: Duty, asked: Mapping[tuple[str, str], WantedDuty]) -> NewEvent | None:
        """Return the event that ends an open duty which the registry knows to be over; None if it is not."""
        now_us = self._book.now_us
        if self._purpose is VisitPurpose.REMOVAL:
            return self._end_of_removal(duty)
        if self._purpose in OF_DEVICES and duty.subject not in self._known.in_homes:
            return NewEvent("", "", "cancelled", now_us, note="the device is in no home")
        details = details_of(duty)
        work = details.get("work", "")  # a duty that a person opened names none, and no plan moves it
        new = asked.get((duty.subject, work)) if work else None
        if new is None or new.ref == duty.ref:
            return None
        if self._purpose is VisitPurpose.MAINTENANCE and new.since != details.get("since", ""):
            at_us = max(self._by_now(date.fromisoformat(new.since)), duty.opened_us)
            return NewEvent("", "", "done", at_us, note=f"{work} on {new.since}")
        return NewEvent("", "", "cancelled", now_us, note=f"its day is another one: {new.ref}")

    def _end_of_removal(self, duty: Duty) -> NewEvent | None:
        home, calendar = self._known.homes.get(duty.subject), self._book.rules.calendar
        back = home.attended_after(calendar.date_of(duty.opened_us)) if home else None
        if back is not None and back <= self._known.today:
            # From that day on nothing was owed, and nothing at all if the day of leaving was corrected.
            at_us = max(duty.opened_us, calendar.begin_of(back.toordinal()))
            return NewEvent("", "", "cancelled", at_us, note=f"the home is attended again from {back}")
        if duty.subject in self._known.equipped:
            return None
        day = inventory.emptied(self._book.connection, duty.subject)
        at_us = self._book.now_us if day is None else self._by_now(day)
        return NewEvent("", "", "recovered", max(at_us, duty.opened_us), note="no equipment is left")

    def _by_now(self, day: date) -> int:
        """Return the last moment of a day, or now if that is earlier."""
        return min(self._book.now_us, self._end_of_day(day))

    def _end_of_day(self, day: date) -> int:
        return self._book.rules.calendar.end_of(day.toordinal())
