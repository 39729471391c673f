"""The watch: turns signs of life and the passing of time into states. No loop, no store, no alarm.

Silence is measured on the monotonic clock, so a stepped wall clock changes no verdict. A sign of life costs a few steps
in arrays, and nothing here ever goes over the whole fleet: whoever is due is in a slot of the wheel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.clock import SECOND_US
from vetlla.receiver.fleet import NO_PARENT
from vetlla.receiver.wheel import Wheel
from vetlla.service.supervision import Health, Pause, judge, misses, next_miss_us
from vetlla.store.ledger import STRETCH

if TYPE_CHECKING:
    from vetlla.accounts import Account
    from vetlla.clock import Instant
    from vetlla.receiver.fleet import Fleet
    from vetlla.service.supervision import Expectation

_OK, _LOST, _UNKNOWN, _PAUSED = Health.OK.value, Health.LOST.value, Health.UNKNOWN.value, Health.NOT_SUPERVISED.value
_QUIET = frozenset({Health.LATE.value, Health.LOST.value})
LOOKED_AT_ONCE = 2_000
"""Devices looked at in one turn of the loop: some 3 ms, so that no alarm waits for a fleet that fell silent at once."""


class Turn(NamedTuple):
    """A device's change of state."""

    device: int
    before: Health
    state: Health
    at: Instant
    missed: int = 0


