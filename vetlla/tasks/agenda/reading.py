"""Reads the calls of the agenda from the registry."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from vetlla.service.agenda.call import PLANNED_KINDS, call_of
from vetlla.service.agenda.figures import agenda_figures
from vetlla.service.calendar import add_months
from vetlla.service.duties.grouping import group
from vetlla.store.agenda import calls as store
from vetlla.store.duties import events
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import date

    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.agenda.call import Call
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
) -> Iterator[Call]:
    """Yield the calls that may belong to a month or to the month before it: those opened ``AHEAD`` months before."""
    since_us = rules.calendar.begin_of(add_months(month.first, -AHEAD - 1).toordinal())
    for duty in _opened_since(connection, rules, kinds, since_us):
        yield call_of(duty, figures)


def is_in(call: Call, rules: DutyRules, month: AgendaMonth) -> bool:
    """Return True if the time of a call begins in a month."""
    begin, end = month_us(rules, month)
    return begin <= call.first_us <= end


def month_us(rules: DutyRules, month: AgendaMonth) -> tuple[int, int]:
    """Return the first and the last microsecond of a month."""
    return rules.calendar.begin_of(month.first.toordinal()), rules.calendar.end_of(month.last.toordinal())


def _opened_since(
    connection: sqlite3.Connection, rules: DutyRules, kinds: Sequence[str], since_us: int
) -> Iterator[Duty]:
    found: defaultdict[tuple[str, str], list[DutyEvent]] = defaultdict(list)
    for event in store.since(connection, kinds, since_us):
        found[event.told.kind, event.told.subject].append(event)
    for (kind, subject), some in found.items():
        # An event that names no duty belongs to the one that was open, which may have been opened earlier. A duty that
        # was opened earlier, and its events of this time, are of no interest here.
        if any(not (one.told.duty or one.told.ref) for one in some):
            some = events.of_subject(connection, kind, subject)  # noqa: PLW2901 - all of them instead
        for duty in group(rules.kinds.kind(kind), some).duties:
            if duty.opened_us >= since_us:
                yield duty


def call(connection: sqlite3.Connection, rules: DutyRules, figures: AgendaFigures, number: int) -> Call:
    """Return the call of a duty. Raises UsageError if there is none of this number."""
    return call_of(book.duty_of(connection, rules, number), figures)
