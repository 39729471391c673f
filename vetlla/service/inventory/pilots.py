"""Which pilot devices are free: the first ones of each line, which belong to the city (tender 20220428, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.devices import MovementKind, Place
from vetlla.service.inventory.rent_lines import rent_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from vetlla.domain.devices import DeviceHistory


def free_pilots(histories: Iterable[DeviceHistory], lines: Collection[str], free: int) -> frozenset[int]:
    """Return the numbers of the pilot devices that are neither rented nor bought: the first ``free`` of each line.

    They come in the order of the day on which they first came into a home, those of one day in the order of their
    registration, whatever their owner is. A device that first came into a home in place of another one of its line
    takes that one's place in the order, and so is no further unit.
    """
    heads: dict[str, list[tuple[date, int]]] = {}
    came_for: dict[int, int] = {}
    line_of: dict[int, str] = {}
    for one in histories:
        line = rent_line(one.type)
        first = next((move for move in one.movements if move.place is Place.HOME), None)
        if first is None or line is None or line not in lines:
            continue
        line_of[one.number] = line
        if first.kind is MovementKind.REPLACES and first.other is not None:
            came_for[one.number] = first.other
        heads.setdefault(line, []).append((first.day, one.number))
    own = {
        line: sorted(head for head in some if line_of.get(came_for.get(head[1], 0)) != line)
        for line, some in heads.items()
    }
    chosen = {number for some in own.values() for _, number in some[:free]}
    return frozenset(number for number in line_of if _head(number, came_for, line_of) in chosen)


def _head(number: int, came_for: Mapping[int, int], line_of: Mapping[int, str]) -> int:
    """Return the device whose place a device took, through all replacements of its line."""
    seen = {number}
    while (before := came_for.get(number)) is not None and line_of.get(before) == line_of[number]:
        if before in seen:
            break
        seen.add(before)
        number = before
    return number
