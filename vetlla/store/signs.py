"""Signs of life: when each device was last heard, how often on its day, and the longest silence that ended on it.

They come by the thousand a second and are written by the stretch: the columns of ``STRETCH`` devices are one row of
16 KiB, whether one of them was heard or all. With a row for each device that was heard, a great fleet would write a
page of the log for every heartbeat.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.ledger import STRETCH

if TYPE_CHECKING:
    import sqlite3

    from vetlla.store.units import Unit

PUT_SIGNS = "INSERT OR REPLACE INTO signs (stretch, day, columns) VALUES (?, ?, ?)"
SIGNS_OF = "SELECT day, columns FROM signs WHERE stretch = ?"
_KINDS = ("q", "I", "I")
"""heard_us, received, longest_s."""
_BYTES = sum(array(kind).itemsize for kind in _KINDS)


class SignsRow(NamedTuple):
    """The signs of life of one stretch of devices."""

    stretch: int
    day: str
    columns: bytes


def pack(heard_us: array[int], received: array[int], longest_s: array[int]) -> bytes:
    """Return the columns of one stretch's devices, the last stretch's as far as it goes."""
    return heard_us.tobytes() + received.tobytes() + longest_s.tobytes()


class Signs:
    """The signs of life of one stretch, as the journal has them."""

    def __init__(self, row: SignsRow) -> None:
        self._first = row.stretch * STRETCH
        self._day = row.day
        devices = len(row.columns) // _BYTES
        columns, place = [], 0
        for kind in _KINDS:
            size = devices * array(kind).itemsize
            columns.append(array(kind, row.columns[place : place + size]))
            place += size
        self._heard_us, self._received, self._longest_s = columns

    def added_to(self, unit: Unit) -> Unit:
        """Return a device as its row and its signs of life have it together, whichever was written later.

        What the row counted on an earlier day than the signs is over; what it counted on a later one stands.
        """
        place = unit.id - self._first
        if place >= len(self._heard_us):
            return unit
        heard_us = max(unit.heard_us, self._heard_us[place])
        if self._day < unit.day:
            return unit._replace(heard_us=heard_us)
        if self._day > unit.day:
            unit = unit._replace(day=self._day, received=0, longest_s=0, unsupervised_s=0, reasons=0)
        return unit._replace(
            heard_us=heard_us,
            received=max(unit.received, self._received[place]),
            longest_s=max(unit.longest_s, self._longest_s[place]),
        )


def read_signs(cursor: sqlite3.Cursor, stretch: int) -> Signs:
    """Return the signs of life of one stretch of devices; without any: of nobody. The cursor gives plain tuples."""
    day, columns = cursor.execute(SIGNS_OF, (stretch,)).fetchone() or ("", b"")
    return Signs(SignsRow(stretch, day, columns))
