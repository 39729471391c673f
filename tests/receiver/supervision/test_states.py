"""The watch: states from signs of life and time, compared with a model that checks every device every second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.accounts import Account
from vetlla.domain.clock import SECOND_US, Instant
from vetlla.receiver.supervision.fleet import NO_PARENT, Fleet
from vetlla.receiver.supervision.silence import Silence
from vetlla.receiver.supervision.states import LOOKED_AT_ONCE, DeviceStates
from vetlla.receiver.supervision.wheel import SLOT_US
from vetlla.service.supervision.rules import Expectation, Health, Pause

UTC_US = 1_767_225_600 * SECOND_US
LISTENER = 1
TERMINAL, UCR = 0, 1


def at(seconds: float) -> Instant:
    mono_us = round(seconds * SECOND_US)
    return Instant(UTC_US + mono_us, mono_us)


class Rig:
    """A watch of a terminal with one UCR, with time in seconds."""

    def __init__(
        self, *, interval_s: int = 60, ucr_interval_s: int = 60, allowed: int = 3, tolerance_s: float = 0
    ) -> None:
        self.fleet = Fleet()
        self.silence = Silence(self.fleet, tolerance_s, at(0))
        self.states = DeviceStates(self.fleet, self.silence)
        self.now_s = 0.0
        for device, parent, each_s in (("", NO_PARENT, interval_s), ("U1", TERMINAL, ucr_interval_s)):
            number = self.states.add(Account(account="1234"), device, parent, at(0))
            self.states.expect(number, Expectation(each_s, allowed), at(0))
            self.states.set_pause(number, Pause.NONE, at(0))

    def until(self, seconds: float) -> None:
        """Let time pass as the daemon's timer does: each slot is checked as soon as it comes."""
        while (due_us := self.states.next_us) is not None and due_us <= seconds * SECOND_US:
            while self.states.pass_time(at(due_us / SECOND_US)):
                pass
        self.now_s = seconds

    def heard(self, *devices: int) -> None:
        for device in devices:
            self.states.heard(device, LISTENER, at(self.now_s))

    def deaf(self, seconds: float) -> None:
        """Let time pass in which the receiver cannot take reports."""
        self.silence.stop(at(self.now_s))
        self.now_s += seconds
        self.silence.restart(at(self.now_s))

    def due_s(self, missed: int = 0) -> float:
        """Return the second at which ``missed`` + 1 signs of life of the terminal will have failed to come."""
        return self.silence.mono_us(self.silence.due_us(TERMINAL, missed)) / SECOND_US

    def state(self, device: int = TERMINAL) -> Health:
        return Health(self.fleet.state[device])

    def somebody_waits(self) -> bool:
        return self.states.next_us is not None

    @property
    def turned(self) -> list[tuple[int, str, float]]:
        """Device, new state and second of each change of state since the last call."""
        return [
            (turn.device, turn.state.word, turn.at.mono_us / SECOND_US) for turn in self.states.take_state_changes()
        ]


# --- terminals --------------------------------------------------------------------------------------------------------


@given(
    interval_s=st.integers(1, 30),
    allowed=st.integers(1, 4),
    beats=st.lists(st.integers(1, 90), max_size=12),
    more_s=st.integers(0, 150),
)
def test_the_state_is_what_the_silence_says(interval_s: int, allowed: int, beats: list[int], more_s: int) -> None:
    """At every second the state is that of a model that measures how long the device has been silent."""
    rig = Rig(interval_s=interval_s, allowed=allowed)
    rig.states.set_pause(UCR, Pause.ORDERED, at(0))
    second, last, heard = 0, 0, False
    gaps = [*beats, more_s]
    for number, gap in enumerate(gaps):
        for _ in range(gap):
            second += 1
            rig.until(second)
            missed = (second - last) // interval_s
            if missed >= allowed:
                expected = Health.LOST
            elif missed:
                expected = Health.LATE
            else:
                expected = Health.OK if heard else Health.UNKNOWN
            assert rig.state() is expected, (second, last)
        if number < len(beats):
            rig.heard(TERMINAL)
            last, heard = second, True
            assert rig.state() is Health.OK
    assert sum(rig.fleet.counts) == 2


