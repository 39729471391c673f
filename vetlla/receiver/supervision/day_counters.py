"""The current day of each device, to prove that it was checked at its interval (ANS 13 of the Barcelona contract).

A day lasts from midnight to midnight in the time zone of the service. When it ends, its counters are set aside in one
step. They are written stretch by stretch (1,024 devices each), so that no alarm waits for the records of a whole fleet.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.domain.supervision import STRETCH, DayOf, Stretch
from vetlla.receiver.supervision.fleet import NEVER
from vetlla.receiver.supervision.silence import silent_at_loss_us, silent_since_us
from vetlla.service.supervision.days import service_day_of
from vetlla.service.supervision.rules import Health, Pause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from vetlla.domain.clock import Instant
    from vetlla.domain.supervision import KeptDevice
    from vetlla.receiver.supervision.fleet import Fleet
    from vetlla.receiver.supervision.silence import Silence, SilencesAt
    from vetlla.service.supervision.days import ServiceDay


class DayCounters:
    """The counters of the current day. The wall clock sets its midnights; the clock of silence measures every duration.

    A wall clock that is set forward takes time out of a day. No device could be heard in that time, so it counts as
    time without a receiver. A clock that is set back ends no day, and no day becomes longer than its own hours. Only if
    the clock was days ahead, its correction ends the open day; the counters then go on with the correct day.
    """

    def __init__(self, fleet: Fleet, silence: Silence, zone: ZoneInfo, now: Instant) -> None:
        self._fleet = fleet
        self._silence = silence
        self.zone = zone
        self.today = service_day_of(now.utc_us, zone)
        self.down_s = 0
        """Seconds of today without a receiver before this run began."""
        self.closed: dict[str, int] = {}
        """Days in the ledger, with their seconds without a receiver. A later part of such a day is merged with it."""
        self.unsupervised_s: dict[int, int] = {}
        """By device: the seconds of today in which it was not supervised."""
        self.reasons: dict[int, int] = {}
        self._began_us = silence.reading_us(self.today.began_us)
        """When today began, on the clock of silence."""
        self._seen_us = silence.read(now)
        """The last check at which today was not over yet, on the clock of silence."""

    @property
    def name(self) -> str:
        """The name of today in the journal."""
        return self.today.day.isoformat()

    def go_on(self, away_s: int, now: Instant) -> None:
        """Continue the day of a previous run; ``away_s`` is the time of today without a receiver."""
        if self.name in self.closed:
            self._began_us = self._silence.read(now)  # the ledger has the part before now
        else:
            self.down_s = away_s

    def resume(self, unit: KeptDevice, now: Instant) -> None:
        """Continue with the counts that the previous run made today."""
        if unit.day != self.name:
            return
        self._fleet.received[unit.id] = unit.received
        self._fleet.longest_s[unit.id] = unit.longest_s
        if unit.unsupervised_s:
            self.unsupervised_s[unit.id] = min(unit.unsupervised_s, self._gone_s(now))
        if unit.reasons:
            self.reasons[unit.id] = unit.reasons

    def paused(self, device: int, pause: Pause) -> None:
        """Record the reasons why a device is not supervised from now on."""
        self.reasons[device] = self.reasons.get(device, 0) | pause

    def resumed(self, device: int, pause: Pause, now: Instant) -> None:
        """Record the end of a pause, which began at the last change of state; ``pause`` gives its reasons."""
        turned_us = self._fleet.turned_us[device]
        lost_s = max(0, self._silence.read(now) - max(turned_us, self._began_us)) // SECOND_US
        if lost_s and NEVER < turned_us < self._began_us:
            self.paused(device, pause)  # it was paused before today began
        self.unsupervised_s[device] = self.unsupervised_s.get(device, 0) + lost_s

    def is_over(self, now: Instant) -> bool:
        """Return True if the day has ended."""
        if not self.today.holds(now.utc_us):
            return True
        self._seen_us = self._silence.read(now)
        return False

    def _gone_s(self, now: Instant) -> int:
        return max(0, now.utc_us - self.today.began_us) // SECOND_US

    def close(self, now: Instant) -> Day:
        """End the day, return its counters and start new ones at zero."""
        fleet, ended, reading_us = self._fleet, self.today, self._silence.read(now)
        # Count back to midnight, but no further than ``_seen_us``: the wall clock may have been set past midnight.
        ends_us = max(self._seen_us, reading_us - max(0, now.utc_us - ended.ends_us))
        observed_s = self._observed_s(ends_us)
        day = Day(
            whole=ended,
            down_s=self.closed.get(self.name, ended.length_s) - observed_s,
            observed_s=observed_s,
            unsupervised_s=self.unsupervised_s,
            reasons=self.reasons,
            received=fleet.received,
            longest_s=fleet.longest_s,
            silences=self._silence.at(ends_us),
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
        self.today = service_day_of(now.utc_us, self.zone)
        self._began_us, self._seen_us = ends_us, reading_us
        return day

    def _observed_s(self, ends_us: int) -> int:
        """Return how long devices could be heard today: at most the day's hours, even if the clock is set back."""
        passed_s = round((ends_us - self._began_us) / SECOND_US)
        return max(0, min(passed_s, self.closed.get(self.name, self.today.length_s)) - self.down_s)


class Day(NamedTuple):
    """An ended day with its devices at its end. ``began_us`` and ``ends_us`` are readings of the clock of silence."""

    whole: ServiceDay
    down_s: int
    observed_s: int
    unsupervised_s: dict[int, int]
    reasons: dict[int, int]
    received: array[int]
    longest_s: array[int]
    silences: SilencesAt
    turned_us: array[int]
    interval_s: array[int]
    allowed: bytes
    pause: bytes
    state: bytes
    began_us: int
    ends_us: int

    def stretches(self) -> Iterator[Stretch]:
        """Yield each stretch of devices."""
        for first in range(0, len(self.received), STRETCH):
            yield self._stretch(first // STRETCH)

    def _stretch(self, number: int) -> Stretch:
        """Return one stretch. Columns are filled as a whole; only devices that were paused need a correction."""
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
        # The silence up to midnight belongs to this day, whether or not the device reports tomorrow.
        stretch.fill("longest_s", map(max, self.longest_s[first:last], self.silences.lengths_s(first, last)))
        for device in range(first, last):
            if self.pause[device] or device in self.unsupervised_s or device in self.reasons:
                self._mend(stretch, device)
        return stretch

    def _mend(self, stretch: Stretch, device: int) -> None:
        """Correct the columns of a device that was paused during the day."""
        columns, place = stretch.columns, device - stretch.first
        unsupervised_s = self.unsupervised_s.get(device, 0)
        if self.pause[device]:
            unsupervised_s += max(0, self.ends_us - max(self.turned_us[device], self.began_us)) // SECOND_US
            columns["longest_s"][place] = self.longest_s[device]
        columns["reasons"][place] |= self.reasons.get(device, 0)
        columns["supervised_s"][place] = max(0, self.observed_s - unsupervised_s) if self.interval_s[device] else 0


def rebuilt(unit: KeptDevice, ended: ServiceDay, down_s: int) -> DayOf:
    """Return the day of a device from its journal row, because the previous run ended before it wrote the day."""
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