class Watch:
    """Keeps the states of a fleet. ``turns`` gathers the changes that somebody must hear of, until they are taken."""

    def __init__(self, fleet: Fleet, tolerance_s: float, floor_us: int) -> None:
        self.fleet = fleet
        self.wheel = Wheel()
        self.turns: list[Turn] = []
        self.stirred: set[int] = set()
        """Stretches of devices of which one was heard, or changed, since they were last written down."""
        self.dirty: list[int] = []
        """Devices whose row is to be written: their state or their pause changed."""
        self.floor_us = floor_us
        """No silence counts from before: the receiver's start, or the end of a time in which it could not hear."""
        self.tolerance_us = round(tolerance_s * SECOND_US)

    def add(self, account: Account, device: str, parent: int, now_us: int) -> int:
        """Take up a device of which nothing is known; return its number. It is not supervised yet."""
        number = self.fleet.add(account, device, parent, now_us)
        self.wheel.grow(number + 1)
        return number

    # --- signs of life ----------------------------------------------------------------------------------------------

    def heard(self, device: int, listener: int, now: Instant) -> None:
        """Take a sign of life."""
        fleet = self.fleet
        mono_us = now.mono_us
        state, base_us = fleet.state[device], fleet.base_us[device]
        if state != _PAUSED:
            self._measure(device, mono_us)
        fleet.base_us[device] = mono_us
        fleet.heard_us[device] = now.utc_us
        fleet.received[device] += 1
        fleet.listener[device] = listener
        self.stirred.add(device // STRETCH)
        if state not in {_OK, _PAUSED}:
            self._back(device, max(base_us, self.floor_us), now)

    def cut_off(self, terminal: int, now: Instant) -> None:
        """Take a broker's word that a terminal's connection broke: it is lost before its silence says so."""
        if self.fleet.state[terminal] not in {_PAUSED, _LOST}:
            self.wheel.remove(terminal)
            self._turn(terminal, Health.LOST, now)

    def _measure(self, device: int, mono_us: int) -> None:
        """Keep the silence that ends now, if it is today's longest."""
        fleet = self.fleet
        silence_s = (mono_us - max(fleet.base_us[device], self.floor_us)) // SECOND_US
        fleet.longest_s[device] = max(fleet.longest_s[device], silence_s)

    def _back(self, device: int, silent_since_us: int, now: Instant) -> None:
        fleet, before = self.fleet, self.fleet.state[device]
        self._turn(device, Health.OK, now)
        if before == _LOST:
            self._wait(device)
        if before not in _QUIET:
            return
        first_miss_us = silent_since_us + next_miss_us(0, fleet.interval_s[device], self.tolerance_us)
        late_us = min(first_miss_us, now.mono_us)
        for child in fleet.kin(device):
            if fleet.state[child] != _UNKNOWN:
                continue
            # It had no way to be heard: that time does not count. That it was not heard is kept.
            self._measure(child, now.mono_us)
            if before == _LOST:
                fleet.base_us[child] = now.mono_us
                self._wait(child)
            else:
                # And no more: behind a terminal that is late every other time nobody would ever be lost.
                counted_us = late_us - max(fleet.base_us[child], self.floor_us)
                fleet.base_us[child] = now.mono_us - max(0, counted_us)

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def next_us(self) -> int | None:
        """Monotonic instant at which somebody must be looked at; None: nobody has to."""
        return self.wheel.next_us

    def pass_time(self, now: Instant) -> bool:
        """Look at whoever is due, a bounded number; say whether there are more."""
        due = self.wheel.take(now.mono_us, LOOKED_AT_ONCE)
        for device in due:
            self._look(device, now)
        return len(due) == LOOKED_AT_ONCE

    def _look(self, device: int, now: Instant) -> None:
        fleet = self.fleet
        if fleet.state[device] == _PAUSED:
            return
        base_us = max(fleet.base_us[device], self.floor_us)
        interval_s, missed = fleet.interval_s[device], 0
        if now.mono_us - base_us >= interval_s * SECOND_US:
            missed = misses(now.mono_us - base_us, interval_s, self.tolerance_us)
        if missed:
            state = judge(missed, fleet.allowed[device], terminal_quiet=self._terminal_is_quiet(device))
            if state != fleet.state[device]:
                self._turn(device, state, now, missed)
            if state is Health.LOST:
                return
        self.wheel.put(device, base_us + next_miss_us(missed, interval_s, self.tolerance_us))

    def _terminal_is_quiet(self, device: int) -> bool:
        parent = self.fleet.parents[device]
        return parent != NO_PARENT and self.fleet.state[parent] in _QUIET

    def _wait(self, device: int) -> None:
        base_us = max(self.fleet.base_us[device], self.floor_us)
        self.wheel.put(device, base_us + next_miss_us(0, self.fleet.interval_s[device], self.tolerance_us))

    # --- who is supervised, and who is not --------------------------------------------------------------------------

    def expect(self, device: int, expectation: Expectation, now: Instant) -> None:
        """Say how often a device is to be heard; of one that is waited for, from now on."""
        fleet = self.fleet
        if fleet.expectation(device) == expectation:
            return
        fleet.interval_s[device], fleet.allowed[device] = expectation
        if fleet.state[device] not in {_PAUSED, _LOST} and expectation.interval_s:
            fleet.base_us[device] = now.mono_us  # its silence so far was in order
            self._wait(device)

    def set_pause(self, device: int, pause: Pause, now: Instant) -> None:
        """Say why a device is not supervised; Pause.NONE: it is. Its silence then counts from now."""
        fleet = self.fleet
        if fleet.pause[device] == pause:
            return
        paused_before = fleet.state[device] == _PAUSED
        fleet.pause[device] = pause
        self.mark(device)
        if pause and not paused_before:
            self._measure(device, now.mono_us)
            self.wheel.remove(device)
            self._turn(device, Health.NOT_SUPERVISED, now)
        elif not pause and paused_before:
            heard_in_time = fleet.heard_us[device] > fleet.since_us[device]
            fleet.base_us[device] = now.mono_us
            self._turn(device, Health.OK if heard_in_time else Health.UNKNOWN, now)
            self._wait(device)

    def restore(self, device: int, state: Health, since_us: int) -> None:
        """Put a device back into the state in which the journal has it; whoever is waited for gets a whole period."""
        fleet = self.fleet
        fleet.counts[fleet.state[device]] -= 1
        fleet.counts[state] += 1
        fleet.state[device], fleet.since_us[device] = state, since_us
        if state not in {Health.LOST, Health.NOT_SUPERVISED}:
            self._wait(device)

    # --- changes ----------------------------------------------------------------------------------------------------

    def take_turns(self) -> list[Turn]:
        """Return what changed since the last time, in order."""
        turns, self.turns = self.turns, []
        return turns

    def _turn(self, device: int, state: Health, now: Instant, missed: int = 0) -> None:
        fleet = self.fleet
        before = Health(fleet.state[device])
        fleet.counts[before] -= 1
        fleet.counts[state] += 1
        fleet.state[device] = state
        if fleet.since_us[device]:  # that it is taken up is no news
            self.turns.append(Turn(device, before, state, now, missed))
        fleet.since_us[device] = now.utc_us
        self.mark(device)
        if state is Health.LOST:
            for child in fleet.kin(device):
                if fleet.state[child] not in {_PAUSED, _UNKNOWN}:
                    if fleet.state[child] == _LOST:
                        self.wheel.put(child, now.mono_us + fleet.interval_s[child] * SECOND_US)
                    self._turn(child, Health.UNKNOWN, now)

    def mark(self, device: int) -> None:
        """Have a device written down."""
        self.stirred.add(device // STRETCH)
        if not self.fleet.dirty[device]:
            self.fleet.dirty[device] = 1
            self.dirty.append(device)
