"""The duplicate window: which reports were stored lately, so that a retry is answered again and stored never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.clock import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.settings.model import StoreSettings


class Duplicates:
    """Identities of stored signals, oldest first, within a time and a number."""

    def __init__(self, settings: StoreSettings, recent: Iterable[tuple[bytes, int, int]]) -> None:
        self.use(settings)
        self._seen = {identity: (number, received_us) for identity, number, received_us in recent}
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
        horizon_us = now_us - self._window_us
        while self._seen:
            oldest = next(iter(self._seen))
            if self._seen[oldest][1] >= horizon_us and len(self._seen) <= self._max:
                return
            del self._seen[oldest]

    def first(self, identity: bytes) -> int | None:
        """Return the signal that was stored under this identity; None if there is none."""
        found = self._seen.get(identity)
        return found[0] if found else None

    def add(self, identity: bytes, number: int, received_us: int) -> None:
        """Remember a signal of the batch under way."""
        self._seen[identity] = (number, received_us)
        self._fresh.add(identity)

    def settle(self) -> None:
        """Hear that the signals added so far are durable."""
        self._fresh.clear()

    def take_back(self) -> None:
        """Forget the signals of the batch under way: it did not become durable."""
        for identity in self._fresh:
            del self._seen[identity]
        self._fresh.clear()
