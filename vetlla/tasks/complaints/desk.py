"""Finds complaints, claims and suggestions, and makes the figures of a month. Works within the caller's snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import last_of_month
from vetlla.domain.errors import UsageError
from vetlla.service.complaints.complaint import Complaint, ComplaintKind, complaint
from vetlla.service.complaints.report import MonthFigures, MonthInput, PertinentMonth, month_figures
from vetlla.store.homes import queries as stored_homes
from vetlla.tasks.duties import book, looking
from vetlla.tasks.duties.looking import Wanted

if TYPE_CHECKING:
    import sqlite3
    from datetime import date

    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.parameters import Reading

KINDS: Final = tuple(kind.value for kind in ComplaintKind)


def complaint_of(connection: sqlite3.Connection, rules: DutyRules, number: int, now_us: int) -> Complaint:
    """Return a complaint by the number of its duty. Raises UsageError if there is none, or it is another duty."""
    one = book.standing_of(connection, rules, number, now_us)
    if one.duty.kind not in KINDS:
        raise UsageError(f"duty {number} is a {one.duty.kind}", remedy="vetlla complaints list has the numbers")
    return complaint(one)


def pertinent_month(reading: Reading) -> PertinentMonth:
    """Return which month a pertinent complaint counts in. Raises ConfigError for another word."""
    return reading.choice("complaint.pertinent_month", PertinentMonth)


def month(connection: sqlite3.Connection, rules: DutyRules, first: date, reading: Reading, now_us: int) -> MonthFigures:
    """Return the figures of the month that begins on a day, with the parameters in force. Raises ConfigError."""
    month_of = pertinent_month(reading)
    last = last_of_month(first)
    found = looking.found(connection, rules, Wanted(kinds=KINDS), now_us)
    return month_figures(
        MonthInput(
            first=first,
            complaints=map(complaint, found),
            homes=stored_homes.homes(connection, day=last),
            people=stored_homes.people(connection, day=last),
            month_of=month_of,
            per_pertinent=reading.integer("complaint.users_per_pertinent", least=1),
        ),
        rules.calendar,
    )
