"""The states of devices, from signs of life and the passing of time. It uses no event loop, store or alarm.

The silence clock measures every silence. It is the monotonic clock without the time in which the receiver could not
take reports, so that a change of the wall clock changes no state. A sign of life costs a few steps in arrays. The wheel
gives the devices that are due, so that neither reports nor time make it go over the whole fleet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.domain.supervision import STRETCH
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.receiver.supervision.wheel import Wheel
from vetlla.service.supervision.rules import Health, Pause, judge, misses, next_miss_us

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.clock import Instant
    from vetlla.receiver.supervision.fleet import Fleet
    from vetlla.service.supervision.rules import Expectation

_OK, _LOST, _UNKNOWN, _PAUSED = Health.OK.value, Health.LOST.value, Health.UNKNOWN.value, Health.NOT_SUPERVISED.value
_QUIET = frozenset({Health.LATE.value, Health.LOST.value})
LOOKED_AT_ONCE = 2_000
"""Devices checked in one turn of the event loop: some 3 ms, so that no alarm waits when a whole fleet falls silent."""


class StateChange(NamedTuple):
    """A device's change of state."""

    device: int
    before: Health
    state: Health
    at: Instant
    missed: int = 0


class DeviceStates:
    """Keeps the states of a fleet. ``state_changes`` collects what changed until ``take_state_changes`` is called."""

    def __init__(self, fleet: Fleet, tolerance_s: float, now: Instant) -> None:
        self.fleet = fleet
        self.wheel = Wheel()
        self.state_changes: list[StateChange] = []
        self.changed_blocks: set[int] = set()
        """Stretches with a device that was heard, or changed, since the stretch was last written."""
        self.changed_devices: list[int] = []
        """Devices whose row must be written, because their state or their pause changed."""
        self._stopped_us = 0
        """Total time in this run in which the receiver could not take reports; no silence includes it."""
        self._stopped_at_us: int | None = None
        """Reading at which the silence clock was stopped; None while it runs."""
        self._began_utc_us = now.utc_us
        self._began_us = self._running_since_us = now.mono_us
        """The start of this run; later ``_running_since_us`` is the last stop. Both are on the silence clock."""
        self.tolerance_us = round(tolerance_s * SECOND_US)

    def add(self, account: Account, device: str, parent: int, now: Instant) -> int:
        """Add a new device and return its number. It is not supervised yet."""
        number = self.fleet.add(account, device, parent, self.silence_clock_us(now))
        self.wheel.grow(number + 1)
        return number

    # --- silence ----------------------------------------------------------------------------------------------------

    def silence_clock_us(self, now: Instant) -> int:
        """Return the reading of the silence clock: monotonic time without the time in which it was stopped."""
        return now.mono_us - self._stopped_us if self._stopped_at_us is None else self._stopped_at_us

    def stop_silence_clock(self, now: Instant) -> None:
        """Stop the silence clock, because the receiver cannot take reports from now on."""
        self._stopped_at_us = self.silence_clock_us(now)

    def resume_silence_clock(self, now: Instant) -> None:
        """Restart the silence clock. Every device that was silent during the stop is allowed one extra miss."""
        if self._stopped_at_us is not None:
            self._stopped_us, self._running_since_us = now.mono_us - self._stopped_at_us, self._stopped_at_us
            self._stopped_at_us = None

    def silence_us(self, device: int, now: Instant) -> int:
        """Return the silence of a device, without the time in which it could not be heard."""
        return self.silence_clock_us(now) - self.fleet.base_us[device]

    def silent_before_us(self, device: int) -> int:
        """Return how much of a device's silence belongs to previous runs."""
        return max(0, self._began_us - self.fleet.base_us[device])

    def grace(self, device: int) -> int:
        """Return the number of forgiven misses: 1 if the receiver was down, or took no reports, during the silence.

        The sign of life may have come just then. The number stays 1 however often the receiver restarts, so that a
        silent device is noticed.
        """
        return self._grace(self.fleet.base_us[device])

    def _grace(self, base_us: int) -> int:
        return int(base_us < self._running_since_us)

    def missed(self, device: int, now: Instant) -> int:
        """Return how many signs of life in a row failed to come."""
        interval_s = self.fleet.interval_s[device]
        silent_us = self.silence_us(device, now)
        if silent_us < interval_s * SECOND_US:
            return 0
        return max(0, misses(silent_us, interval_s, self.tolerance_us) - self.grace(device))

    def due_us(self, device: int, missed: int) -> int:
        """Return the monotonic instant at which ``missed`` + 1 signs of life will have failed to come."""
        return self._stopped_us + self._due_us(device, self.fleet.base_us[device], missed)

    def _due_us(self, device: int, base_us: int, missed: int) -> int:
        interval_s = self.fleet.interval_s[device]
        return base_us + next_miss_us(missed + self._grace(base_us), interval_s, self.tolerance_us)

    # --- signs of life ----------------------------------------------------------------------------------------------

    def heard(self, device: int, listener: int, now: Instant) -> None:
        """Take a sign of life."""
        fleet = self.fleet
        # ``silence_clock_us`` without a call, because each frame comes here.
        clock_us = now.mono_us - self._stopped_us if self._stopped_at_us is None else self._stopped_at_us
        state, base_us = fleet.state[device], fleet.base_us[device]
        if state != _PAUSED:
            self._measure(device, clock_us)
        fleet.base_us[device] = clock_us
        fleet.heard_us[device] = now.utc_us
        fleet.received[device] += 1
        fleet.listener[device] = listener
        self.changed_blocks.add(device // STRETCH)
        if state not in {_OK, _PAUSED}:
            self._back(device, base_us, now)

    def cut_off(self, terminal: int, now: Instant) -> None:
        """Mark a terminal as lost at once, because a broker reports that its connection broke."""
        if self.fleet.state[terminal] not in {_PAUSED, _LOST}:
            self.wheel.remove(terminal)
            self._turn(terminal, Health.LOST, now)

    def _measure(self, device: int, silence_clock_us: int) -> None:
        """Record the silence that ends now if it is today's longest."""
        fleet = self.fleet
        silence_s = (silence_clock_us - fleet.base_us[device]) // SECOND_US
        fleet.longest_s[device] = max(fleet.longest_s[device], silence_s)

    def _back(self, device: int, silent_since_us: int, now: Instant) -> None:
        fleet, before = self.fleet, self.fleet.state[device]
        self._turn(device, Health.OK, now)
        if before == _LOST:
            self._wait(device)
        if before not in _QUIET:
            return
        now_us = self.silence_clock_us(now)
        late_us = min(self._due_us(device, silent_since_us, 0), now_us)
        for child in fleet.ucrs_of(device):
            if fleet.state[child] != _UNKNOWN:
                continue
            # The UCR could not be heard, so that time makes it neither late nor lost. The longest silence includes it.
            self._measure(child, now_us)
            self.mark(child)
            if before == _LOST:
                fleet.base_us[child] = now_us
                self._wait(child)
            else:
                # Only the overlap is excused; otherwise a UCR behind an often-late terminal could never become lost.
                fleet.base_us[child] = now_us - max(0, late_us - fleet.base_us[child])

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def next_us(self) -> int | None:
        """Monotonic instant at which the next device must be checked, or None."""
        next_us = self.wheel.next_us
        return None if next_us is None else next_us + self._stopped_us

    def pass_time(self, now: Instant) -> bool:
        """Check the devices that are due, at most ``LOOKED_AT_ONCE``. Return True if there may be more."""
        due = self.wheel.take(self.silence_clock_us(now), LOOKED_AT_ONCE)
        for device in due:
            self._look(device, now)
        return len(due) == LOOKED_AT_ONCE

    def _look(self, device: int, now: Instant) -> None:
        fleet = self.fleet
        if fleet.state[device] == _PAUSED:
            return
        missed = self.missed(device, now)
        if missed:
            state = judge(missed, fleet.allowed[device], terminal_quiet=self._terminal_is_quiet(device))
            if state != fleet.state[device]:
                self._turn(device, state, now, missed)
            if state is Health.LOST:
                return
        self.wheel.put(device, self._due_us(device, fleet.base_us[device], missed))

    def _terminal_is_quiet(self, device: int) -> bool:
        parent = self.fleet.parents[device]
        return parent != NO_PARENT and self.fleet.state[parent] in _QUIET

    def _wait(self, device: int) -> None:
        self.wheel.put(device, self._due_us(device, self.fleet.base_us[device], 0))

    # --- expectations and pauses ------------------------------------------------------------------------------------

    def expect(self, device: int, expectation: Expectation, now: Instant) -> None:
        """Set how often a device is expected to report. If supervised and not lost, its silence counts from now."""
        fleet = self.fleet
        if fleet.expectation(device) == expectation:
            return
        fleet.interval_s[device], fleet.allowed[device] = expectation
        self.mark(device)
        if fleet.state[device] not in {_PAUSED, _LOST} and expectation.interval_s:
            fleet.base_us[device] = self.silence_clock_us(now)  # the new interval must not apply to its earlier silence
            self._wait(device)

    def set_pause(self, device: int, pause: Pause, now: Instant) -> None:
        """Set why a device is not supervised. With Pause.NONE it is supervised, and its silence counts from now."""
        fleet = self.fleet
        if fleet.pause[device] == pause:
            return
        paused_before = fleet.state[device] == _PAUSED
        fleet.pause[device] = pause
        self.mark(device)
        if pause and not paused_before:
            self._measure(device, self.silence_clock_us(now))
            self.wheel.remove(device)
            self._turn(device, Health.NOT_SUPERVISED, now)
        elif not pause and paused_before:
            heard_in_time = fleet.heard_us[device] and fleet.base_us[device] > fleet.turned_us[device]
            fleet.base_us[device] = self.silence_clock_us(now)
            self._turn(device, Health.OK if heard_in_time else Health.UNKNOWN, now)
            self._wait(device)

    def restore(self, device: int, state: Health, since_us: int, silence_us: int, *, least_us: int = 0) -> None:
        """Restore the state of a device from the journal; its silence goes on from where the previous run ended.

        ``least_us`` is the least length of its silence, whatever its stamps say.
        """
        fleet = self.fleet
        interval_us = fleet.interval_s[device] * SECOND_US
        would_be_lost_us = (fleet.allowed[device] + 1) * interval_us + self.tolerance_us
        if state is Health.OK and silence_us > would_be_lost_us:
            # The previous run would have found it lost. So the wall clock was changed, and that must not cause a loss.
            silence_us = would_be_lost_us - interval_us
        # At least 1 us, so that a device heard just before the restart also gets its grace period.
        fleet.base_us[device] = self._began_us - max(1, silence_us, least_us)
        fleet.counts[fleet.state[device]] -= 1
        fleet.counts[state] += 1
        fleet.state[device], fleet.since_us[device] = state, since_us
        fleet.turned_us[device] = self._began_us - max(0, self._began_utc_us - since_us)
        if state is Health.NOT_SUPERVISED:
            # This value only has to show whether the device was heard while it was not supervised.
            fleet.base_us[device] = fleet.turned_us[device] + (fleet.heard_us[device] > since_us)
        if state not in {Health.LOST, Health.NOT_SUPERVISED}:
            self._wait(device)

    # --- changes ----------------------------------------------------------------------------------------------------

    def take_state_changes(self) -> list[StateChange]:
        """Return the changes of state since the last call, in order."""
        state_changes, self.state_changes = self.state_changes, []
        return state_changes

    def _turn(self, device: int, state: Health, now: Instant, missed: int = 0) -> None:
        fleet = self.fleet
        before = Health(fleet.state[device])
        fleet.counts[before] -= 1
        fleet.counts[state] += 1
        fleet.state[device] = state
        if fleet.since_us[device]:  # the first state of a new device is no change
            self.state_changes.append(StateChange(device, before, state, now, missed))
        fleet.since_us[device], fleet.turned_us[device] = now.utc_us, self.silence_clock_us(now)
        self.mark(device)
        if state is Health.LOST:
            for child in fleet.ucrs_of(device):
                if fleet.state[child] not in {_PAUSED, _UNKNOWN}:
                    if fleet.state[child] == _LOST:
                        self.wheel.put(child, self.silence_clock_us(now) + fleet.interval_s[child] * SECOND_US)
                    self._turn(child, Health.UNKNOWN, now)

    def mark_all(self) -> None:
        """Mark every device to be written."""
        for device in self.fleet:
            self.mark(device)

    def mark(self, device: int) -> None:
        """Mark a device to be written."""
        self.changed_blocks.add(device // STRETCH)
        if not self.fleet.changed_devices[device]:
            self.fleet.changed_devices[device] = 1
            self.changed_devices.append(device)
