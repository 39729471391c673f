"""The day of each device, for the proof that it was checked at its period (ANS 13 of the Barcelona contract).

A day is the service's own, from midnight to midnight of its time zone. When it ends the counters are put aside in one
step and written stretch by stretch, so that no alarm waits for a fleet's bookkeeping.
"""

from __future__ import annotations

from array import array
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US, to_datetime, to_us
from vetlla.receiver.supervision.fleet import NEVER
from vetlla.service.supervision.rules import Health, Pause
from vetlla.store.journal.ledger import STRETCH, DayOf, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from vetlla.domain.clock import Instant
    from vetlla.receiver.supervision.fleet import Fleet
    from vetlla.store.journal.units import Unit


SET_BACK_US = 86_400 * SECOND_US
"""A wall clock that is further behind the beginning of its own day was days ahead before; less is a correction."""


class Span(NamedTuple):
    """A day of the service: its first instant and the one after its last, UTC."""

    day: date
    began_us: int
    ends_us: int

    @property
    def length_s(self) -> int:
        """23, 24 or 25 hours."""
        return (self.ends_us - self.began_us) // SECOND_US

    def holds(self, utc_us: int) -> bool:
        """Return True if the day is open at an instant; it stays so while a clock is set back by some hours."""
        return self.began_us - SET_BACK_US <= utc_us < self.ends_us


def span_of(utc_us: int, zone: ZoneInfo) -> Span:
    """Return the day to which an instant belongs."""
    return span(to_datetime(utc_us).astimezone(zone).date(), zone)


def span(day: date, zone: ZoneInfo) -> Span:
    """Return a day's first and last instant."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return Span(day, to_us(midnight), to_us(datetime(following.year, following.month, following.day, tzinfo=zone)))


class Daybook:
    """What the current day comes to. Its midnights are the wall clock's; every length of time is the watch's clock's.

    A wall clock that is stepped forward takes time out of a day: no device could be heard in it, so that it counts as
    time without a receiver. One that is set back ends no day, and no day is longer than its own hours. Only a clock
    that was days ahead, and is set right, ends the day on which it was, and goes on with the one that it shows then.
    """

    def __init__(self, fleet: Fleet, zone: ZoneInfo, now: Instant) -> None:
        self._fleet = fleet
        self.zone = zone
        self.today = span_of(now.utc_us, zone)
        self.down_s = 0
        """Seconds of today in which there was no receiver before this one began."""
        self.closed: dict[str, int] = {}
        """Days that the ledger has, and the seconds in which they had no receiver: what is added to one is merged."""
        self.unsupervised_s: dict[int, int] = {}
        """Of devices that were not supervised for a part of today."""
        self.reasons: dict[int, int] = {}
        self._began_us = now.mono_us - max(0, now.utc_us - self.today.began_us)
        """When today began, on the watch's clock."""
        self._seen_us = now.mono_us
        """When it was last seen that today is not over."""

    @property
    def name(self) -> str:
        """Today, as the journal names it."""
        return self.today.day.isoformat()

    def go_on(self, away_s: int, now: Instant) -> None:
        """Take today up where a previous run left it: ``away_s`` is the time of today without a receiver."""
        if self.name in self.closed:
            self._began_us = now.mono_us  # the ledger has what came before
        else:
            self.down_s = away_s

    def resume(self, unit: Unit, now: Instant) -> None:
        """Go on with what an earlier life counted today."""
        if unit.day != self.name:
            return
        self._fleet.received[unit.id] = unit.received
        self._fleet.longest_s[unit.id] = unit.longest_s
        if unit.unsupervised_s:
            self.unsupervised_s[unit.id] = min(unit.unsupervised_s, self._gone_s(now))
        if unit.reasons:
            self.reasons[unit.id] = unit.reasons

    def paused(self, device: int, pause: Pause) -> None:
        """Note down why a device is not supervised from now on."""
        self.reasons[device] = self.reasons.get(device, 0) | pause

    def resumed(self, device: int, pause: Pause, now_us: int) -> None:
        """Note down that a device is supervised again, after it was not since it turned, and why."""
        turned_us = self._fleet.turned_us[device]
        lost_s = max(0, now_us - max(turned_us, self._began_us)) // SECOND_US
        if lost_s and NEVER < turned_us < self._began_us:
            self.paused(device, pause)  # today, too
        self.unsupervised_s[device] = self.unsupervised_s.get(device, 0) + lost_s

    def is_over(self, hearing_us: int, now: Instant) -> bool:
        """Return True if the day has ended. ``hearing_us``: now, as silences count."""
        if not self.today.holds(now.utc_us):
            return True
        self._seen_us = hearing_us
        return False

    def _gone_s(self, now: Instant) -> int:
        return max(0, now.utc_us - self.today.began_us) // SECOND_US

    def close(self, hearing_us: int, now: Instant) -> Day:
        """End the day: its counters are put aside, new ones begin at zero. ``hearing_us``: now, as silences count."""
        fleet, ended = self._fleet, self.today
        # Midnight was then, unless the clock was stepped over it: then it was not before the day was last seen.
        ends_us = max(self._seen_us, hearing_us - max(0, now.utc_us - ended.ends_us))
        observed_s = self._observed_s(ends_us)
        day = Day(
            span=ended,
            down_s=self.closed.get(self.name, ended.length_s) - observed_s,
            observed_s=observed_s,
            unsupervised_s=self.unsupervised_s,
            reasons=self.reasons,
            received=fleet.received,
            longest_s=fleet.longest_s,
            base_us=fleet.base_us[:],
            turned_us=fleet.turned_us[:],
            interval_s=fleet.interval_s[:],
            allowed=bytes(fleet.allowed),
            pause=bytes(fleet.pause),
            state=bytes(fleet.state),
            began_us=self._began_us,
            ends_us=ends_us,
        )
        fleet.received = array("I", bytes(4 * len(fleet)))
        fleet.longest_s = array("I", bytes(4 * len(fleet)))
        self.closed[self.name] = day.down_s
        self.unsupervised_s, self.reasons, self.down_s = {}, {}, 0
        self.today = span_of(now.utc_us, self.zone)
        self._began_us, self._seen_us = ends_us, hearing_us
        return day

    def _observed_s(self, ends_us: int) -> int:
        """Return how long today's devices could be heard: a clock that was set back makes no day longer than it is."""
        passed_s = round((ends_us - self._began_us) / SECOND_US)
        return max(0, min(passed_s, self.closed.get(self.name, self.today.length_s)) - self.down_s)


