"""Which pilot devices are free, against a count that gives them out one by one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.devices import DeviceHistory, DeviceType, Movement, MovementKind, Ownership, Place
from vetlla.service.inventory.pilots import free_pilots

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = ("smartwatch", "choice")
FIRST = date(2026, 1, 1)


def came(number: int, kind: DeviceType, day: int, other: int | None = None) -> DeviceHistory:
    """Return a device that came into a home on a day, or in place of another one."""
    how = MovementKind.INSTALLED if other is None else MovementKind.REPLACES
    on = FIRST + timedelta(days=day)
    receipt = Movement(
        day=FIRST, kind=MovementKind.RECEIVED, place=Place.WAREHOUSE, home="", ownership=Ownership.LEASED
    )
    move = Movement(day=on, kind=how, place=Place.HOME, home="H1", ownership=Ownership.LEASED, other=other)
    return DeviceHistory(number, kind, f"S{number}", (receipt, move))


def slow(arrivals: Sequence[tuple[DeviceType, int, bool]], free: int) -> frozenset[int]:
    """Return the free devices; a replacement is free if the one before it is."""
    found: set[int] = set()
    used = dict.fromkeys(LINES, 0)
    numbered = sorted(enumerate(arrivals, start=1), key=lambda pair: (pair[1][1], pair[0]))
    latest: dict[str, int] = {}
    for number, (kind, _, replaces) in numbered:
        line = kind.value
        if line not in LINES:
            continue
        if replaces and line in latest:
            if latest[line] in found:
                found.add(number)
        elif used[line] < free:
            used[line] += 1
            found.add(number)
        latest[line] = number
    return frozenset(found)


KINDS = st.sampled_from([DeviceType.SMARTWATCH, DeviceType.CHOICE, DeviceType.SMOKE])


@given(st.lists(st.tuples(KINDS, st.integers(0, 9), st.booleans()), max_size=12), st.integers(0, 4))
def test_the_first_devices_of_a_pilot_are_free(arrivals: list[tuple[DeviceType, int, bool]], free: int) -> None:
    """A replacement takes the place of the device before it, and is no further unit."""
    histories: list[DeviceHistory] = []
    latest: dict[DeviceType, int] = {}
    numbered = sorted(enumerate(arrivals, start=1), key=lambda pair: (pair[1][1], pair[0]))
    for number, (kind, day, replaces) in numbered:
        histories.append(came(number, kind, day, latest.get(kind) if replaces else None))
        latest[kind] = number
    assert free_pilots(sorted(histories), LINES, free) == slow(arrivals, free)
