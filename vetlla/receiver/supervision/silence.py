"""The clock of silence: how long each device has been silent, and when it will have missed a sign of life.

Every silence is measured on one clock. It is the monotonic clock without the time in which the receiver could not take
reports, so a change of the wall clock changes no silence. A reading of this clock is an instant in microseconds. For
each device this file keeps one reading: the one from which its silence counts. docs/supervision.md draws the timeline.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from vetlla.domain.clock import SECOND_US
from vetlla.receiver.supervision.uptime import Uptime
from vetlla.service.supervision.rules import Health, miss_us, misses

if TYPE_CHECKING:
    from vetlla.domain.clock import Instant
    from vetlla.domain.supervision import KeptDevice, KeptSupervision
    from vetlla.receiver.supervision.fleet import Fleet


class Silence:
    """The silence of every device of a fleet, and the clock that measures it. Lives in the event loop."""

    def __init__(self, fleet: Fleet, tolerance_s: float, now: Instant) -> None:
        self._fleet = fleet
        self._since_us = array("q")
        """By device: the reading from which its silence counts."""
        self._stopped_us = 0
        """Total time in this run in which the receiver could not take reports; no silence includes it."""
        self._stopped_at_us: int | None = None
        """Reading at which the clock was stopped; None while it runs."""
        self._began_utc_us = now.utc_us
        self._began_us = self._running_since_us = now.mono_us
        """Readings at the start of this run, and at the clock's last stop (at first, also at the start of this run)."""
        self._uptime = Uptime(None, {}, ZoneInfo("UTC"))
        """How long receivers ran before this run."""
        self.tolerance_us = round(tolerance_s * SECOND_US)

    # --- the clock --------------------------------------------------------------------------------------------------

    def read(self, now: Instant) -> int:
        """Return the reading of the clock: monotonic time without the time in which it was stopped."""
        return now.mono_us - self._stopped_us if self._stopped_at_us is None else self._stopped_at_us

    def mono_us(self, reading_us: int) -> int:
        """Return the monotonic instant at which the clock will show a reading, if it is not stopped until then."""
        return reading_us + self._stopped_us

    def stop(self, now: Instant) -> None:
        """Stop the clock, because the receiver cannot take reports from now on."""
        self._stopped_at_us = self.read(now)

    def restart(self, now: Instant) -> None:
        """Restart the clock. Every device that was silent during the stop gets its grace."""
        if self._stopped_at_us is not None:
            self._stopped_us, self._running_since_us = now.mono_us - self._stopped_at_us, self._stopped_at_us
            self._stopped_at_us = None

    # --- the silence of a device ------------------------------------------------------------------------------------

    def add(self, now: Instant) -> None:
        """Add the next device of the fleet; its silence counts from now."""
        self._since_us.append(self.read(now))

    def length_us(self, device: int, now: Instant) -> int:
        """Return the silence of a device, without the time in which it could not be heard."""
        return self.read(now) - self._since_us[device]

    def end(self, device: int, now: Instant) -> int:
        """End the silence of a device, and let the next one begin. Return the reading from which it counted.

        Each frame comes here, so it reads the clock without a call.
        """
        reading_us = now.mono_us - self._stopped_us if self._stopped_at_us is None else self._stopped_at_us
        since_us, longest_s = self._since_us[device], self._fleet.longest_s
        self._since_us[device] = reading_us
        silence_s = (reading_us - since_us) // SECOND_US
        if silence_s > longest_s[device]:  # noqa: PLR1730 - each frame comes here, and ``max`` is a call
            longest_s[device] = silence_s
        return since_us

    def begin(self, device: int, now: Instant) -> None:
        """Let the silence of a device count from now, without recording the silence until now."""
        self._since_us[device] = self.read(now)

    def measure(self, device: int, now: Instant) -> None:
        """Record the silence of a device until now if it is today's longest. The silence goes on."""
        longest_s = self._fleet.longest_s
        longest_s[device] = max(longest_s[device], self.length_us(device, now) // SECOND_US)

    def excuse(self, device: int, from_us: int, now: Instant) -> None:
        """Shorten the silence of a device by the time from a reading until now, in which it could not be heard.

        Only the part of that time in which the device was silent is subtracted. Otherwise a UCR whose terminal is often
        late could never become lost.
        """
        self._since_us[device] = self.read(now) - max(0, from_us - self._since_us[device])

    def heard_since(self, device: int, reading_us: int) -> bool:
        """Return True if a device was heard in this run after a reading."""
        return bool(self._fleet.heard_us[device]) and self._since_us[device] > reading_us

    def at(self, reading_us: int) -> SilencesAt:
        """Return the silences of all devices at a reading; later signs of life do not change the result."""
        return SilencesAt(reading_us, self._since_us[:])

    # --- misses and deadlines ---------------------------------------------------------------------------------------

    def grace(self, device: int) -> int:
        """Return the number of forgiven misses: 1 if the receiver was down, or took no reports, during the silence.

        The sign of life may have come in that time. The number stays 1 however often the receiver restarts, so that a
        silent device is noticed.
        """
        return self._grace(self._since_us[device])

    def _grace(self, since_us: int) -> int:
        return int(since_us < self._running_since_us)

    def missed(self, device: int, now: Instant) -> int:
        """Return how many signs of life in a row failed to come."""
        missed = misses(self.length_us(device, now), self._fleet.interval_s[device], self.tolerance_us)
        return max(0, missed - self.grace(device))

    def due_us(self, device: int, missed: int) -> int:
        """Return the reading at which ``missed`` + 1 signs of life will have failed to come."""
        return self._due_us(device, self._since_us[device], missed)

    def late_us(self, device: int, since_us: int, now: Instant) -> int:
        """Return the reading at which a device became late, if it was silent from ``since_us`` until now."""
        return min(self._due_us(device, since_us, 0), self.read(now))

    def _due_us(self, device: int, since_us: int, missed: int) -> int:
        return since_us + miss_us(missed + 1 + self._grace(since_us), self._fleet.interval_s[device], self.tolerance_us)

    # --- silences of the previous run -------------------------------------------------------------------------------

    def resume(self, kept: KeptSupervision, zone: ZoneInfo) -> None:
        """Take from the journal when receivers ran. Of a silence before this run, only that time counts."""
        self._uptime = Uptime(kept.alive_us, kept.down_s, zone)

    def kept_us(self, unit: KeptDevice) -> int:
        """Return how long a device was silent when the previous run ended, by its row."""
        return max(self._uptime.since(silent_since_us(unit)), silent_at_loss_us(unit))

    def go_on(self, device: int, state: Health, silent_us: int) -> None:
        """Continue the silence of a device: its state and its silence are those at the end of the previous run."""
        interval_s, allowed = self._fleet.interval_s[device], self._fleet.allowed[device]
        if state is Health.OK and silent_us > miss_us(allowed + 1, interval_s, self.tolerance_us):
            # The previous run would have found it lost. So the wall clock was changed, and that must not cause a loss.
            silent_us = miss_us(allowed, interval_s, self.tolerance_us)
        # At least 1 us, so that a device heard just before the restart also gets its grace.
        self._since_us[device] = self._began_us - max(1, silent_us)

    def reading_us(self, utc_us: int) -> int:
        """Return the reading for an instant (UTC) of a previous run, by the wall clock at the start of this run."""
        return self._began_us - max(0, self._began_utc_us - utc_us)

    def set_heard(self, device: int, turned_us: int, *, heard: bool) -> None:
        """Set what ``heard_since`` returns for a device that is not supervised; its silence does not count."""
        self._since_us[device] = turned_us + heard

    def since_utc_us(self, device: int, now: Instant) -> int:
        """Return the instant (UTC) since which a device is silent, as the journal keeps it for the next run.

        It is the inverse of ``kept_us``: of a silence before this run, only the time in which receivers ran counts.
        """
        before_us = self._began_us - self._since_us[device]
        return self._uptime.back(before_us) if before_us > 0 else now.utc_us - self.length_us(device, now)


class SilencesAt(NamedTuple):
    """The silences of all devices at one reading of the clock."""

    reading_us: int
    since_us: array[int]

    def lengths_s(self, first: int, last: int) -> list[int]:
        """Return the silences of the devices from ``first`` to before ``last``, in seconds."""
        return [(self.reading_us - since_us) // SECOND_US for since_us in self.since_us[first:last]]


def silent_since_us(unit: KeptDevice) -> int:
    """Return the instant (UTC) since which a device is silent, by its row."""
    return max(unit.silent_since_us, unit.heard_us) or unit.since_us


def silent_at_loss_us(unit: KeptDevice) -> int:
    """Return how long a lost device had been silent when it was lost; 0 for a device that is not lost.

    A clock that was set back since then must not make the device look heard. Stamps may be wrong, so the result is at
    most one interval longer than a loss needs.
    """
    if unit.state != Health.LOST:
        return 0
    return max(0, min(unit.since_us - silent_since_us(unit), miss_us(unit.allowed_misses + 1, unit.interval_s, 0)))
