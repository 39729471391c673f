"""Opens the duties towards people who joined: familiarisation calls, and calls to their contacts (ANS 4)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import iso
from vetlla.domain.duties import standing_events
from vetlla.service.agenda.call import CONTACT, FAMILIARISATION, NEW_KINDS
from vetlla.service.agenda.replanning import LEFT
from vetlla.service.agenda.wanted import FOLLOW_UP, OWN_FOLLOW_UPS, joining
from vetlla.service.duties.columns import details_text
from vetlla.store.agenda import calls as store
from vetlla.store.duties import events, index
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vetlla.domain.duties import DutyEvent, NewEvent
    from vetlla.domain.homes import Home, Period, Person
    from vetlla.service.duties.terms import DutyRules

_REFS: Final = {FAMILIARISATION: "FA", CONTACT: "CC"}


def welcome(
    connection: sqlite3.Connection,
    rules: DutyRules,
    homes: Mapping[str, Home],
    people: Sequence[Person],
    *,
    today: date,
    blank: NewEvent,
) -> list[NewEvent]:
    """Return the events for people who joined since the very first planning, and for those who have left again.

    Each person gets them once, and not if another system or a person opened them on that day or later. The clocks begin
    on the day of joining, so those of a person who is registered too late have run out at once, unless the person had
    left in time. Who joined before the day of the first planning is left out, because others had that work.
    ``blank`` has when and by which user the month is planned.
    """
    kinds = [kind for kind in NEW_KINDS if rules.kinds.find(kind)]
    planned = store.planned_span(connection, FOLLOW_UP, OWN_FOLLOW_UPS)
    began = rules.calendar.date_of(planned[0] if planned else blank.at_us)
    began_us = rules.calendar.begin_of(began.toordinal())
    recorded = list(events.since(connection, kinds, began_us))
    known = {(one.told.kind, one.told.ref) for one in recorded}
    elsewhere = _opened_elsewhere(recorded, rules)
    found: list[NewEvent] = []
    for person, day in joining(homes, people, began, today):
        for kind in kinds:
            ref = f"{_REFS[kind]}-{day}-{person.code}"
            begin_us = rules.calendar.begin_of(day.toordinal())
            if (kind, ref) not in known and elsewhere.get((kind, person.code), -1) < begin_us:
                details = {"home": person.home, "level": str(homes[person.home].level), "planned": iso(begin_us)}
                opening = blank._replace(kind=kind, subject=person.code, event="joined", at_us=begin_us, ref=ref)
                found.append(opening._replace(details=details_text(details)))
    stays = _Stays(homes, people, today)
    owed = [*found, *_owed(connection, rules, kinds, stays, blank)]
    return [*found, *_called_off(owed, rules, stays, blank)]


def _opened_elsewhere(recorded: Iterable[DutyEvent], rules: DutyRules) -> dict[tuple[str, str], int]:
    """Return when another system or a person last opened these duties, by kind and code of the person."""
    found: dict[tuple[str, str], int] = {}
    for one in standing_events(recorded):
        told = one.told
        is_own = told.ref.startswith(f"{_REFS[told.kind]}-") and told.ref.endswith(f"-{told.subject}")
        if told.event == rules.kinds.kind(told.kind).opens and not is_own:
            found[told.kind, told.subject] = max(told.at_us, found.get((told.kind, told.subject), told.at_us))
    return found


def _owed(
    connection: sqlite3.Connection, rules: DutyRules, kinds: Sequence[str], stays: _Stays, blank: NewEvent
) -> Iterator[NewEvent]:
    """Yield an event at the opening of each duty that is open towards a person who has left, for good or for a time."""
    for kind in kinds:
        for one in index.all_open(connection, kind):
            if stays.has_left(one.subject):
                duty = book.duty_of(connection, rules, one.duty)
                yield blank._replace(kind=kind, subject=duty.subject, at_us=duty.opened_us, ref=duty.ref, duty=duty.id)


def _called_off(owed: Iterable[NewEvent], rules: DutyRules, stays: _Stays, blank: NewEvent) -> Iterator[NewEvent]:
    """Yield the end of each duty that was opened in a stay which is over.

    It has the time at which the last day of the stay ended: what was due later was not owed any longer, and a limit
    that had run out before stays a breach. A person without such a day, such as one who was erased, leaves at the
    planning.
    """
    for told in owed:
        last = stays.last(told.subject, rules.calendar.date_of(told.at_us))
        if last is not None or not stays.is_served(told.subject):
            at_us = blank.at_us if last is None else rules.calendar.end_of(last.toordinal())
            details = details_text({"cause": LEFT})
            yield told._replace(event="cancelled", at_us=at_us, note=LEFT, details=details)


class _Stays:
    """When people were in the service."""

    def __init__(self, homes: Mapping[str, Home], people: Iterable[Person], today: date) -> None:
        self._homes = homes
        self._people = {person.code: person for person in people}
        self._today = today

    def is_served(self, code: str) -> bool:
        """Return True if a person is in the service today."""
        return any(period.covers(self._today) for period in self._active(code))

    def has_left(self, code: str) -> bool:
        """Return True if a person is out of the service, or was once."""
        ended = any(period.until is not None and period.until < self._today for period in self._active(code))
        return ended or not self.is_served(code)

    def last(self, code: str, opened: date) -> date | None:
        """Return the last day of the stay in which a duty was opened; None if it goes on, or if there is none."""
        last: date | None = None
        for period in sorted(self._active(code), key=lambda period: period.since):
            if period.covers(opened if last is None else last + timedelta(days=1)):
                if period.until is None:
                    return None
                last = period.until
        return last if last is not None and last < self._today else None

    def _active(self, code: str) -> Sequence[Period]:
        person = self._people.get(code)
        home = self._homes.get(person.home) if person else None
        return person.periods(home)[0] if person and home else ()
