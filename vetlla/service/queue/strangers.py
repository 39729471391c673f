"""Limits the alarms that strangers may open, so that many strangers cannot hide the alarms of homes.

Every report of a stranger is stored. The first strangers of each network open an alarm each, because an installer may
have forgotten to register a terminal. Further strangers of a network share one alarm, and above a number of open alarms
all strangers share one. If an operator has closed the shared alarm, the next call opens another.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

PER_NETWORK: Final = 20
"""Alarms that the strangers of one network may open within the window of runaways. An installer tests a few
terminals through one gateway."""
OPEN_MAX: Final = 1_000
"""Open alarms of all strangers together. An operator reads some twenty on a screen, and a request lists 500."""
NETWORKS_MAX: Final = 10_000
"""Most networks counted within one window. Above that all further ones count as one."""
EVERYWHERE: Final = "many networks"
_PREFIX: Final = {4: 24, 6: 48}
"""Length of a network's prefix in bits: the largest network that one subscriber gets."""


class Strangers:
    """Counts the alarms that strangers open, by network."""

    __slots__ = ("_opened", "_shared", "_since_us")

    def __init__(self) -> None:
        self._since_us = 0
        self._opened: dict[str, int] = {}
        self._shared: dict[str, int] = {}
        """For each crowd: the alarm that its callers share."""

    def crowd(self, host: str, now_us: int, *, window_us: int, open_alarms: int) -> str:
        """Return the crowd to which a stranger's call belongs; "" if it may open its own alarm, which is counted.

        ``now_us`` is on the monotonic clock; ``open_alarms`` is the number of open alarms of strangers.
        """
        if now_us - self._since_us > window_us:
            self._opened.clear()
            self._since_us = now_us
        if open_alarms >= OPEN_MAX:
            return EVERYWHERE
        network = _network(host)
        if network not in self._opened and len(self._opened) >= NETWORKS_MAX:
            return EVERYWHERE
        self._opened[network] = opened = self._opened.get(network, 0) + 1
        return network if opened > PER_NETWORK else ""

    def shared(self, crowd: str) -> int | None:
        """Return the alarm that a crowd shares; it may have been closed since."""
        return self._shared.get(crowd)

    def share(self, crowd: str, alarm: int) -> None:
        """Make the callers of a crowd share an alarm."""
        if len(self._shared) >= NETWORKS_MAX:
            self._shared.clear()
        self._shared[crowd] = alarm

    def forget(self) -> None:
        """Drop all counts. This can open an alarm too many, but never one too few."""
        self._opened.clear()
        self._shared.clear()


@lru_cache(maxsize=1024)
def _network(host: str) -> str:
    """Return the network of an address; return another text, such as the name of a broker, unchanged."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, _PREFIX[address.version]), strict=False))
