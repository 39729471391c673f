"""The day of each device, for the proof that it was checked at its period (ANS 13 of the Barcelona contract).

A day is the service's own, from midnight to midnight of its time zone. When it ends the counters are put aside in one
step and written stretch by stretch, so that no alarm waits for a fleet's bookkeeping.
"""

from __future__ import annotations

from array import array
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.clock import SECOND_US, to_datetime, to_us
from vetlla.service.supervision import Health, Pause
from vetlla.store.ledger import STRETCH, DayOf, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from vetlla.clock import Instant
    from vetlla.receiver.fleet import Fleet
    from vetlla.store.units import Unit


class Span(NamedTuple):
    """A day of the service: its first instant and the one after its last, UTC."""

    day: date
    began_us: int
    ends_us: int

    @property
    def length_s(self) -> int:
        """23, 24 or 25 hours."""
        return (self.ends_us - self.began_us) // SECOND_US


def span_of(utc_us: int, zone: ZoneInfo) -> Span:
    """Return the day to which an instant belongs."""
    return span(to_datetime(utc_us).astimezone(zone).date(), zone)


def span(day: date, zone: ZoneInfo) -> Span:
    """Return a day's first and last instant."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return Span(day, to_us(midnight), to_us(datetime(following.year, following.month, following.day, tzinfo=zone)))


class Daybook:
    """What the current day comes to, and days that wait to be written."""

    def __init__(self, fleet: Fleet, zone: ZoneInfo, now: Instant) -> None:
        self._fleet = fleet
        self.zone = zone
        self.today = span_of(now.utc_us, zone)
        self.down_s = 0
        """Seconds of today in which there was no receiver, or it could take nothing."""
        self.unsupervised_s: dict[int, int] = {}
        """Of devices that were not supervised for a part of today."""
        self.reasons: dict[int, int] = {}

    def resume(self, unit: Unit, now: Instant) -> None:
        """Go on with what an earlier life counted today."""
        if unit.day != self.today.day.isoformat():
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

    def resumed(self, device: int, pause: Pause, since_us: int, now: Instant) -> None:
        """Note down that a device is supervised again, after it was not since an instant (UTC), and why."""
        lost_s = max(0, now.utc_us - max(since_us, self.today.began_us)) // SECOND_US
        if lost_s and 0 < since_us < self.today.began_us:
            self.paused(device, pause)  # today, too
        self.unsupervised_s[device] = self.unsupervised_s.get(device, 0) + lost_s

    def is_over(self, now: Instant) -> bool:
        """Say whether the day has ended. A clock that was set back ends none."""
        return now.utc_us >= self.today.ends_us

    def _gone_s(self, now: Instant) -> int:
        return max(0, now.utc_us - self.today.began_us) // SECOND_US

    def close(self, hearing_us: int, now: Instant) -> Day:
        """End the day: its counters are put aside, new ones begin at zero. ``hearing_us``: now, as silences count."""
        fleet, ended = self._fleet, self.today
        day = Day(
            span=ended,
            down_s=min(self.down_s, ended.length_s),
            unsupervised_s=self.unsupervised_s,
            reasons=self.reasons,
            received=fleet.received,
            longest_s=fleet.longest_s,
            base_us=fleet.base_us[:],
            since_us=fleet.since_us[:],
            interval_s=fleet.interval_s[:],
            allowed=bytes(fleet.allowed),
            pause=bytes(fleet.pause),
            state=bytes(fleet.state),
            ends_hearing_us=hearing_us - max(0, now.utc_us - ended.ends_us),
        )
        fleet.received = array("I", bytes(4 * len(fleet)))
        fleet.longest_s = array("I", bytes(4 * len(fleet)))
        self.unsupervised_s, self.reasons, self.down_s = {}, {}, 0
        self.today = span_of(now.utc_us, self.zone)
        return day


class Day(NamedTuple):
    """A day that has ended, as its devices stood at its end."""

    span: Span
    down_s: int
    unsupervised_s: dict[int, int]
    reasons: dict[int, int]
    received: array[int]
    longest_s: array[int]
    base_us: array[int]
    since_us: array[int]
    interval_s: array[int]
    allowed: bytes
    pause: bytes
    state: bytes
    ends_hearing_us: int

    def stretches(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and columns of each stretch of devices."""
        for first in range(0, len(self.received), STRETCH):
            yield first // STRETCH, self._stretch(first // STRETCH).pack()

    def _stretch(self, number: int) -> Stretch:
        """Fill the columns, whole ones where devices do not differ: a fleet has a day like any other."""
        stretch = Stretch(number)
        first, last = stretch.first, min(stretch.first + STRETCH, len(self.received))
        observed_s = max(0, self.span.length_s - self.down_s)
        stretch.fill("interval_s", self.interval_s[first:last])
        stretch.fill("allowed_misses", self.allowed[first:last])
        stretch.fill("received", self.received[first:last])
        stretch.fill("state", self.state[first:last])
        stretch.fill("reasons", self.pause[first:last])
        stretch.fill("supervised_s", [observed_s if interval_s else 0 for interval_s in self.interval_s[first:last]])
        # Who is quiet at midnight has been silent for as long as that, whether or not it speaks tomorrow.
        silences = [(self.ends_hearing_us - base_us) // SECOND_US for base_us in self.base_us[first:last]]
        stretch.fill("longest_s", map(max, self.longest_s[first:last], silences))
        for device in range(first, last):
            if self.pause[device] or device in self.unsupervised_s or device in self.reasons:
                self._mend(stretch, device, observed_s)
        return stretch

    def _mend(self, stretch: Stretch, device: int, observed_s: int) -> None:
        """Correct what differs in a device that was not supervised all day."""
        columns, place = stretch.columns, device - stretch.first
        unsupervised_s = self.unsupervised_s.get(device, 0)
        if self.pause[device]:
            unsupervised_s += (self.span.ends_us - max(self.since_us[device], self.span.began_us)) // SECOND_US
            columns["longest_s"][place] = self.longest_s[device]
        columns["reasons"][place] |= self.reasons.get(device, 0)
        columns["supervised_s"][place] = max(0, observed_s - unsupervised_s) if self.interval_s[device] else 0


def silent_since_us(unit: Unit) -> int:
    """Return since when a device has said nothing that counts: UTC."""
    return max(unit.silent_since_us, unit.heard_us) or unit.since_us


def rebuilt(unit: Unit, ended: Span, down_s: int) -> DayOf:
    """Return the day of a device from what the journal has of it: an earlier life ended before it wrote the day."""
    counted = unit.day == ended.day.isoformat()
    unsupervised_s, reasons = (unit.unsupervised_s, unit.reasons) if counted else (0, 0)
    longest_s = unit.longest_s if counted else 0
    if unit.pause or unit.state == Health.NOT_SUPERVISED:
        unsupervised_s += max(0, ended.ends_us - max(unit.since_us, ended.began_us)) // SECOND_US
        reasons |= unit.pause
    elif unit.since_us:
        longest_s = max(longest_s, (ended.ends_us - silent_since_us(unit)) // SECOND_US - down_s)
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
