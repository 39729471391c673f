"""Reads the calls of the agenda from the registry."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from vetlla.service.agenda.call import ANSWERED, PLANNED_KINDS, call_of
from vetlla.service.agenda.figures import agenda_figures
from vetlla.service.calendar import add_months
from vetlla.service.duties.grouping import group
from vetlla.store.duties import events
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.agenda.figures import AgendaFigures
    from vetlla.service.agenda.month import AgendaMonth
    from vetlla.service.duties.terms import DutyRules

AHEAD: Final = 3
"""Months ahead for which a month may be planned. So its calls are found among the events of the last months."""


def figures_on(rules: DutyRules, day: date) -> AgendaFigures:
    """Return the figures of the agenda on a day. Raises ConfigError or UsageError."""
    return agenda_figures(rules.parameters.on(day))


def calls_around(
    connection: sqlite3.Connection,
    rules: DutyRules,
    figures: AgendaFigures,
    month: AgendaMonth,
    kinds: Sequence[str] = PLANNED_KINDS,
) -> Iterator[AgendaCall]:
    """Yield the calls that may belong to a month or to the month before it: those opened ``AHEAD`` months before.

    Calls that were opened earlier follow if they were postponed since, or if something happened in the month: a
    revaluation is made even months after its time.
    """
    since_us = rules.calendar.begin_of(add_months(month.first, -AHEAD - 1).toordinal())
    begin_us, end_us = month_us(rules, month)
    seen: set[int] = set()
    for duty in _duties(connection, rules, events.since(connection, kinds, since_us), since_us, begin_us):
        seen.add(duty.id)
        yield call_of(duty, figures)
    # Another system may plan a whole year at once.
    for kind in kinds:
        for subject in events.opened_long_before(connection, kind, since_us, begin_us, end_us):
            for duty in book.duties_of(connection, rules, kind, subject):
                if duty.id not in seen and begin_us <= (duty.events[0].told.begin_us or 0) <= end_us:
                    yield call_of(duty, figures)


def calls_around_answers(
    connection: sqlite3.Connection, rules: DutyRules, figures: AgendaFigures, month: AgendaMonth
) -> Iterator[AgendaCall]:
    """Yield the planned calls of homes and people that answered one in a month; calls of other months are among them.

    It reads no event after the month but withdrawals, so that a month of years ago takes no longer.
    """
    since_us = rules.calendar.begin_of(add_months(month.first, -AHEAD - 1).toordinal())
    span = month_us(rules, month)
    for kind in PLANNED_KINDS:
        if rules.kinds.find(kind):
            found = events.around(connection, kind, ANSWERED, span, since_us)
            for duty in _duties(connection, rules, found, since_us, span[0]):
                yield call_of(duty, figures)


def is_in(call: AgendaCall, rules: DutyRules, month: AgendaMonth) -> bool:
    """Return True if the time of a call begins in a month."""
    begin, end = month_us(rules, month)
    return begin <= call.first_us <= end


def month_us(rules: DutyRules, month: AgendaMonth) -> tuple[int, int]:
    """Return the first and the last microsecond of a month."""
    return rules.calendar.begin_of(month.first.toordinal()), rules.calendar.end_of(month.last.toordinal())


def _duties(
    connection: sqlite3.Connection, rules: DutyRules, read: Iterable[DutyEvent], since_us: int, begin_us: int
) -> Iterator[Duty]:
    """Yield the duties of events that were read from a time on, with their earlier events if they have some."""
    found: defaultdict[tuple[str, str], list[DutyEvent]] = defaultdict(list)
    for event in read:
        found[event.told.kind, event.told.subject].append(event)
    for (name, subject), some in found.items():
        kind = rules.kinds.kind(name)
        if _need_earlier_ones(kind.opens, some, begin_us):
            some = events.of_subject(connection, name, subject)  # noqa: PLW2901 - all of them instead
        for duty in group(kind, some).duties:
            if duty.events[-1].told.at_us >= since_us:
                yield duty


def _need_earlier_ones(opens: str, some: Sequence[DutyEvent], begin_us: int) -> bool:
    """Return True if a subject has events here that belong to a duty that was opened earlier, or may do so.

    An event that names an earlier duty by its number is no reason if it happened before the month and moved no call,
    because reading such duties for every home would take long.
    """
    opened = [one for one in some if one.told.event == opens]
    numbers, refs = {one.id for one in opened}, {one.told.ref for one in opened if one.told.ref}
    for one in some:
        told = one.told
        if one.id in numbers or told.withdraws or told.duty in numbers:
            continue
        if (told.at_us >= begin_us or told.event == "postponed") if told.duty else told.ref not in refs:
            return True
    return False


def call(connection: sqlite3.Connection, rules: DutyRules, figures: AgendaFigures, number: int) -> AgendaCall:
    """Return the call of a duty. Raises UsageError if there is none of this number."""
    return call_of(book.duty_of(connection, rules, number), figures)
