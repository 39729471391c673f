"""Makes the report of a period, and compares the groups of the draw."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError
from vetlla.domain.reminder_counts import PeriodCounts, ReportPeriod
from vetlla.service.reminders.quiet import CITY_ZONE, moment_of, wall, zone_of
from vetlla.service.reminders.report.experiment import compare_arms
from vetlla.service.reminders.report.report import make_report
from vetlla.store.reminders import statistics

if TYPE_CHECKING:
    import sqlite3
    from decimal import Decimal

    from vetlla.service.reminders.rates import RateCard
    from vetlla.service.reminders.report.experiment import ArmsResult
    from vetlla.service.reminders.report.report import PeriodReport


def period_of(first: date, last: date, office: str = "") -> ReportPeriod:
    """Return whole days of the city, the last one included. Raises UsageError if they are in the wrong order."""
    if last < first:
        raise UsageError(f"{last} is before {first}", remedy="give the first day, then the last one")
    begin, end = (moment_of(datetime.combine(day, time()), CITY_ZONE) for day in (first, last + timedelta(days=1)))
    return ReportPeriod(first=first, last=last, begin=begin, end=end, office=office)


def report(
    db: sqlite3.Connection,
    period: ReportPeriod,
    rates: RateCard,
    now: datetime,
    *,
    before: ReportPeriod | None = None,
    unmarked: bool = False,
) -> PeriodReport:
    """Return the report of a period, compared with an earlier one if that is given.

    ``unmarked``: appointments that are still booked after their end count as no-shows.
    """
    counts = PeriodCounts(
        period=period,
        messages=statistics.messages(db, period, zone_of(CITY_ZONE)),
        fallbacks=statistics.fallbacks(db, period),
        appointments=statistics.appointments(db, period, now),
        freed=statistics.freed(db, period),
        replies=statistics.replies(db, period),
        cancellations=statistics.cancellations(db, period),
    )
    earlier = None
    if before is not None:
        earlier = PeriodCounts(period=before, appointments=statistics.appointments(db, before, now))
    return make_report(counts, rates, now, before=earlier, unmarked=unmarked)


def arms(
    db: sqlite3.Connection, period: ReportPeriod, points: Decimal, now: datetime, *, unmarked: bool = False
) -> ArmsResult | None:
    """Return the groups of the draw; None if no appointment of the period was held back.

    Only the days between the first and the last one that was held back count: before and after, nothing was drawn.
    """
    drawing = statistics.drawing(db, period)
    if drawing is None:
        return None
    first, last = (wall(at, CITY_ZONE).date() for at in drawing)
    drawn = period_of(first, last, period.office)
    counts = statistics.appointments(db, drawn, now, drawn_only=True)
    return compare_arms(counts, drawn, points, unmarked=unmarked)
