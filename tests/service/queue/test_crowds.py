"""The number of alarms that strangers may open is limited."""

from __future__ import annotations

import pytest

from vetlla.service.queue.strangers import EVERYWHERE, NETWORKS_MAX, OPEN_MAX, PER_NETWORK, Strangers

WINDOW_US = 60_000_000


def crowd(strangers: Strangers, host: str, *, now_us: int = 0, open_alarms: int = 0) -> str:
    return strangers.crowd(host, now_us, window_us=WINDOW_US, open_alarms=open_alarms)


@pytest.mark.parametrize(
    ("host", "neighbour", "other", "network"),
    [
        ("198.51.100.7", "198.51.100.250", "198.51.101.7", "198.51.100.0/24"),
        ("2001:db8:1::7", "2001:db8:1:ffff::9", "2001:db8:2::7", "2001:db8:1::/48"),
        ("mqtt:ward", "mqtt:ward", "mqtt:home", "mqtt:ward"),
    ],
)
def test_a_network_opens_a_number_of_alarms_and_then_shares_one(
    host: str, neighbour: str, other: str, network: str
) -> None:
    """Strangers of one network count together, other networks apart; a new window starts from zero."""
    strangers = Strangers()
    assert {crowd(strangers, host) for _ in range(PER_NETWORK)} == {""}
    assert crowd(strangers, neighbour) == network
    assert crowd(strangers, other) == ""
    assert crowd(strangers, host, now_us=WINDOW_US) == network
    assert crowd(strangers, host, now_us=WINDOW_US + 1) == ""


def test_beyond_a_number_of_open_alarms_all_strangers_share_one() -> None:
    """This holds even if each stranger calls from another network."""
    assert crowd(Strangers(), "198.51.100.7", open_alarms=OPEN_MAX) == EVERYWHERE
    assert crowd(Strangers(), "198.51.100.7", open_alarms=OPEN_MAX - 1) == ""


def test_memory_is_bounded() -> None:
    """Networks above the bound count as one."""
    strangers = Strangers()
    for number in range(NETWORKS_MAX):
        assert crowd(strangers, f"198.{number >> 8}.{number & 255}.1") == ""
    assert crowd(strangers, "203.0.113.9") == EVERYWHERE


def test_counts_of_a_failed_commit_are_forgotten() -> None:
    """After a failed commit the counts are dropped: an alarm too many is better than one too few."""
    strangers = Strangers()
    for _ in range(PER_NETWORK + 1):
        crowd(strangers, "198.51.100.7")
    strangers.share("198.51.100.0/24", 7)
    assert strangers.shared("198.51.100.0/24") == 7
    strangers.forget()
    assert strangers.shared("198.51.100.0/24") is None
    assert crowd(strangers, "198.51.100.7") == ""
