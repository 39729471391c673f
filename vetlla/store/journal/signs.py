"""Signs of life: when each device last reported, how often on its day, and the longest silence that ended that day.

Thousands arrive each second, so they are written by the stretch. The columns of ``STRETCH`` devices are one row of
16 KiB, whether one of them reported or all did. With one row for each device that reported, a large fleet would write
a page of the log for every heartbeat.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.supervision import STRETCH

if TYPE_CHECKING:
    import sqlite3


PUT_SIGNS = "INSERT OR REPLACE INTO signs (stretch, day, columns) VALUES (?, ?, ?)"
SIGNS_OF = "SELECT day, columns FROM signs WHERE stretch = ?"
_KINDS = ("q", "I", "I")
"""Types of the columns heard_us, received and longest_s."""
_BYTES = sum(array(kind).itemsize for kind in _KINDS)


class SignsRow(NamedTuple):
    """The signs of life of one stretch of devices."""

    stretch: int
    day: str
    columns: bytes


def pack_signs(heard_us: array[int], received: array[int], longest_s: array[int]) -> bytes:
    """Return the columns of one stretch's devices as bytes; the last stretch may have fewer devices."""
    return heard_us.tobytes() + received.tobytes() + longest_s.tobytes()


class Told(NamedTuple):
    """The signs of life of one device."""

    day: str
    heard_us: int
    received: int
    longest_s: int


class Signs:
    """The signs of life of one stretch, as the journal keeps them."""

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
        """Return the signs of life of a device; None if the stretch ends before it."""
        place = number - self._first
        if place >= len(self._heard_us):
            return None
        return Told(self._day, self._heard_us[place], self._received[place], self._longest_s[place])


def read_signs(cursor: sqlite3.Cursor, stretch: int) -> Signs:
    """Return the signs of life of one stretch; empty if there are none yet. The cursor must give plain tuples."""
    day, columns = cursor.execute(SIGNS_OF, (stretch,)).fetchone() or ("", b"")
    return Signs(SignsRow(stretch, day, columns))
