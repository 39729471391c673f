"""The states of devices, from signs of life and the passing of time. It uses no event loop, store or alarm.

``silence.py`` knows how long a device is silent, and when it will have missed a sign of life. A sign of life costs a
few steps in arrays. ``wheel.py`` gives the devices that are due, so that no report and no deadline needs a search of
the whole fleet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.domain.supervision import STRETCH
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.receiver.supervision.wheel import Wheel
from vetlla.service.supervision.rules import Health, Pause, judge

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.clock import Instant
    from vetlla.receiver.supervision.fleet import Fleet
    from vetlla.receiver.supervision.silence import Silence
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

    def __init__(self, fleet: Fleet, silence: Silence) -> None:
        self.fleet = fleet
        self.silence = silence
        self.wheel = Wheel()
        self.state_changes: list[StateChange] = []
        self.changed_blocks: set[int] = set()
        """Stretches (1,024 devices each) with a device that was heard, or changed, since they were last written."""
        self.changed_devices: list[int] = []
        """Devices whose row must be written, because their state or their pause changed."""

    def add(self, account: Account, device: str, parent: int, now: Instant) -> int:
        """Add a new device and return its number. It is not supervised yet."""
        number = self.fleet.add(account, device, parent)
        self.silence.add(now)
        self.wheel.grow(number + 1)
        return number

    # --- signs of life ----------------------------------------------------------------------------------------------

    def heard(self, device: int, listener: int, now: Instant) -> None:
        """Take a sign of life."""
        fleet = self.fleet
        state, since_us = fleet.state[device], 0
        if state == _PAUSED:
            self.silence.begin(device, now)
        else:
            since_us = self.silence.end(device, now)
        fleet.heard_us[device] = now.utc_us
        fleet.received[device] += 1
        fleet.listener[device] = listener
        self.changed_blocks.add(device // STRETCH)
        if state not in {_OK, _PAUSED}:
            self._back(device, since_us, now)

    def cut_off(self, terminal: int, now: Instant) -> None:
        """Mark a terminal as lost at once, because a broker reports that its connection broke."""
        if self.fleet.state[terminal] not in {_PAUSED, _LOST}:
            self.wheel.remove(terminal)
            self._turn(terminal, Health.LOST, now)

    def _back(self, device: int, silent_since_us: int, now: Instant) -> None:
        """Set a device that was heard again to OK. Its quiet time is taken out of the silences of its UCRs."""
        fleet, silence, before = self.fleet, self.silence, self.fleet.state[device]
        self._turn(device, Health.OK, now)
        if before == _LOST:
            self._wait(device)
        if before not in _QUIET:
            return
        late_us = silence.late_us(device, silent_since_us, now)
        for child in fleet.ucrs_of(device):
            if fleet.state[child] != _UNKNOWN:
                continue
            # The UCR could not be heard, so that time makes it neither late nor lost. The longest silence includes it.
            silence.measure(child, now)
            self.mark(child)
            if before == _LOST:
                silence.begin(child, now)
                self._wait(child)
            else:
                silence.excuse(child, late_us, now)

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def next_us(self) -> int | None:
        """Monotonic instant at which the next device must be checked, or None."""
        next_us = self.wheel.next_us
        return None if next_us is None else self.silence.mono_us(next_us)

    def pass_time(self, now: Instant) -> bool:
        """Check the devices that are due, at most ``LOOKED_AT_ONCE``. Return True if there may be more."""
        due = self.wheel.take(self.silence.read(now), LOOKED_AT_ONCE)
        for device in due:
            self._look(device, now)
        return len(due) == LOOKED_AT_ONCE

    def _look(self, device: int, now: Instant) -> None:
        """Set the state of a due device by its misses. Unless it is lost, put it back into the wheel."""
        fleet = self.fleet
        if fleet.state[device] == _PAUSED:
            return
        missed = self.silence.missed(device, now)
        if missed:
            state = judge(missed, fleet.allowed[device], terminal_quiet=self._terminal_is_quiet(device))
            if state != fleet.state[device]:
                self._turn(device, state, now, missed)
            if state is Health.LOST:
                return
        self.wheel.put(device, self.silence.due_us(device, missed))

    def _terminal_is_quiet(self, device: int) -> bool:
        parent = self.fleet.parents[device]
        return parent != NO_PARENT and self.fleet.state[parent] in _QUIET

    def _wait(self, device: int) -> None:
        """Put a device into the wheel, to be checked at its first miss."""
        self.wheel.put(device, self.silence.due_us(device, 0))

    # --- expectations and pauses ------------------------------------------------------------------------------------

    def expect(self, device: int, expectation: Expectation, now: Instant) -> None:
        """Set how often a device is expected to report. If supervised and not lost, its silence counts from now."""
        fleet = self.fleet
        if fleet.expectation(device) == expectation:
            return
        fleet.interval_s[device], fleet.allowed[device] = expectation
        self.mark(device)
        if fleet.state[device] not in {_PAUSED, _LOST} and expectation.interval_s:
            self.silence.begin(device, now)  # the new interval must not apply to its earlier silence
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
            self.silence.measure(device, now)
            self.wheel.remove(device)
            self._turn(device, Health.NOT_SUPERVISED, now)
        elif not pause and paused_before:
            heard_in_time = self.silence.heard_since(device, fleet.turned_us[device])
            self.silence.begin(device, now)
            self._turn(device, Health.OK if heard_in_time else Health.UNKNOWN, now)
            self._wait(device)

    def restore(self, device: int, state: Health, since_us: int, silent_us: int) -> None:
        """Restore the state of a device from the journal; its silence goes on from where the previous run ended."""
        fleet, silence = self.fleet, self.silence
        silence.go_on(device, state, silent_us)
        fleet.counts[fleet.state[device]] -= 1
        fleet.counts[state] += 1
        fleet.state[device], fleet.since_us[device] = state, since_us
        fleet.turned_us[device] = silence.reading_us(since_us)
        if state is Health.NOT_SUPERVISED:
            silence.set_heard(device, fleet.turned_us[device], heard=fleet.heard_us[device] > since_us)
        if state not in {Health.LOST, Health.NOT_SUPERVISED}:
            self._wait(device)

    # --- changes ----------------------------------------------------------------------------------------------------

    def take_state_changes(self) -> list[StateChange]:
        """Return the changes of state since the last call, in order."""
        state_changes, self.state_changes = self.state_changes, []
        return state_changes

    def _turn(self, device: int, state: Health, now: Instant, missed: int = 0) -> None:
        """Set a device's state and collect the change. When a terminal is lost, the states of its UCRs are unknown."""
        fleet = self.fleet
        before = Health(fleet.state[device])
        fleet.counts[before] -= 1
        fleet.counts[state] += 1
        fleet.state[device] = state
        if fleet.since_us[device]:  # the first state of a new device is no change
            self.state_changes.append(StateChange(device, before, state, now, missed))
        fleet.since_us[device], fleet.turned_us[device] = now.utc_us, self.silence.read(now)
        self.mark(device)
        if state is Health.LOST:
            for child in fleet.ucrs_of(device):
                if fleet.state[child] not in {_PAUSED, _UNKNOWN}:
                    if fleet.state[child] == _LOST:
                        self.wheel.put(child, self.silence.read(now) + fleet.interval_s[child] * SECOND_US)
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
