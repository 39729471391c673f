"""Finds the public holidays, and the working days of the service: no weekend, no holiday of country or city."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import holidays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FRIDAY = 5
"""Monday is 1 in ``date.isoweekday``."""


@lru_cache(maxsize=256)
def public_holidays(region: str, year: int) -> frozenset[date]:
    """Return the public holidays of a country (``ES``) or a region of it (``ES-CT``, with the national ones).

    The region is named as in ISO 3166. Raises ValueError if it is not known.
    """
    country, _, part = region.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError as error:
        raise ValueError(f"there are no holidays of {region!r}: write it as ES or ES-CT") from error


def working_days(first: date, last: date, local: Iterable[date] = ()) -> list[date]:
    """Return the working days of Barcelona from first to last, both included.

    National and Catalan holidays come from the library ``holidays``; ``local`` has the two of the city for each year.
    """
    if last < first:
        return []
    closed = set(local).union(*(public_holidays("ES-CT", year) for year in range(first.year, last.year + 1)))
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


def months_of(first: date, last: date) -> Iterator[date]:
    """Yield the first days of the months from one first day to another, both included."""
    while first <= last:
        yield first
        first = add_months(first, 1)


def last_whole_month(today: date) -> date:
    """Return the first day of the last month that is over on a day.

    ``today`` is the day on the calendar of the service, which the machine's zone may not agree with.
    """
    return add_months(today.replace(day=1), -1)
