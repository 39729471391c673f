"""Log repeated events seldom, so that scanners and broken panels do not hide the events of real homes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vetlla.domain.clock import Clock

KEYS = 1024
"""Keys remembered at once. In a scan from more addresses within one period, further addresses count as one key."""

_OTHERS = object()
"""The key that all further keys share when there is no room."""


class _Grant(NamedTuple):
    at_us: int
    suppressed: int


class LogLimiter:
    """Grants an event once per key and period.

    ``if (suppressed := log_limiter.ask(peer)) is not None: log.warning("peer.foreign", suppressed=suppressed)``
    """

    def __init__(self, clock: Clock, *, every_s: float, keys: int = KEYS) -> None:
        self._clock = clock
        self._every_us = round(every_s * SECOND_US)
        self._keys = keys
        self._grants: dict[Hashable, _Grant] = {}
        """In the order of granting; a key that is granted again moves to the end."""

    def ask(self, key: Hashable) -> int | None:
        """Return None if the event must not be logged, else how many events of this key were suppressed since the last.

        If ``keys`` others were granted within the period, all further ones count as a single key. A key that is removed
        to make room loses its number; the metrics count everything.
        """
        now_us = self._clock.now().mono_us
        if key not in self._grants and not self._has_room(now_us):
            key = _OTHERS
        last = self._grants.get(key)
        if last is not None and now_us - last.at_us < self._every_us:
            self._grants[key] = last._replace(suppressed=last.suppressed + 1)
            return None
        self._grants.pop(key, None)
        self._grants[key] = _Grant(now_us, 0)
        return last.suppressed if last else 0

    def _has_room(self, now_us: int) -> bool:
        if len(self._grants) < self._keys:
            return True
        oldest, grant = next(iter(self._grants.items()))
        if now_us - grant.at_us < self._every_us:
            return False
        del self._grants[oldest]
        return True
