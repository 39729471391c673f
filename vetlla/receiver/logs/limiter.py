"""Saying a repeated thing seldom: scanners and broken panels must not fill the log that tells of the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vetlla.domain.clock import Clock

KEYS = 1024
"""Keys remembered at once: a scan from more addresses within one period is no news from the next one on."""

_OTHERS = object()
"""The key that all share for which there is no room."""


class _Grant(NamedTuple):
    at_us: int
    suppressed: int


class Seldom:
    """Grants an event once per key and period.

    ``if (suppressed := seldom.ask(peer)) is not None: log.warning("peer.foreign", peer=peer, suppressed=suppressed)``
    """

    def __init__(self, clock: Clock, *, every_s: float, keys: int = KEYS) -> None:
        self._clock = clock
        self._every_us = round(every_s * SECOND_US)
        self._keys = keys
        self._grants: dict[Hashable, _Grant] = {}
        """In the order of granting: a key granted anew moves to the end."""

    def ask(self, key: Hashable) -> int | None:
        """Return None to stay silent, or how often this key was told to since it was last granted.

        When ``keys`` others were granted within the period, all further ones count as a single key. A key that made
        room takes its number with it: the metrics count everything.
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
