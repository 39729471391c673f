"""On which days of a span the service attends a person: the one rule behind active users, home-days and programmes.

Days are bits: the first day of the span is bit 0. So the days of several people are joined by one operation.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.homes import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class DaySpan(NamedTuple):
    """Days from first to last, both included."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def whole(self) -> int:
        """All of its days, as bits."""
        return (1 << self.length) - 1

    def between(self, since: date, until: date | None) -> int:
        """Return its days from one day to another, both included, as bits; ``until`` is None without an end."""
        begin = max((since - self.first).days, 0)
        end = self.length if until is None else min((until - self.first).days + 1, self.length)
        return (1 << end) - (1 << begin) if begin < end else 0

    def covered(self, periods: Iterable[Period]) -> int:
        """Return its days that a period has, as bits."""
        found = 0
        for since, until in periods:
            found |= self.between(since, until)
        return found

    def attended(self, active: Iterable[Period], suspended: Iterable[Period]) -> int:
        """Return its days on which a person with these periods is in the service and not suspended, as bits."""
        found = self.covered(active)
        return found & ~self.covered(suspended) if suspended and found else found

    def stretches(self, days: int) -> Iterator[Period]:
        """Yield the uninterrupted stretches of days that are bits, in order."""
        place = 0
        while days:
            gap = (days & -days).bit_length() - 1
            days >>= gap
            length = (~days & (days + 1)).bit_length() - 1
            begin, place = place + gap, place + gap + length
            yield Period(self.first + timedelta(days=begin), self.first + timedelta(days=place - 1))
            days >>= length
