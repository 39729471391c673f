"""How many messages may leave: conversations in 24 hours, messages in a second, and messages to one person.

WhatsApp limits how many people a city may write to first in a moving 24 hours (Meta's Cloud API, messaging limits): 250
for a new account. The nearest appointments come first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW: Final = timedelta(hours=24)
NEW_ACCOUNT: Final = 250
"""How many people a new account may write to first in 24 hours."""
PAIR_GAP: Final = timedelta(seconds=6)
"""Least time between two messages to one person on WhatsApp (Meta's Cloud API)."""

_Name = TypeVar("_Name")


def with_budget(wanted: Iterable[tuple[datetime, _Name]], used: int, limit: int) -> set[_Name]:
    """Return which messages may open a conversation now; ``wanted`` has the hour of each appointment.

    ``used`` counts the people of the last 24 hours. One person counts once: name messages to one person alike.
    """
    room = max(0, limit - used)
    nearest: dict[_Name, datetime] = {}
    for start, name in wanted:
        nearest[name] = min(start, nearest.get(name, start))
    return {name for name, _ in sorted(nearest.items(), key=lambda item: item[1])[:room]}


def pair_until(sent_at: datetime | None) -> datetime | None:
    """Return when the next message to a person may leave; None if there was none before."""
    return None if sent_at is None else sent_at + PAIR_GAP


class SendRate:
    """Spreads messages over time: a bucket of places that fills again, with as many places as a second has."""

    def __init__(self, per_second: float, now: datetime) -> None:
        self._per_second = per_second
        self._tokens = max(1.0, per_second)
        self._at = now

    def wait(self, now: datetime) -> timedelta:
        """Take a place and return how long to wait for it; 0 if it is free now. The clock may step back."""
        passed = max(0.0, (now - self._at).total_seconds())
        self._at = now
        self._tokens = min(max(1.0, self._per_second), self._tokens + passed * self._per_second) - 1
        return timedelta(seconds=max(0.0, -self._tokens / self._per_second))
