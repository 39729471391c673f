"""The ledger of supervision: expected reports, received reports and longest silence of each device on each day.

A day of 180,000 devices has one row for each stretch of 1,024 device numbers. A row holds compressed columns of
integers. Equal neighbours compress to almost nothing, so 24 months of a city's devices need only a few hundred
megabytes (bench/README.md).
"""

from __future__ import annotations

import zlib
from array import array
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STRETCH = 1_024
"""Devices in one row. Gathering them takes a millisecond or two, so no alarm waits for a whole fleet."""
_COLUMNS = (
    ("interval_s", "I"),
    ("allowed_misses", "B"),
    ("supervised_s", "I"),
    ("received", "I"),
    ("longest_s", "I"),
    ("reasons", "B"),
    ("state", "B"),
)
_BYTES = STRETCH * sum(array(kind).itemsize for _, kind in _COLUMNS)
_LEVEL = 6


class DayOf(NamedTuple):
    """One device's day. ``reasons`` are the flags of all its pauses; ``state`` is that at the end of the day."""

    unit: int
    interval_s: int
    allowed_misses: int
    supervised_s: int
    received: int
    longest_s: int
    reasons: int
    state: int


class Stretch:
    """One day of up to ``STRETCH`` devices, in columns named as the fields of ``DayOf``."""

    __slots__ = ("columns", "first")

    def __init__(self, number: int) -> None:
        self.first = number * STRETCH
        self.columns = {name: array(kind, bytes(STRETCH * array(kind).itemsize)) for name, kind in _COLUMNS}

    def put(self, day: DayOf) -> None:
        """Write one device's day."""
        for name, column in self.columns.items():
            column[day.unit - self.first] = getattr(day, name)

    def fill(self, name: str, values: Iterable[int]) -> None:
        """Write a column from its first device on; ``values`` may be shorter than the stretch."""
        column = self.columns[name]
        some = array(column.typecode, values)
        column[: len(some)] = some

    def pack(self) -> bytes:
        """Return the columns, compressed."""
        return zlib.compress(b"".join(column.tobytes() for column in self.columns.values()), _LEVEL)


def merged(number: int, before: bytes, after: bytes) -> bytes:
    """Return two parts of one day as one, with added counts and the longer of the two longest silences."""
    stretch = Stretch(number)
    for one, other in zip(unpack(number, before), unpack(number, after), strict=True):
        known = other if other.interval_s else one
        stretch.put(
            known._replace(
                supervised_s=one.supervised_s + other.supervised_s,
                received=one.received + other.received,
                longest_s=max(one.longest_s, other.longest_s),
                reasons=one.reasons | other.reasons,
            )
        )
    return stretch.pack()


def unpack(number: int, packed: bytes) -> Iterator[DayOf]:
    """Yield the day of each device of a stretch; a device without data has neither interval nor reasons.

    Raises StoreError if the row is damaged.
    """
    try:
        plain = zlib.decompress(packed)
    except zlib.error as error:
        raise StoreError(f"ledger: stretch {number} is damaged: {error}", remedy="vetlla db verify") from error
    if len(plain) != _BYTES:
        raise StoreError(
            f"ledger: stretch {number} has {len(plain)} bytes instead of {_BYTES}", remedy="vetlla db verify"
        )
    columns, place = [], 0
    for _, kind in _COLUMNS:
        size = STRETCH * array(kind).itemsize
        columns.append(array(kind, plain[place : place + size]))
        place += size
    for offset, values in enumerate(zip(*columns, strict=True)):
        yield DayOf(number * STRETCH + offset, *values)