def test_lateness_is_found_within_a_slot() -> None:
    """A device becomes late or lost never early, and at most a quarter of a second after its deadline."""
    rig = Rig(interval_s=60, tolerance_s=5)
    rig.until(0.1)
    rig.heard(TERMINAL, UCR)
    rig.until(300)
    late, lost = (second for device, state, second in rig.turned if device == TERMINAL and state != "ok")
    assert 65.1 <= late <= 65.1 + SLOT_US / SECOND_US
    assert 185.1 <= lost <= 185.1 + SLOT_US / SECOND_US


@given(
    interval_s=st.integers(1, 30), allowed=st.integers(1, 4), tolerance_s=st.integers(0, 90), deaf_s=st.integers(0, 9)
)
def test_after_a_check_the_next_deadline_is_later(interval_s: int, allowed: int, tolerance_s: int, deaf_s: int) -> None:
    """Each look leaves deadlines in the future, so the timer never checks a device twice for one deadline."""
    rig = Rig(interval_s=interval_s, allowed=allowed, tolerance_s=tolerance_s)
    rig.heard(TERMINAL, UCR)
    rig.deaf(deaf_s)
    while rig.state() is not Health.LOST:
        due_us = rig.states.next_us
        assert due_us is not None
        rig.states.pass_time(Instant(UTC_US + due_us, due_us))
        next_us = rig.states.next_us
        assert next_us is None or next_us > due_us


def test_a_lost_device_is_no_longer_checked() -> None:
    """A lost device is not checked until it is heard again."""
    rig = Rig()
    rig.until(1000)
    assert rig.somebody_waits()  # for the UCR of the terminal
    rig.states.set_pause(UCR, Pause.ORDERED, at(1000))
    rig.until(2000)
    assert not rig.somebody_waits()
    rig.heard(TERMINAL)
    assert rig.somebody_waits()


def test_the_longest_silence_is_kept() -> None:
    """The longest silence that ended is kept in whole seconds."""
    rig = Rig()
    for second in (10, 130, 140):
        rig.until(second)
        rig.heard(TERMINAL)
    assert (rig.fleet.received[TERMINAL], rig.fleet.longest_s[TERMINAL]) == (3, 120)


def test_time_without_reports_makes_no_device_silent() -> None:
    """Time without reports does not count, and a silence that includes it gets one more interval."""
    rig = Rig(allowed=1)
    rig.heard(TERMINAL)
    rig.until(50)
    rig.deaf(1_000)
    assert rig.due_s() == 1_000 + 60 + 60
    rig.until(1_119)
    assert rig.state() is Health.OK
    rig.until(1_120)
    assert rig.state() is Health.LOST


def test_a_silent_device_is_noticed_however_often_the_disk_fails() -> None:
    """A disk that fails more often than a device is due hides no silent device, because the grace is given once."""
    rig = Rig(allowed=2)
    rig.heard(TERMINAL)
    heard_s = 0.0
    while rig.state() is not Health.LOST:
        rig.until(rig.now_s + 20)
        heard_s += 20
        rig.deaf(7)
    assert heard_s == (2 + 1) * 60


def test_a_device_heard_while_the_disk_fails_is_due_from_the_end_of_the_fault() -> None:
    """A sign of life that arrives while the disk fails counts, and the device gets no grace after it."""
    rig = Rig(allowed=1)
    rig.until(50)
    rig.silence.stop(at(50))
    rig.now_s = 40_000
    rig.heard(TERMINAL)
    rig.silence.restart(at(40_010))
    rig.until(40_069)
    assert rig.state() is Health.OK
    rig.until(40_071)
    assert rig.state() is Health.LOST


def test_a_device_heard_until_a_restart_has_its_grace() -> None:
    """The device may have called while the receiver was down, and a start takes a while."""
    rig = Rig(allowed=1)
    rig.states.restore(TERMINAL, Health.OK, 1, 0)
    assert rig.silence.grace(TERMINAL) == 1
    rig.until(119)
    assert rig.state() is Health.OK
    rig.until(120)
    assert rig.state() is Health.LOST


