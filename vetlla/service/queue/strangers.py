"""Callers that are not registered: how many alarms they may open, so that a crowd of them buries no home.

Whatever a stranger says is stored, and the first ones of each network have an alarm each, because an installer may have
forgotten to register a terminal. Beyond that the strangers of a network share one alarm, and beyond a number of open
alarms all strangers share one. What an operator has closed opens again with the next call.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

PER_NETWORK: Final = 20
"""Alarms that the strangers of one network may open within the window of runaways: an installer tries out a few
terminals through one gateway."""
OPEN_MAX: Final = 1_000
"""Open alarms of strangers, all together: an operator reads some twenty on a screen, and a request lists 500."""
NETWORKS_MAX: Final = 10_000
"""Networks counted within one window; beyond it all further ones count as one."""
EVERYWHERE: Final = "many networks"
_PREFIX: Final = {4: 24, 6: 48}
"""Bits of an address that tell networks apart: what one subscriber is given at most."""


class Strangers:
    """Counts the alarms that strangers open, by network."""

    __slots__ = ("_opened", "_shared", "_since_us")

    def __init__(self) -> None:
        self._since_us = 0
        self._opened: dict[str, int] = {}
        self._shared: dict[str, int] = {}
        """By crowd: the alarm that its callers share."""

    def crowd(self, host: str, now_us: int, *, window_us: int, open_alarms: int) -> str:
        """Return the crowd that a stranger's call belongs to; "" lets it open an alarm of its own, which is counted.

        ``now_us`` is on the monotonic clock, ``open_alarms`` how many alarms of strangers are open.
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
        """Return the alarm that a crowd shares, open or closed since."""
        return self._shared.get(crowd)

    def share(self, crowd: str, alarm: int) -> None:
        """Let the callers of a crowd share an alarm."""
        if len(self._shared) >= NETWORKS_MAX:
            self._shared.clear()
        self._shared[crowd] = alarm

    def forget(self) -> None:
        """Count from zero: an alarm more is opened rather than one too few."""
        self._opened.clear()
        self._shared.clear()


@lru_cache(maxsize=1024)
def _network(host: str) -> str:
    """Return the network of an address; what is none, such as the name of a broker, stands for itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, _PREFIX[address.version]), strict=False))
