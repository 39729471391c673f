"""Quiet hours: when citizens get no message, on the office's wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CITY_ZONE: Final = "Europe/Madrid"
MARGIN: Final = timedelta(minutes=30)
"""A message that is moved before the quiet hours is due this long before they begin, so that all can still be sent."""
_DAYS: Final = 31
"""Most days in a row that are looked through for an hour that is not quiet."""


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; that of the city if there is none of this name.

    One office with a misspelt zone must not stop the reminders of all others.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last: "Europe" is a folder
        return ZoneInfo(CITY_ZONE)


def wall(moment: datetime, zone: str) -> datetime:
    """Return what the clocks show at a moment, without a zone."""
    return moment.astimezone(zone_of(zone)).replace(tzinfo=None)


def moment_of(shown: datetime, zone: str) -> datetime:
    """Return the moment in UTC at which the clocks show this.

    An hour that the clocks show twice is the first of the two. In the night in which they are put forward, an hour that
    they never show is read with the summer's offset, which is the earlier moment.
    """
    first, second = (shown.replace(tzinfo=zone_of(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return min(first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From ``begin`` in the evening until ``end`` in the morning, and all day on holidays."""

    begin: time = time(21)
    end: time = time(9)
    holidays: frozenset[date] = frozenset()
    """Days on which no message is sent: the office decides which."""

    def is_quiet(self, moment: datetime, zone: str) -> bool:
        """Return True if no message may be sent at this moment."""
        shown = wall(moment, zone)
        return shown.date() in self.holidays or not self.end <= shown.time() < self.begin

    def before(self, moment: datetime, zone: str) -> datetime:
        """Return the moment, or the last one before the quiet hours in which it lies, less ``MARGIN``."""
        if not self.is_quiet(moment, zone):
            return moment
        shown = wall(moment, zone)
        day = shown.date() if shown.time() >= self.begin else shown.date() - timedelta(days=1)
        if shown.date() in self.holidays:
            day = shown.date() - timedelta(days=1)
        for _ in range(_DAYS):
            if day not in self.holidays:
                break
            day -= timedelta(days=1)
        evening = datetime.combine(day, self.begin)
        return moment_of(max(evening - MARGIN, datetime.combine(day, self.end)), zone)

    def after(self, moment: datetime, zone: str) -> datetime:
        """Return the moment, or the first one after the quiet hours in which it lies."""
        if not self.is_quiet(moment, zone):
            return moment
        shown = wall(moment, zone)
        day = shown.date() if shown.time() < self.end else shown.date() + timedelta(days=1)
        for _ in range(_DAYS):
            if day not in self.holidays:
                break
            day += timedelta(days=1)
        return moment_of(datetime.combine(day, self.end), zone)


USUAL_QUIET: Final = QuietHours()
NEVER_QUIET: Final = QuietHours(begin=time.max, end=time.min)
