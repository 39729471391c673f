"""Opens the duties towards people who joined: familiarisation calls, and calls to their contacts (ANS 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import iso
from vetlla.service.agenda.call import CONTACT, FAMILIARISATION, NEW_KINDS
from vetlla.service.agenda.wanted import FOLLOW_UP, joining
from vetlla.service.duties.columns import details_text
from vetlla.store.agenda import calls as store
from vetlla.store.duties import events, index
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import date

    from vetlla.domain.duties import NewEvent
    from vetlla.domain.homes import Home, Person
    from vetlla.service.duties.terms import DutyRules

_LEFT: Final = "not in the service"
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

    Each person gets them once. The clocks begin on the day of joining, so those of a person who is registered too late
    have run out at once. Who joined before the day of the first planning is left out, because others had that work.
    ``blank`` has when and by which user the month is planned.
    """
    kinds = [kind for kind in NEW_KINDS if rules.kinds.find(kind)]
    planned = store.planned_span(connection, FOLLOW_UP)
    began = rules.calendar.date_of(planned[0] if planned else blank.at_us)
    began_us = rules.calendar.begin_of(began.toordinal())
    known = {(one.told.kind, one.told.ref) for one in events.since(connection, kinds, began_us)}
    found: list[NewEvent] = []
    for person, day in joining(homes, people, began, today):
        for kind in kinds:
            ref = f"{_REFS[kind]}-{day}-{person.code}"
            if (kind, ref) not in known:
                begin_us = rules.calendar.begin_of(day.toordinal())
                details = {"home": person.home, "level": str(homes[person.home].level), "planned": iso(begin_us)}
                opening = blank._replace(kind=kind, subject=person.code, event="joined", at_us=begin_us, ref=ref)
                found.append(opening._replace(details=details_text(details)))
    by_code = {person.code: person for person in people}
    for kind in kinds:
        for one in index.all_open(connection, kind):
            person_left = by_code.get(one.subject)
            if person_left is None or not _is_served(person_left, homes, today):
                ref = book.duty_of(connection, rules, one.duty).ref
                gone = blank._replace(kind=kind, subject=one.subject, event="cancelled", ref=ref, duty=one.duty)
                found.append(gone._replace(note=_LEFT, details=details_text({"cause": _LEFT})))
    return found


def _is_served(person: Person, homes: Mapping[str, Home], day: date) -> bool:
    home = homes.get(person.home)
    return home is not None and any(period.covers(day) for period in person.periods(home)[0])
