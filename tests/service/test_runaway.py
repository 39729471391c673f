"""Devices that repeat themselves without end are told from the others."""

from __future__ import annotations

from vetlla.service.runaway import DEVICES_MAX, Device, Runaways
from vetlla.signals import AccountId, Event, Kind, Phase

LIMIT = 3
WINDOW_US = 60_000_000
DOOR = Device("H1", AccountId("", "0", "1"), "5", Event(Kind.DOOR, Phase.NEW, "130", "ADM-CID"), on_test=False)
BATTERY = DOOR._replace(event=Event(Kind.BATTERY_LOW, Phase.NEW, "302", "ADM-CID"))


def counted(runaways: Runaways, device: Device, now_us: int) -> bool:
    return runaways.count(device, now_us, limit=LIMIT, window_us=WINDOW_US)


def test_only_what_is_beyond_the_limit_runs_away() -> None:
    """A device is a runaway from the first report beyond the limit on."""
    runaways = Runaways()
    assert [counted(runaways, DOOR, 0) for _ in range(LIMIT + 2)] == [False, False, False, True, True]


def test_neighbours_are_not_touched() -> None:
    """Another device, another report of the same device, and the device in a test are counted apart."""
    runaways = Runaways()
    for _ in range(LIMIT + 1):
        counted(runaways, DOOR, 0)
    runaways.gather(DOOR, 7)
    for other in (
        BATTERY,
        DOOR._replace(device="6"),
        DOOR._replace(who=AccountId("", "0", "2")),
        DOOR._replace(on_test=True),
    ):
        assert not counted(runaways, other, 0)
        assert runaways.group(other) is None
    assert runaways.group(DOOR) == 7


def test_a_window_ends_with_its_last_moment() -> None:
    """Beyond the window's length a device is heard anew, and its group is forgotten."""
    runaways = Runaways()
    for _ in range(LIMIT + 1):
        counted(runaways, DOOR, 1)
    runaways.gather(DOOR, 7)
    assert counted(runaways, DOOR, WINDOW_US)
    assert runaways.group(DOOR) == 7
    assert not counted(runaways, DOOR, WINDOW_US + 2)
    assert runaways.group(DOOR) is None


def test_memory_is_bounded() -> None:
    """More devices than can be counted end the window early: nobody is grouped who may be heard for the first time."""
    runaways = Runaways()
    for _ in range(LIMIT + 1):
        counted(runaways, DOOR, 0)
    runaways.gather(DOOR, 7)
    for number in range(DEVICES_MAX):
        counted(runaways, DOOR._replace(who=AccountId("", "7", str(number))), 0)
    assert runaways.group(DOOR) is None
    assert not counted(runaways, DOOR, 0)


def test_forgetting_starts_over() -> None:
    """After a commit that failed nobody is grouped for what was not kept."""
    runaways = Runaways()
    for _ in range(LIMIT + 1):
        counted(runaways, DOOR, 0)
    runaways.gather(DOOR, 7)
    runaways.forget()
    assert runaways.group(DOOR) is None
    assert not counted(runaways, DOOR, 0)
