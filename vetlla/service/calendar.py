"""Finds the working days of the service: no weekend, no public holiday, no holiday of the city."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import holidays

if TYPE_CHECKING:
    from collections.abc import Iterable

_FRIDAY = 5
"""Monday is 1 in ``date.isoweekday``."""


def working_days(first: date, last: date, local: Iterable[date] = ()) -> list[date]:
    """Return the working days of Barcelona from first to last, both included.

    National and Catalan holidays come from the library ``holidays``; ``local`` has the two of the city for each year.
    """
    if last < first:
        return []
    closed = set(holidays.country_holidays("ES", subdiv="CT", years=range(first.year, last.year + 1))) | set(local)
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in every if day.isoweekday() <= _FRIDAY and day not in closed]


def first_on_or_after(days: list[date], day: date) -> int:
    """Return the index in ``days`` of the first one on or after ``day``; ``len(days)`` if there is none."""
    return bisect_left(days, day)


def last_before(days: list[date], day: date) -> int:
    """Return the index in ``days`` of the last one before ``day``; -1 if there is none."""
    return bisect_left(days, day) - 1


def last_on_or_before(days: list[date], day: date) -> int:
    """Return the index in ``days`` of the last one on or before ``day``; -1 if there is none."""
    return bisect_right(days, day) - 1


@lru_cache(maxsize=1 << 16)
def add_months(day: date, months: int) -> date:
    """Return the same day of the month, ``months`` later, or the last day of that month if it is shorter.

    Results are cached, because the work on a full fleet asks half a million times about some ten thousand days.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
