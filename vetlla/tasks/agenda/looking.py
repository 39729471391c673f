"""Looks at the agenda: the calls of a day, and what became of those of a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.service.agenda.call import NEW_KINDS, PLANNED_KINDS
from vetlla.service.agenda.month import agenda_month
from vetlla.service.agenda.summary import summary
from vetlla.tasks.agenda.reading import calls_around, figures_on, month_us

if TYPE_CHECKING:
    import sqlite3
    from datetime import date

    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.agenda.summary import Summary
    from vetlla.service.duties.terms import DutyRules


def calls_on(connection: sqlite3.Connection, rules: DutyRules, day: date, home: str = "") -> list[AgendaCall]:
    """Return the calls of a day by their moment, also those that were made; with ``home`` only those of one home."""
    begin, end = rules.calendar.begin_of(day.toordinal()), rules.calendar.end_of(day.toordinal())
    kinds = [kind for kind in (*PLANNED_KINDS, *NEW_KINDS) if rules.kinds.find(kind)]
    month = agenda_month(day.replace(day=1), rules.calendar)
    found = [
        call
        for call in calls_around(connection, rules, figures_on(rules, day), month, kinds)
        if call.planned_us is not None and begin <= call.planned_us <= end and home in {"", call.home}
    ]
    return sorted(found, key=lambda call: (call.planned_us, call.duty.id))


def month_summary(connection: sqlite3.Connection, rules: DutyRules, first: date, now_us: int) -> Summary:
    """Return what became of the calls of the month with this first day."""
    month = agenda_month(first, rules.calendar)
    calls = calls_around(connection, rules, figures_on(rules, first), month)
    return summary(calls, rules, now_us, month_us(rules, month), month.days)
