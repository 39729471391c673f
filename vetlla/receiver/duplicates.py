"""The duplicate window: which reports were stored lately, so that a retry is answered again and stored never."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from vetlla.clock import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.settings.model import StoreSettings


class Duplicates:
    """Identities of stored signals within a time and a number.

    Beside the dictionary a queue says which is the oldest: the first key of a dictionary that loses its first keys is
    found only behind all that were lost. With a full window that cost 40 us a signal, and 100 ms at a stretch.
    """

    def __init__(self, settings: StoreSettings, recent: Iterable[tuple[bytes, int, int]]) -> None:
        self.use(settings)
        self._order = deque(recent)
        """Identity, signal and receive instant (microseconds UTC), oldest first."""
        self._seen = {identity: number for identity, number, _ in self._order}
        self._fresh: set[bytes] = set()

    def use(self, settings: StoreSettings) -> None:
        """Go on with another window."""
        self._window_us = round(settings.duplicate_window_s * SECOND_US)
        self._max = settings.duplicate_window_max

    def __contains__(self, identity: bytes) -> bool:
        """Say whether a signal of this identity is durable; those of the batch under way are not."""
        return identity in self._seen and identity not in self._fresh

    def forget(self, now_us: int) -> None:
        """Forget what is too old or too much."""
        order, horizon_us = self._order, now_us - self._window_us
        while order and (order[0][2] < horizon_us or len(order) > self._max):
            identity, number, _ = order.popleft()
            if self._seen[identity] == number:  # else it was stored again, when a shorter window had forgotten it
                del self._seen[identity]

    def first(self, identity: bytes) -> int | None:
        """Return the signal that was stored under this identity; None if there is none."""
        return self._seen.get(identity)

    def add(self, identity: bytes, number: int, received_us: int) -> None:
        """Remember a signal of the batch under way."""
        self._seen[identity] = number
        self._order.append((identity, number, received_us))
        self._fresh.add(identity)

    def settle(self) -> None:
        """Hear that the signals added so far are durable."""
        self._fresh.clear()

    def take_back(self) -> None:
        """Forget the signals of the batch under way: it did not become durable."""
        for _ in range(len(self._fresh)):
            identity, _, _ = self._order.pop()
            del self._seen[identity]
        self._fresh.clear()
