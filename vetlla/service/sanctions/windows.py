"""Windows of time over days and months: what lies within a year or six months, and what gathers in it."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

YEAR_MONTHS: Final = 12
ACCUMULATION_MONTHS: Final = 6
"""17: three faults "en el transcurs de sis mesos"."""


class Gathering(NamedTuple):
    """Days that came together in a window."""

    reached: int
    """Place of the day that made them enough."""
    members: tuple[int, ...]
    """Places of all of its days, also of those that continue it."""


def gathered(days: Sequence[date], since: Callable[[date], date], least: int, *, each: bool = False) -> list[Gathering]:
    """Return where at least ``least`` of the days lie in one window; ``days`` are in order.

    ``since`` returns the first day of the window that ends with a day. A later day whose window still has a day of a
    gathering continues that one. With ``each``, a day counts in one gathering alone, so that twice as many make two.
    """
    found: list[Gathering] = []
    taken: set[int] = set()
    for place, day in enumerate(days):
        begin = bisect_left(days, since(day))
        window = [one for one in range(begin, place + 1) if not (each and one in taken)]
        if len(window) < least:
            continue
        if not each and found and window[0] <= found[-1].members[-1]:
            last = found[-1].members
            found[-1] = found[-1]._replace(members=(*last, *(one for one in window if one > last[-1])))
            continue
        found.append(Gathering(place, tuple(window)))
        taken.update(window)
    return found


def rolling(months: int) -> Callable[[date], date]:
    """Return the begin of windows of a number of months; the same day that number of months before is outside."""
    return lambda day: add_months(day, -months) + timedelta(days=1)


def rolling_months(months: int) -> Callable[[date], date]:
    """Return the begin of windows of whole months, the last one included; days are first days of months."""
    return lambda month: add_months(month, 1 - months)


def natural_year(day: date) -> date:
    """Return the first day of the calendar year."""
    return day.replace(month=1, day=1)


def always(_: date) -> date:
    """Return a begin before every contract."""
    return date.min