class Day(NamedTuple):
    """A day that has ended, as its devices stood at its end; its beginning and its end on the watch's clock."""

    span: Span
    down_s: int
    observed_s: int
    unsupervised_s: dict[int, int]
    reasons: dict[int, int]
    received: array[int]
    longest_s: array[int]
    base_us: array[int]
    turned_us: array[int]
    interval_s: array[int]
    allowed: bytes
    pause: bytes
    state: bytes
    began_us: int
    ends_us: int

    def stretches(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and columns of each stretch of devices."""
        for first in range(0, len(self.received), STRETCH):
            yield first // STRETCH, self._stretch(first // STRETCH).pack()

    def _stretch(self, number: int) -> Stretch:
        """Fill the columns, whole ones where devices do not differ: a fleet has a day like any other."""
        stretch = Stretch(number)
        first, last = stretch.first, min(stretch.first + STRETCH, len(self.received))
        stretch.fill("interval_s", self.interval_s[first:last])
        stretch.fill("allowed_misses", self.allowed[first:last])
        stretch.fill("received", self.received[first:last])
        stretch.fill("state", self.state[first:last])
        stretch.fill("reasons", self.pause[first:last])
        stretch.fill(
            "supervised_s", [self.observed_s if interval_s else 0 for interval_s in self.interval_s[first:last]]
        )
        # Who is quiet at midnight has been silent for as long as that, whether or not it speaks tomorrow.
        silences = [(self.ends_us - base_us) // SECOND_US for base_us in self.base_us[first:last]]
        stretch.fill("longest_s", map(max, self.longest_s[first:last], silences))
        for device in range(first, last):
            if self.pause[device] or device in self.unsupervised_s or device in self.reasons:
                self._mend(stretch, device)
        return stretch

    def _mend(self, stretch: Stretch, device: int) -> None:
        """Correct what differs in a device that was not supervised all day."""
        columns, place = stretch.columns, device - stretch.first
        unsupervised_s = self.unsupervised_s.get(device, 0)
        if self.pause[device]:
            unsupervised_s += max(0, self.ends_us - max(self.turned_us[device], self.began_us)) // SECOND_US
            columns["longest_s"][place] = self.longest_s[device]
        columns["reasons"][place] |= self.reasons.get(device, 0)
        columns["supervised_s"][place] = max(0, self.observed_s - unsupervised_s) if self.interval_s[device] else 0


def silent_since_us(unit: Unit) -> int:
    """Return since when a device has said nothing that counts: UTC."""
    return max(unit.silent_since_us, unit.heard_us) or unit.since_us


def silent_at_loss_us(unit: Unit) -> int:
    """Return how long a lost device had said nothing when it was lost; 0 of any other.

    A clock that was set back since makes it no device that was heard. More than one interval beyond the loss is not
    taken from stamps.
    """
    if unit.state != Health.LOST:
        return 0
    return max(0, min(unit.since_us - silent_since_us(unit), (unit.allowed_misses + 1) * unit.interval_s * SECOND_US))


def rebuilt(unit: Unit, ended: Span, down_s: int) -> DayOf:
    """Return the day of a device from what the journal has of it: an earlier life ended before it wrote the day."""
    counted = unit.day == ended.day.isoformat()
    unsupervised_s, reasons = (unit.unsupervised_s, unit.reasons) if counted else (0, 0)
    longest_s = unit.longest_s if counted else 0
    if unit.pause or unit.state == Health.NOT_SUPERVISED:
        unsupervised_s += max(0, ended.ends_us - max(unit.since_us, ended.began_us)) // SECOND_US
        reasons |= unit.pause
    elif unit.since_us:
        at_end_s = (ended.ends_us - silent_since_us(unit)) // SECOND_US - down_s
        longest_s = max(longest_s, at_end_s, silent_at_loss_us(unit) // SECOND_US)
    return DayOf(
        unit=unit.id,
        interval_s=unit.interval_s,
        allowed_misses=unit.allowed_misses,
        supervised_s=max(0, ended.length_s - down_s - unsupervised_s) if unit.interval_s else 0,
        received=unit.received if counted else 0,
        longest_s=max(0, longest_s),
        reasons=reasons,
        state=unit.state,
    )
