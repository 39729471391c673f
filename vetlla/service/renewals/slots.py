"""A visit to be placed on a day, as the algorithms that fill days see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A visit to be placed: its window of working days and its minutes."""

    first: int
    last: int
    minutes: int


def by_first_day(slots: Sequence[Slot], days: int) -> list[list[int]]:
    """Return for each day the indexes of the visits whose window begins on it."""
    released: list[list[int]] = [[] for _ in range(days)]
    for number, slot in enumerate(slots):
        released[slot.first].append(number)
    return released
