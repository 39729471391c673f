"""Puts the parts of citizens' long texts together. A part alone could read as a command that the whole is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.gateways.sms.coding import joined

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.gateways.sms.coding import Joint

PATIENCE_S: Final = 60.0
"""Seconds after its first part for which a text waits for the others; they usually come within a few seconds."""
MOST_TEXTS: Final = 200
"""Most texts that wait for parts; the oldest goes on incomplete when there are more."""


class Key(NamedTuple):
    """Tells a text from others."""

    phone: str
    number: int
    parts: int


@dataclass(slots=True)
class _Waiting:
    since: datetime
    parts: dict[int, str] = field(default_factory=dict)


class Joiner:
    """The texts of which parts are missing."""

    def __init__(self) -> None:
        self._waiting: dict[Key, _Waiting] = {}

    def add(self, phone: str, joint: Joint, text: str, now: datetime) -> str | None:
        """Return the whole text when this was its last part, else None. A repeated part changes nothing."""
        key = Key(phone, joint.number, joint.parts)
        waiting = self._waiting.setdefault(key, _Waiting(now))
        waiting.parts.setdefault(joint.part, text)
        if len(waiting.parts) < joint.parts:
            return None
        del self._waiting[key]
        return "".join(waiting.parts[place] for place in range(1, joint.parts + 1))

    def late(self, now: datetime) -> list[tuple[str, str]]:
        """Return number and text of those that waited long enough, or are too many; missing parts are marked."""
        oldest = sorted(self._waiting, key=lambda key: self._waiting[key].since)
        surplus = oldest[: max(len(oldest) - MOST_TEXTS, 0)]
        ready = [key for key in oldest if (now - self._waiting[key].since).total_seconds() >= PATIENCE_S]
        found = []
        for key in dict.fromkeys((*surplus, *ready)):
            parts = self._waiting.pop(key).parts
            found.append((key.phone, joined([parts.get(place) for place in range(1, key.parts + 1)])))
        return found
