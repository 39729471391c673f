"""Extended data blocks of SIA DC-09: one letter, then text (5.5.1.8; letters of the editions 2007 to 2026).

    H time of occurrence   I alarm text   X Y Z position    all others are kept under the names below

Text is UTF-8 or Windows-1252; lengths are not enforced. ``J`` is a network path in 2021 and a JSON object in 2026; the
brace shows which. Of a key block (``K``) only the fact that it came is kept. A block whose letter no edition defines is
kept under that letter (``E``, ``B`` and ``$P`` occur). URLs (``V``) are kept, never fetched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import NOTHING
from vetlla.protocols.dc09.times import read_time
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.fields import believed, place, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from vetlla.domain.signals import Position

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

_MARKS: Final = r"[-+NSEWO°'\s]"
_ANGLE: Final = re.compile(
    rf"{_MARKS}{{0,4}}(\d{{1,3}}(?:[.,]\d+)?)(?:{_MARKS}{{1,4}}(\d{{1,2}}(?:[.,]\d*)?))?{_MARKS}{{0,4}}",
    re.IGNORECASE | re.ASCII,
)
"""Degrees, hemisphere and minutes with decimals as the standard has it (093W23.456), or decimal degrees (dc09_spt).

A personal alarm app writes the sign before the degrees, the minutes or both, and always E and N (-03E-42.222)."""
_LETTERS: Final = frozenset("NSEWO")
_MINUTES: Final = 60
_METRES: Final = re.compile(r"([-+]?\d{1,6}(?:\.\d*)?)\s*M?", re.IGNORECASE | re.ASCII)
"""As many digits as a place on or above the earth needs. Very many digits would give infinity, which JSON lacks."""


class Extras(NamedTuple):
    """The content of the blocks of one frame."""

    occurred_at: datetime | None
    text: str
    position: Position | None
    details: Mapping[str, str]


NO_EXTRAS: Final = Extras(None, "", None, NOTHING)


def read_extended(blocks: Iterable[bytes]) -> Extras:
    """Return the content of all blocks. A block that does not fit its letter stays in the details as received."""
    details: dict[str, str] = {}
    for block in blocks:
        said, value = chr(block[0]) if block else "", readable(block[1:])
        letter = said.upper()  # the dialler of a personal alarm app writes lower case; no edition defines it
        name = NAMES.get(letter, said)
        if letter == "K":
            value = "present"
        elif letter == "J" and value.startswith("{"):
            name = "json"
        details[name] = f"{details[name]}; {value}" if name in details else value
    stated = read_time(details.get("occurred", "").encode())
    moment, clock = believed(stated)
    if stated is not None:
        del details["occurred"]
    return Extras(moment, details.pop("text", ""), _position(details), {**details, **clock})


def _position(details: dict[str, str]) -> Position | None:
    """Return the position and remove it from the details, if latitude and longitude can be read."""
    metres = _METRES.fullmatch(details.get("altitude", "").strip())
    position = place(
        _angle(details.get("latitude", ""), "NS"),
        _angle(details.get("longitude", ""), "EWO"),
        source="",
        altitude_m=float(metres[1]) if metres else None,
    )
    if position is not None:
        del details["latitude"], details["longitude"]
        if metres is not None:
            del details["altitude"]
    return position


def _angle(text: str, hemispheres: str) -> float | None:
    """Return degrees, negative for south and west; None if the text is no such angle."""
    found = _ANGLE.fullmatch(text)
    letters = {letter for letter in text.upper() if letter in _LETTERS}
    if found is None or len(letters) > 1 or not letters <= set(hemispheres):
        return None
    whole, fraction = (float(number.replace(",", ".")) for number in found.groups("0"))
    if fraction >= _MINUTES or (found[2] and not whole.is_integer()):
        return None
    degrees = whole + fraction / _MINUTES
    return -degrees if "-" in text else signed(degrees, "".join(letters))
