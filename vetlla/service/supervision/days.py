"""The days of the service: from midnight to midnight in its time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import DAY_US, SECOND_US, to_datetime, to_us

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SET_BACK_US = DAY_US
"""A wall clock that is set further back than this before the start of the open day had been days ahead. A smaller step
back is a correction."""


class ServiceDay(NamedTuple):
    """A day of the service: its first instant and the first instant of the next day, UTC."""

    day: date
    began_us: int
    ends_us: int

    @property
    def length_s(self) -> int:
        """The length of the day in seconds: 23, 24 or 25 hours."""
        return (self.ends_us - self.began_us) // SECOND_US

    def holds(self, utc_us: int) -> bool:
        """Return True if the day is open at an instant; it stays open when the clock is set back by some hours."""
        return self.began_us - SET_BACK_US <= utc_us < self.ends_us


def service_day_of(utc_us: int, zone: ZoneInfo) -> ServiceDay:
    """Return the day to which an instant belongs."""
    return service_day(to_datetime(utc_us).astimezone(zone).date(), zone)


def service_day(day: date, zone: ZoneInfo) -> ServiceDay:
    """Return a day with its first instant and the first instant of the next day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return ServiceDay(
        day, to_us(midnight), to_us(datetime(following.year, following.month, following.day, tzinfo=zone))
    )
