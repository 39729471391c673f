"""Reads the numbers, times and places that protocols send as text. No alarm may be lost because of a bad field.

A field that cannot be read is None and is left out. No function here raises because of what a device sent.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import NOTHING, AccountId, Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NO_ACCOUNT: Final = AccountId("", "", "")
"""A terminal that has not named itself. Its alarms count like any other."""

_NUMBER: Final = re.compile(r"\s*([-+]?\d{1,12}(?:\.\d{0,12})?)\s*", re.ASCII)
_SOUTH_OR_WEST: Final = frozenset("SWO")
_CLOCKLESS: Final = (2010, 1)
"""Month that a terminal's clock shows if it was never set (Eview; batches of such records are public)."""
_FIRST_YEAR: Final = 2001
"""A clock that shows an earlier year was never set: 1970 and 1980 are the epochs of Unix and of GPS, and years of two
digits begin with 2000."""


def number(text: str) -> float | None:
    """Return the decimal number in a field, which may have blanks around it; None if there is none."""
    found = _NUMBER.fullmatch(text)
    return float(found[1]) if found else None


def measured(fields: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return the named fields that hold a number."""
    return {name: value for name, text in fields if (value := number(text)) is not None}


def moment(*digits: str) -> datetime | None:
    """Return the UTC time of year (two digits or four), month, day, hour, minute and second; None if it is invalid."""
    try:
        year, month, day, hour, minute, second = map(int, digits)
        return datetime(year + (2000 if len(digits[0]) <= 2 else 0), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def believed(clock: datetime | None) -> tuple[datetime | None, Mapping[str, str]]:
    """Return the time of a terminal's clock if it was ever set; otherwise None, and a detail that says so.

    The time of an unset clock must not make an alarm look years old, or a place older than the one before.
    """
    if clock is None or clock.year > _CLOCKLESS[0]:  # true for every clock that is set
        return clock, NOTHING
    if clock.year >= _FIRST_YEAR and (clock.year, clock.month) != _CLOCKLESS:
        return clock, NOTHING
    return None, {"clock": f"not set: {clock.isoformat()}"}


def signed(degrees: float, letter: str) -> float:
    """Return degrees, negative for south and west. The device sends a minus sign, a letter, or both.

    O means west, because it is "oest" or "oeste" in the languages of the homes that the service watches over.
    """
    return -abs(degrees) if letter.strip().upper() in _SOUTH_OR_WEST else degrees


def place(
    latitude: float | None,
    longitude: float | None,
    *,
    source: str,
    at: datetime | None = None,
    altitude_m: float | None = None,
    accuracy_m: float | None = None,
) -> Position | None:
    """Return a position; None if half of it is missing, if it is off the globe, or if it is 0,0 for "unknown"."""
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Position(
        latitude=latitude, longitude=longitude, altitude_m=altitude_m, accuracy_m=accuracy_m, source=source, at=at
    )
