"""Looks up duties: by filters, by what is due, and with the events that were taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import standing_events, withdrawn_numbers
from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import standing
from vetlla.store.duties import events as store
from vetlla.tasks.duties import index
from vetlla.tasks.duties.book import duties_of, is_withdrawn

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from vetlla.domain.duties import Duty, DutyEvent, DutyVerdict
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules


class Wanted(NamedTuple):
    """Which duties are looked for; an empty filter leaves out none."""

    kinds: Sequence[str] = ()
    subject: str = ""
    verdict: DutyVerdict | None = None
    ans: int | None = None
    since_us: int = 0
    """Opened at this time or later."""
    until_us: int = store.LATEST
    """Opened before this time."""
    is_open: bool = False
    """Only those that no event has ended."""
    ref: str = ""
    """The number of the duty in the system that it comes from."""


class WithdrawnDuty(NamedTuple):
    """A duty whose opening was taken back, so that it is none."""

    duty: Duty
    """As it would be: its opening, and the events that name it and stand."""
    taken: DutyEvent
    """The withdrawal of its opening."""


def found(connection: sqlite3.Connection, rules: DutyRules, wanted: Wanted, now_us: int) -> Iterator[Standing]:
    """Yield the wanted duties with their standing: by kind, subject and opening."""
    kinds = [
        name
        for name in rules.kinds.chosen(wanted.kinds)
        if wanted.ans is None or rules.kinds.kind(name).ans == wanted.ans
    ]
    for duty in _duties(connection, rules, kinds, wanted):
        if not wanted.since_us <= duty.opened_us < wanted.until_us or wanted.ref not in {"", duty.ref}:
            continue
        one = standing(duty, rules, now_us)
        if wanted.verdict in {None, one.verdict} and (one.is_open or not wanted.is_open):
            yield one


def _duties(connection: sqlite3.Connection, rules: DutyRules, kinds: Sequence[str], wanted: Wanted) -> Iterator[Duty]:
    if wanted.subject or wanted.since_us or wanted.until_us < store.LATEST:
        for kind in kinds:
            described = rules.kinds.kind(kind)
            subjects = (
                [wanted.subject]
                if wanted.subject
                else store.subjects(connection, kind, wanted.since_us, wanted.until_us)
            )
            for subject in subjects:
                yield from group(described, store.of_subject(connection, kind, subject)).duties
        return
    if wanted.is_open:
        for kind in kinds:
            yield from _open(connection, rules, kind)
        return
    for kind, _, events in store.by_subject(connection, kinds):
        yield from group(rules.kinds.kind(kind), events).duties


def _open(connection: sqlite3.Connection, rules: DutyRules, kind: str) -> Iterator[Duty]:
    """Yield the open duties of a kind; all of its duties if the index is of other rules."""
    subjects = index.open_subjects(connection, rules, kind)
    described = rules.kinds.kind(kind)
    if subjects is None:
        for _, _, events in store.by_subject(connection, [kind]):
            yield from group(described, events).duties
        return
    for subject, numbers in subjects.items():
        duties = group(described, store.of_subject(connection, kind, subject)).duties
        yield from (one for one in duties if one.id in numbers)


def due(
    connection: sqlite3.Connection, rules: DutyRules, kinds: Sequence[str], before_us: int, now_us: int
) -> Iterator[Standing]:
    """Yield the undecided duties whose clock runs out before a time or has run out, the first one first.

    Raises UsageError for an unknown kind.
    """
    found: dict[int, Duty] = {}
    """The duties of the subjects that were read: a subject may have many, and is read once."""
    for row in index.due(connection, rules, before_us, kinds):
        if row.duty not in found:
            found |= {duty.id: duty for duty in duties_of(connection, rules, row.kind, row.subject)}
        yield standing(found.pop(row.duty), rules, now_us)


def count_due(connection: sqlite3.Connection, rules: DutyRules, kinds: Sequence[str], before_us: int) -> int:
    """Return how many duties ``due`` yields."""
    return index.count_due(connection, rules, before_us, kinds)


def loose(connection: sqlite3.Connection, rules: DutyRules) -> list[DutyEvent]:
    """Return the events that belong to no duty, in the order of recording."""
    events = (store.event(connection, row.event) for row in index.loose(connection, rules))
    return [event for event in events if event]


def withdrawn(connection: sqlite3.Connection, rules: DutyRules, duty: Duty) -> list[DutyEvent]:
    """Return the events of a duty that were taken back, and every withdrawal of its events, as they were recorded."""
    events = store.of_subject(connection, duty.kind, duty.subject)
    gone = withdrawn_numbers(events)
    if not gone:
        return []
    stay = standing_events(events)
    taken = {one.id for one in events if one.id in gone and _would_belong(rules, duty, one, stay)}
    about = taken | {one.id for one in duty.events}
    found: list[DutyEvent] = []
    for event in sorted(events, key=lambda event: event.id):
        if event.told.withdraws in about:
            about.add(event.id)  # a later withdrawal may take this one back
            found.append(event)
        elif event.id in taken:
            found.append(event)
    return found


def withdrawn_duty(connection: sqlite3.Connection, rules: DutyRules, number: int) -> WithdrawnDuty | None:
    """Return a duty whose opening was taken back; None if the number is not that of such an opening."""
    opening = store.event(connection, number)
    if opening is None or opening.told.event != rules.kinds.kind(opening.told.kind).opens:
        return None
    if not is_withdrawn(connection, opening):
        return None
    events = store.of_subject(connection, opening.told.kind, opening.told.subject)
    gone = withdrawn_numbers(events)
    taken = next(one for one in events if one.told.withdraws == number and one.id not in gone)
    stay = [*standing_events(events), opening]
    duty = next(one for one in group(rules.kinds.kind(opening.told.kind), stay).duties if opening in one.events)
    duty = duty._replace(id=number, events=(opening, *(one for one in duty.events if one.told.duty == number)))
    return WithdrawnDuty(duty, taken)


def _would_belong(rules: DutyRules, duty: Duty, taken: DutyEvent, stay: Sequence[DutyEvent]) -> bool:
    """Return True if an event that was taken back would belong to a duty, had it not been taken back."""
    if taken.told.withdraws or taken.told.duty == duty.id:
        return not taken.told.withdraws
    duties = group(rules.kinds.kind(duty.kind), [*stay, taken]).duties
    return any(one.id == duty.id and taken in one.events for one in duties)
