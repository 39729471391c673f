"""Limits for one peer and for all peers together: open connections, and rejects that are kept as evidence."""

from __future__ import annotations

import resource
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import structlog

from vetlla.daemon.logs.limiter import LogLimiter
from vetlla.domain.clock import MINUTE_US, SECOND_US
from vetlla.receiver.counters import Refusal

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.counters import Counters
    from vetlla.settings.limits import Limits
    from vetlla.settings.model import Settings

log = structlog.get_logger()

CALLERS_MAX = 256
"""Connections to the control socket at one time: the boards and watchers of a large room."""
VISITORS_MAX = 64
"""HTTP connections at one time: a few scrapers and health checks."""
OTHER_FILES = 256
"""Descriptors for everything else: databases, log, listeners, brokers, and connections that are being refused."""
SPARE_FILES = CALLERS_MAX + VISITORS_MAX + OTHER_FILES
"""Descriptors reserved for other uses than the connections of peers, so that peers cannot take them."""
PEERS_MAX = 10_000
"""Peers and homes that have a budget of their own for rejects within one minute; all further ones share one budget."""
UNPROVEN_US = SECOND_US // 2
"""Time that a connection has to send a report of a registered account. Then the receiver may drop it to make room. A
terminal sends at once. With a longer time, a flood that fills all places within it would shut out the next caller."""
UNPROVEN_LOOKED_AT = 1_000
"""Unproven connections that are searched to find one of an address: some 0.1 ms for each connection that is refused."""
SAY_EVERY_S = 60.0
"""Shortest time between two log lines about the same fault of the same peer."""


class Unproven(Protocol):
    """A connection that has sent no report of a registered account."""

    host: str
    """Address of the peer, whose budget the connection uses."""
    established: Instant

    def abort(self) -> None:
        """Close the connection at once."""


class Budget:
    """Counts what peers use of a receiver's limits. Runs in the event loop."""

    def __init__(self, limits: Limits, counters: Counters, clock: Clock, *, peers_max: int = PEERS_MAX) -> None:
        self._apply(limits)
        self.log_limiter = LogLimiter(clock, every_s=SAY_EVERY_S)
        self._counters = counters
        self._clock = clock
        self._connections: dict[str, int] = {}
        self._unproven: dict[Unproven, None] = {}
        """Connections that have sent no report of a registered account, oldest first."""
        self._kept: dict[Hashable, int] = {}
        self._peers_max = peers_max
        self._minute = 0

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings. This process's limit of open files may allow fewer connections."""
        self._apply(settings.limits)

    def _apply(self, limits: Limits) -> None:
        self.limits = limits
        self._room = _room(limits.connections)
        if self._room < limits.connections:
            log.warning("limits.descriptors", connections=limits.connections, possible=self._room)

    def connect(self, host: str) -> Refusal | None:
        """Count a new connection of an address, or return why it is refused.

        If there is no room, the receiver drops the oldest connection that has sent no report of a registered account.
        It is one of the same address if that has too many, else one of any address. So silent strangers cannot shut
        out terminals.
        """
        held = self._connections.get(host, 0)
        if held >= self.limits.connections_per_peer and not self._make_room(host):
            return Refusal.PEER
        if self._counters.connections_open >= self._room and not self._make_room(None):
            return Refusal.CONNECTIONS
        self._connections[host] = held + 1
        self._counters.connections_open += 1
        self._counters.connections_accepted += 1
        return None

    def hold(self, connection: Unproven) -> None:
        """Add a connection to those that may be dropped to make room."""
        self._unproven[connection] = None

    def prove(self, connection: Unproven) -> None:
        """Remove a connection from those that may be dropped: it sent a registered account's report, or has ended."""
        self._unproven.pop(connection, None)

    def _make_room(self, host: str | None) -> bool:
        """Drop the oldest unproven connection, of an address or of any; return True if one was dropped."""
        before_us = self._clock.now().mono_us - UNPROVEN_US
        for connection in islice(self._unproven, UNPROVEN_LOOKED_AT):
            if connection.established.mono_us > before_us:
                return False  # too young, and all that follow are younger
            if host in {None, connection.host}:
                del self._unproven[connection]
                self._counters.connections_refused[Refusal.UNPROVEN] += 1
                connection.abort()
                return True
        return False

    def disconnect(self, host: str) -> None:
        """Count a connection that has ended."""
        self._counters.connections_open -= 1
        held = self._connections[host] - 1
        if held:
            self._connections[host] = held
        else:
            del self._connections[host]

    def may_keep(self, whose: Hashable) -> bool:
        """Return True if one more reject of this peer, or this home, is kept as evidence within this minute."""
        minute = self._clock.now().mono_us // MINUTE_US
        if minute != self._minute:
            self._minute = minute
            self._kept.clear()
        if whose not in self._kept and len(self._kept) >= self._peers_max:
            whose = None
        self._kept[whose] = kept = self._kept.get(whose, 0) + 1
        return kept <= self.limits.rejects_kept_per_peer_per_minute


def _room(connections: int) -> int:
    """Raise this process's limit of open files for this many connections; return how many are possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, min(connections, wanted - SPARE_FILES))
