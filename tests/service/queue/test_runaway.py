"""Devices that repeat themselves without end are distinguished from the others."""

from __future__ import annotations

from vetlla.domain.signals import AccountId, Event, Kind, Phase
from vetlla.service.queue.runaway import DEVICES_MAX, Repetition, Runaways, Utterance

LIMIT = 3
WINDOW_US = 60_000_000
DOOR = Utterance("H1", AccountId("", "0", "1"), "5", Event(Kind.DOOR, Phase.NEW, "130", "ADM-CID"), on_test=False)
BATTERY = DOOR._replace(event=Event(Kind.BATTERY_LOW, Phase.NEW, "302", "ADM-CID"))


def counted(runaways: Runaways, said: Utterance, now_us: int) -> int:
    return runaways.count(said, now_us, WINDOW_US).count


def gathered(runaways: Runaways) -> None:
    """Let a device exceed its limit, so that it has an alarm."""
    for _ in range(LIMIT):
        counted(runaways, DOOR, 1)
    runaways.count(DOOR, 1, WINDOW_US).alarm = 7


def test_reports_are_counted() -> None:
    """Each report counts, also the first one."""
    runaways = Runaways()
    assert [counted(runaways, DOOR, 0) for _ in range(3)] == [1, 2, 3]


def test_neighbours_are_not_touched() -> None:
    """Another device, another event of the same device, and the device on test are counted apart."""
    runaways = Runaways()
    gathered(runaways)
    for other in (
        BATTERY,
        DOOR._replace(device="6"),
        DOOR._replace(who=AccountId("", "0", "2")),
        DOOR._replace(on_test=True),
    ):
        assert runaways.count(other, 1, WINDOW_US) == Repetition(1, None)
    assert runaways.count(DOOR, 1, WINDOW_US) == Repetition(LIMIT + 2, 7)


def test_a_window_ends_with_its_last_moment() -> None:
    """After the window a device's report counts as the first one, and its alarm is forgotten."""
    runaways = Runaways()
    gathered(runaways)
    assert runaways.count(DOOR, WINDOW_US, WINDOW_US).alarm == 7
    assert runaways.count(DOOR, WINDOW_US + 2, WINDOW_US) == Repetition(1, None)


def test_memory_is_bounded() -> None:
    """If there are too many devices to count, the window ends early, so no device is grouped by mistake."""
    runaways = Runaways()
    gathered(runaways)
    for number in range(DEVICES_MAX):
        counted(runaways, DOOR._replace(who=AccountId("", "7", str(number))), 0)
    assert runaways.count(DOOR, 0, WINDOW_US) == Repetition(1, None)


def test_forgetting_starts_over() -> None:
    """After a failed commit no device is grouped because of reports that were not stored."""
    runaways = Runaways()
    gathered(runaways)
    runaways.forget()
    assert runaways.count(DOOR, 1, WINDOW_US) == Repetition(1, None)