def test_a_silence_continues_after_a_restart() -> None:
    """Silence of the previous run counts, with one interval of grace, but not more than that run can have seen."""
    for silent_s, lost_s in ((100, 80), (1, 179), (86_400, 60)):
        rig = Rig(allowed=2)
        rig.states.restore(TERMINAL, Health.OK, 1, silent_s * SECOND_US)
        assert rig.due_s(missed=1) == lost_s
        rig.until(lost_s - 1)
        assert rig.state() is not Health.LOST
        rig.until(lost_s)
        assert rig.state() is Health.LOST


def test_a_shorter_interval_counts_at_once() -> None:
    """A device with a later deadline is checked earlier."""
    rig = Rig(interval_s=3600)
    rig.heard(TERMINAL)
    rig.states.expect(TERMINAL, Expectation(10, 2), at(0))
    rig.until(11)
    assert rig.state() is Health.LATE


def test_a_shorter_interval_counts_from_its_change() -> None:
    """The silence before the change makes no device lost, and so not a whole fleet at once."""
    rig = Rig(interval_s=3600)
    rig.heard(TERMINAL)
    rig.until(3000)
    rig.states.expect(TERMINAL, Expectation(60, 3), at(3000))
    rig.until(3001)
    assert rig.state() is Health.OK
    rig.until(3181)
    assert rig.state() is Health.LOST


# --- UCRs -------------------------------------------------------------------------------------------------------------


def test_a_ucr_behind_a_lost_terminal_is_unknown() -> None:
    """When both fall silent at once, the terminal is lost and the UCR is unknown."""
    rig = Rig(ucr_interval_s=60)
    rig.heard(TERMINAL, UCR)
    rig.until(200)
    assert (rig.state(TERMINAL), rig.state(UCR)) == (Health.LOST, Health.UNKNOWN)
    assert (UCR, "lost", 180) not in rig.turned


def test_a_ucr_behind_a_reporting_terminal_is_lost() -> None:
    """The terminal is heard, but the UCR is not."""
    rig = Rig()
    rig.heard(TERMINAL, UCR)
    for second in range(30, 210, 30):
        rig.until(second)
        rig.heard(TERMINAL)
    assert (rig.state(TERMINAL), rig.state(UCR)) == (Health.OK, Health.LOST)


def test_a_ucr_that_was_lost_before_its_terminal_is_unknown_with_it() -> None:
    """The UCR becomes unknown. When the terminal returns, the UCR has a whole interval, and then is lost again."""
    rig = Rig()
    rig.heard(TERMINAL, UCR)
    for second in range(30, 210, 30):
        rig.until(second)
        rig.heard(TERMINAL)
    rig.until(400)
    assert (rig.state(TERMINAL), rig.state(UCR)) == (Health.LOST, Health.UNKNOWN)
    rig.heard(TERMINAL)
    back = rig.turned[-1]
    assert back == (TERMINAL, "ok", 400.0)
    for second in range(430, 580, 30):
        rig.until(second)
        rig.heard(TERMINAL)
        assert rig.state(UCR) is not Health.LOST
    rig.until(580)
    assert rig.state(UCR) is Health.LOST


@pytest.mark.parametrize("interval_s", [20, 60, 90])
def test_a_ucr_behind_a_terminal_that_is_often_late_is_lost(interval_s: int) -> None:
    """Time in which the terminal is late does not count; the rest adds up, even if no part of it is a period long."""
    rig = Rig(interval_s=interval_s, tolerance_s=2)
    rig.heard(TERMINAL, UCR)
    for beat in range(1, 60):
        rig.until(2 * interval_s * beat)
        assert rig.state(TERMINAL) is Health.LATE
        rig.heard(TERMINAL)
        if rig.state(UCR) is Health.LOST:
            break
    assert rig.state(UCR) is Health.LOST
    assert rig.now_s <= 60 * (3 + 1) * 2 + 2 * interval_s


