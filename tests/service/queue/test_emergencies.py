"""A new call continues the right emergency."""

from __future__ import annotations

from vetlla.domain.alarms import Alarm
from vetlla.domain.signals import Kind, Priority
from vetlla.service.queue.emergencies import Closed, Emergency, emergency

WINDOW_US = 100
HOME = ("H1", True, False)


def alarm(number: int, *, began: int = 0, priority: Priority = Priority.LIFE, home: str = "H1") -> Alarm:
    return Alarm(
        id=number,
        home=home,
        account="1234",
        kind=Kind.FALL,
        priority=priority,
        why="fall 102",
        first_signal=number,
        established_us=began,
        opened_us=began,
    )


def closed(*alarms: tuple[Alarm, int]) -> Closed:
    """Return the memory of closed alarms, each with the instant of its closing."""
    remembered = Closed()
    for one, now_us in alarms:
        remembered.add(one, now_us + WINDOW_US, now_us)
    return remembered


def test_only_calls_for_help_are_emergencies() -> None:
    """Priorities LIFE and HOME_RISK have the clock of the contract; a battery has none."""
    found = [emergency(alarm(1, began=7, priority=priority)) for priority in Priority]
    assert found == [Emergency(1, 7), Emergency(1, 7), None, None]


def test_a_closed_emergency_lasts_until_the_very_end_of_the_window() -> None:
    """One microsecond later a call is a new emergency; a call of another home never continues it."""
    remembered = closed((alarm(1, began=7), 50))
    assert remembered.find(HOME, 150) == Emergency(1, 7)
    assert remembered.find(HOME, 151) is None
    assert remembered.find(("H1", True, True), 60) is None
    assert remembered.find(("H2", True, False), 60) is None


def test_the_earliest_of_several_emergencies_gives_the_clock_in_any_order_of_closing() -> None:
    """A call continues the newest alarm, but the user has been waiting since the oldest."""
    older, newer = alarm(1, began=7), alarm(2, began=9)
    for order in ((older, newer), (newer, older)):
        remembered = closed(*((one, 50) for one in order))
        assert remembered.find(HOME, 60) == Emergency(2, 7)
    remembered = closed((older, 50), (newer, 151))
    assert remembered.find(HOME, 160) == Emergency(2, 9)


def test_alarms_are_forgotten_after_their_window() -> None:
    """Closed alarms do not stay in memory after their window."""
    remembered = Closed()
    for number in range(1_000):
        remembered.add(alarm(number, home=f"H{number}"), number + WINDOW_US, number)
    assert len(remembered._ended) == WINDOW_US + 1
