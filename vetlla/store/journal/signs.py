"""Signs of life: when each device was last heard, how often on its day, and the longest silence that ended on it.

They come by the thousand a second and are written by the stretch: the columns of ``STRETCH`` devices are one row of
16 KiB, whether one of them was heard or all. With a row for each device that was heard, a great fleet would write a
page of the log for every heartbeat.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.journal.ledger import STRETCH

if TYPE_CHECKING:
    import sqlite3


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


class Told(NamedTuple):
    """The signs of life of one device."""

    day: str
    heard_us: int
    received: int
    longest_s: int


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

    def of(self, number: int) -> Told | None:
        """Return what is known of a device; None if the stretch does not reach it."""
        place = number - self._first
        if place >= len(self._heard_us):
            return None
        return Told(self._day, self._heard_us[place], self._received[place], self._longest_s[place])


def read_signs(cursor: sqlite3.Cursor, stretch: int) -> Signs:
    """Return the signs of life of one stretch of devices; without any: of nobody. The cursor gives plain tuples."""
    day, columns = cursor.execute(SIGNS_OF, (stretch,)).fetchone() or ("", b"")
    return Signs(SignsRow(stretch, day, columns))