def test_a_ucr_has_time_when_its_terminal_was_late() -> None:
    """An outage that is too short to make a terminal lost does not make its UCR lost either."""
    rig = Rig(tolerance_s=2)
    rig.heard(TERMINAL, UCR)
    rig.until(170)
    assert (rig.state(TERMINAL), rig.state(UCR)) == (Health.LATE, Health.UNKNOWN)
    rig.heard(TERMINAL)
    rig.until(231)
    rig.heard(TERMINAL)
    assert rig.state(UCR) is not Health.LOST


def test_a_ucr_heard_through_a_terminal_that_is_back_is_ok() -> None:
    """The UCR stays unknown until its own sign of life."""
    rig = Rig()
    rig.until(300)
    rig.heard(TERMINAL)
    assert rig.state(UCR) is Health.UNKNOWN
    rig.heard(UCR)
    assert rig.state(UCR) is Health.OK


# --- devices that are not supervised ----------------------------------------------------------------------------------


def test_a_paused_device_is_never_lost_and_never_ok() -> None:
    """The device is not supervised, whether it is heard or not; its silence until the pause is kept."""
    rig = Rig()
    rig.heard(TERMINAL)
    rig.states.set_pause(TERMINAL, Pause.SUSPENDED, at(10))
    rig.until(1000)
    rig.heard(TERMINAL)
    assert rig.state() is Health.NOT_SUPERVISED
    assert rig.fleet.longest_s[TERMINAL] == 10


def test_after_a_pause_a_whole_interval_counts() -> None:
    """The silence begins again; a device that was not heard during the pause is unknown."""
    rig = Rig()
    rig.heard(TERMINAL)
    rig.states.set_pause(TERMINAL, Pause.SUSPENDED, at(10))
    rig.states.set_pause(TERMINAL, Pause.NONE, at(1000))
    assert rig.state() is Health.UNKNOWN
    rig.until(1179)
    assert rig.state() is Health.LATE
    rig.until(1181)
    assert rig.state() is Health.LOST


def test_a_device_heard_during_its_pause_is_ok_after_it() -> None:
    """A device that was heard during its pause is ok after it."""
    rig = Rig()
    rig.states.set_pause(TERMINAL, Pause.AWAY, at(10))
    rig.now_s = 500
    rig.heard(TERMINAL)
    rig.states.set_pause(TERMINAL, Pause.NONE, at(600))
    assert rig.state() is Health.OK


def test_supervision_begins_again_after_the_last_of_several_pauses() -> None:
    """A device with two reasons is supervised again when both have ended."""
    rig = Rig()
    rig.states.set_pause(TERMINAL, Pause.SUSPENDED | Pause.AWAY, at(10))
    rig.states.set_pause(TERMINAL, Pause.SUSPENDED, at(20))
    assert rig.state() is Health.NOT_SUPERVISED
    rig.states.set_pause(TERMINAL, Pause.NONE, at(30))
    assert rig.state() is Health.UNKNOWN


def test_a_fleet_that_falls_silent_at_once_is_checked_in_bounded_steps() -> None:
    """One turn of the event loop checks a limited number of devices; the rest follow at once."""
    fleet = Fleet()
    states = DeviceStates(fleet, Silence(fleet, 0, at(0)))
    for number in range(LOOKED_AT_ONCE + 10):
        device = states.add(Account(account=f"{number}"), "", NO_PARENT, at(0))
        states.expect(device, Expectation(10, 1), at(0))
        states.set_pause(device, Pause.NONE, at(0))
    assert states.pass_time(at(11))
    assert len(states.take_state_changes()) == LOOKED_AT_ONCE
    assert not states.pass_time(at(11))
    assert states.fleet.counts[Health.LOST] == LOOKED_AT_ONCE + 10


@pytest.mark.parametrize("step_s", [-86_400, 86_400])
def test_a_stepped_wall_clock_changes_no_verdict(step_s: int) -> None:
    """Silence is measured on the monotonic clock."""
    rig = Rig()
    rig.heard(TERMINAL)
    stepped = at(30)._replace(utc_us=UTC_US + step_s * SECOND_US)
    rig.states.heard(TERMINAL, LISTENER, stepped)
    rig.until(89)
    assert rig.state() is Health.OK
    rig.until(91)
    assert rig.state() is Health.LATE
