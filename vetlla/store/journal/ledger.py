"""The ledger of supervision: expected reports, received reports and longest silence of each device on each day.

A day of 180,000 devices has one row for each stretch of 1,024 device numbers. A row holds compressed columns of
integers. Equal neighbours compress to almost nothing, so 24 months of a city's devices need only a few hundred
megabytes (bench/README.md).
"""

from __future__ import annotations

import zlib
from array import array
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.domain.supervision import STRETCH, STRETCH_COLUMNS, DayOf, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES = STRETCH * sum(array(kind).itemsize for _, kind in STRETCH_COLUMNS)
_LEVEL = 6


def pack(stretch: Stretch) -> bytes:
    """Return the columns of a stretch, compressed."""
    return zlib.compress(b"".join(column.tobytes() for column in stretch.columns.values()), _LEVEL)


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
    return pack(stretch)


def unpack(number: int, packed: bytes) -> Iterator[DayOf]:
    """Yield the day of each device of a stretch; a device without data has neither interval nor reasons.

    Raises StoreError if the row is damaged.
    """
    for offset, values in enumerate(zip(*columns_of(number, packed), strict=True)):
        yield DayOf(number * STRETCH + offset, *values)


def columns_of(number: int, packed: bytes) -> list[array[int]]:
    """Return the columns of a stretch in the order of ``STRETCH_COLUMNS``. Raises StoreError if the row is damaged."""
    try:
        plain = zlib.decompress(packed)
    except zlib.error as error:
        raise StoreError(f"ledger: stretch {number} is damaged: {error}", remedy="vetlla db verify") from error
    if len(plain) != _BYTES:
        raise StoreError(
            f"ledger: stretch {number} has {len(plain)} bytes instead of {_BYTES}", remedy="vetlla db verify"
        )
    columns, place = [], 0
    for _, kind in STRETCH_COLUMNS:
        size = STRETCH * array(kind).itemsize
        columns.append(array(kind, plain[place : place + size]))
        place += size
    return columns
