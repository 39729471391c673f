"""Extended data blocks of SIA DC-09: one letter, then text (5.5.1.8; letters of the editions 2007 to 2026).

    H time of occurrence   I alarm text   X Y Z position    all others: kept under the names below

Text is UTF-8 or Windows-1252; lengths are not enforced. ``J`` is a network path in 2021 and a JSON object in 2026: the
brace tells. Of a key block (``K``) only the fact that it came is kept. Letters that no edition defines stay as they are
(``E``, ``B``, ``$P`` are seen). URLs (``V``) are kept, never fetched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.charset import readable
from vetlla.protocols.dc09.times import read_time
from vetlla.signals import NOTHING, Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

NAMES: Final = {
    "A": "authentication",
    "C": "supervision",
    "G": "path",
    "H": "occurred",
    "I": "text",
    "J": "path",
    "K": "key",
    "L": "location",
    "M": "mac",
    "N": "network_address",
    "O": "building",
    "P": "programming",
    "R": "room",
    "S": "site",
    "T": "trigger",
    "V": "verification",
    "X": "longitude",
    "Y": "latitude",
    "Z": "altitude",
}

_MINUTES: Final = re.compile(r"(\d{1,3})\s*([NSEW])\s*(\d{1,2}(?:\.\d*)?)", re.IGNORECASE)
"""The standard's form: degrees, hemisphere, minutes with decimals (093W23.456)."""
_DEGREES: Final = re.compile(r"([-+]?\d{1,3}(?:\.\d+)?)\s*([NSEW]?)", re.IGNORECASE)
"""dc09_spt's form: decimal degrees."""
_METRES: Final = re.compile(r"([-+]?\d{1,6}(?:\.\d*)?)\s*M?", re.IGNORECASE)
"""As many digits as a place on or above the earth needs: more would be no number (JSON knows no infinity)."""


class Extras(NamedTuple):
    """What the blocks of one frame say."""

    occurred_at: datetime | None
    text: str
    position: Position | None
    details: Mapping[str, str]


NO_EXTRAS: Final = Extras(None, "", None, NOTHING)


def read_extended(blocks: Iterable[bytes]) -> Extras:
    """Read all blocks; what cannot be understood as its letter promises stays in the details as it came."""
    details: dict[str, str] = {}
    for block in blocks:
        letter, value = chr(block[0]) if block else "", readable(block[1:])
        name = NAMES.get(letter, letter)
        if letter == "K":
            value = "present"
        elif letter == "J" and value.startswith("{"):
            name = "json"
        details[name] = f"{details[name]}; {value}" if name in details else value
    moment = read_time(details.get("occurred", "").encode())
    if moment is not None:
        del details["occurred"]
    return Extras(moment, details.pop("text", ""), _position(details), details)


def _position(details: dict[str, str]) -> Position | None:
    """Take the position out of the details when latitude and longitude can be read."""
    latitude = _angle(details.get("latitude", ""), "NS", 90)
    longitude = _angle(details.get("longitude", ""), "EW", 180)
    if latitude is None or longitude is None:
        return None
    del details["latitude"], details["longitude"]
    metres = _METRES.fullmatch(details.get("altitude", "").strip())
    if metres is not None:
        del details["altitude"]
    return Position(latitude=latitude, longitude=longitude, altitude_m=float(metres[1]) if metres else None)


def _angle(text: str, hemispheres: str, bound: int) -> float | None:
    """Return degrees, south and west negative; None when the text is no such angle."""
    if found := _MINUTES.fullmatch(text.strip()):
        minutes = float(found[3])
        degrees = int(found[1]) + minutes / 60 if minutes < 60 else bound + 1.0
        hemisphere = found[2].upper()
    elif found := _DEGREES.fullmatch(text.strip()):
        degrees, hemisphere = float(found[1]), found[2].upper()
    else:
        return None
    if abs(degrees) > bound or hemisphere not in hemispheres:
        return None
    return -degrees if hemisphere == hemispheres[1] else degrees
