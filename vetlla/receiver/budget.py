"""What one peer, or all of them together, may take: connections, and evidence of what was no report."""

from __future__ import annotations

import resource
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import structlog

from vetlla.domain.clock import SECOND_US
from vetlla.receiver.counters import Refusal
from vetlla.receiver.logs.limiter import Seldom

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.counters import Counters
    from vetlla.settings.model import Limits, Settings

log = structlog.get_logger()

CALLERS_MAX = 256
"""Callers of the control socket at one time: boards and watches of a large room."""
VISITORS_MAX = 64
"""HTTP connections at one time: a few scrapers and health checks."""
OTHER_FILES = 256
"""Descriptors of all else: databases, log, listeners, brokers, and callers that are being turned away."""
SPARE_FILES = CALLERS_MAX + VISITORS_MAX + OTHER_FILES
"""Descriptors beside the connections of peers: none of these may find that peers hold its own."""
MINUTE_US = 60 * SECOND_US
PEERS_MAX = 10_000
"""Peers and homes whose evidence is counted apart within one minute; beyond it all further ones share one budget."""
UNPROVEN_US = SECOND_US // 2
"""Time that a connection has to tell a report of a registered account before it may have to make room. A terminal sends
at once. If the time were longer, a flood that fills all places within it would shut out the next caller."""
UNPROVEN_LOOKED_AT = 1_000
"""Unproven connections among which one of an address is sought: some 0.1 ms for each that is turned away."""
SAY_EVERY_S = 60.0
"""How often the same peer's same fault is logged."""


class Unproven(Protocol):
    """A connection that has told no report of a registered account."""

    host: str
    """Whose budget it is taken from."""
    established: Instant

    def abort(self) -> None:
        """End it at once."""


class Budget:
    """Keeps count for one receiver. Lives in the event loop."""

    def __init__(self, limits: Limits, counters: Counters, clock: Clock) -> None:
        self._apply(limits)
        self.seldom = Seldom(clock, every_s=SAY_EVERY_S)
        self._counters = counters
        self._clock = clock
        self._connections: dict[str, int] = {}
        self._unproven: dict[Unproven, None] = {}
        """Connections that have told no report of a registered account, oldest first."""
        self._kept: dict[Hashable, int] = {}
        self._minute = 0

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings, as far as the descriptors of this process reach."""
        self._apply(settings.limits)

    def _apply(self, limits: Limits) -> None:
        self.limits = limits
        self._room = _room(limits.connections)
        if self._room < limits.connections:
            log.warning("limits.descriptors", connections=limits.connections, possible=self._room)

    def connect(self, host: str) -> Refusal | None:
        """Count a new connection of an address, or return why it is refused.

        If there is no room, the oldest connection that has told no report of a registered account is dropped: one of
        the same address if that has too many, else one of any address. So silent strangers cannot shut out terminals.
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
        """Keep a connection among those that may have to make room."""
        self._unproven[connection] = None

    def prove(self, connection: Unproven) -> None:
        """Let a connection stay: it told a report of a registered account, or has ended."""
        self._unproven.pop(connection, None)

    def _make_room(self, host: str | None) -> bool:
        """Drop the oldest unproven connection, of an address or of any; return True if one was dropped."""
        before_us = self._clock.now().mono_us - UNPROVEN_US
        for connection in islice(self._unproven, UNPROVEN_LOOKED_AT):
            if connection.established.mono_us > before_us:
                return False  # so are all that follow
            if host in {None, connection.host}:
                del self._unproven[connection]
                self._counters.connections_refused[Refusal.UNPROVEN] += 1
                connection.abort()
                return True
        return False

    def disconnect(self, host: str) -> None:
        """Give a connection back."""
        self._counters.connections_open -= 1
        held = self._connections[host] - 1
        if held:
            self._connections[host] = held
        else:
            del self._connections[host]

    def may_keep(self, whose: Hashable) -> bool:
        """Say whether one more reject of this peer, or this home, is kept as evidence within this minute."""
        minute = self._clock.now().mono_us // MINUTE_US
        if minute != self._minute:
            self._minute = minute
            self._kept.clear()
        if whose not in self._kept and len(self._kept) >= PEERS_MAX:
            whose = None
        self._kept[whose] = kept = self._kept.get(whose, 0) + 1
        return kept <= self.limits.rejects_kept_per_peer_per_minute


def _room(connections: int) -> int:
    """Let this process open enough files for so many connections; return how many of them are possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, min(connections, wanted - SPARE_FILES))
