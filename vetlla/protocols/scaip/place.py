"""The place in a request (``lge``): degrees, or a sentence of a GPS receiver (NMEA 0183, GGA), and their time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vetlla.domain.printable import printable
from vetlla.protocols.framing.fields import number, place, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.domain.signals import Position

_GGA: Final = re.compile(
    r"\$?[A-Z]{2}GGA,[^,]*,(\d{2})(\d{2}\.?\d*),([NS]),(\d{3})(\d{2}\.?\d*),([EW]),([1-8]),[^,]*,[^,]*,(-?[\d.]*)",
    re.ASCII,
)
_FIELDS: Final = ("lge/geo", "lge/tim", "lge/gga")
_TEXT_MOST: Final = 100
"""Most characters of a field that is kept as text. The standard has 81."""


def position_of(first: Callable[[str], str]) -> tuple[Position | None, dict[str, str]]:
    """Return the place, and what of it could not be read, as details. ``first`` returns the text of an element."""
    at = _moment(first("lge/tim"))
    found = _of_degrees(first("lge/geo"), at) or _of_sentence(first("lge/gga"), at)
    left = [name for name in _FIELDS if first(name)] if found is None else []
    if found is not None and first("lge/tim") and at is None:
        left = ["lge/tim"]
    return found, {name: printable(first(name))[:_TEXT_MOST] for name in left}


def _of_degrees(geo: str, at: datetime | None) -> Position | None:
    latitude, comma, longitude = geo.partition(",")
    if not comma:
        return None
    return place(number(latitude), number(longitude.partition(",")[0]), source="geo", at=at)


def _of_sentence(gga: str, at: datetime | None) -> Position | None:
    found = _GGA.match(gga)
    if found is None:
        return None
    latitude = signed(int(found[1]) + (number(found[2]) or 0) / 60, found[3])
    longitude = signed(int(found[4]) + (number(found[5]) or 0) / 60, found[6])
    return place(latitude, longitude, source="gps", at=at, altitude_m=number(found[8]))


def _moment(text: str) -> datetime | None:
    """Return a time with its offset, as UTC; None for a time without one, which may be any place's."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
