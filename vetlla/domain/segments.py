"""The parts of an SMS: its encoding, and how many messages a network sends and bills for a text.

A text of the GSM 7-bit alphabet has 160 units in one message, any other text 70 (3GPP TS 23.038, 6.2). A longer text is
sent in parts of 153 or 67 units, because each part has a header that joins it to the others (TS 23.040, 9.2.3.24).
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.gsm7 import BASIC, EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterator

GSM_7_BASIC: Final = frozenset(BASIC) - {"\x1b"}
"""Characters of one unit."""
GSM_7_EXTENSION: Final = frozenset(EXTENSION)
"""Characters of two units: an escape and a code."""


class Encoding(StrEnum):
    """The alphabet of an SMS."""

    GSM_7 = "gsm7"
    UCS_2 = "ucs2"


class _Room(NamedTuple):
    alone: int
    """Units of a text that fits into one message."""
    in_part: int
    """Units of each part of a longer text."""


_LAST_OF_PLANE_0: Final = 0xFFFF
"""A character above this is two code units, a surrogate pair."""
_ZERO_WIDTH_JOINER: Final = "\u200d"
_ROOM: Final = {Encoding.GSM_7: _Room(160, 153), Encoding.UCS_2: _Room(70, 67)}


class Segments(NamedTuple):
    """How a text travels as SMS."""

    encoding: Encoding
    segments: int
    """Messages that the network sends; 1 for an empty text."""
    units: int
    """Characters of the encoding: septets of GSM 7-bit, or code units of two bytes. Headers of parts do not count."""


def segments_of(text: str) -> Segments:
    """Return encoding, number of messages and units of a text."""
    encoding = encoding_of(text)
    return Segments(encoding, len(parts_of(text)), sum(_units(one, encoding) for one in text))


def parts_of(text: str, encoding: Encoding | None = None) -> list[str]:
    """Return the text of each message that the network sends: the whole text if it fits into one.

    No part ends inside an escape pair, a surrogate pair, or a letter with its marks. Without ``encoding`` it is the
    smallest that has every character.
    """
    encoding = encoding or encoding_of(text)
    pieces = list(_pieces(text, encoding))
    room = _ROOM[encoding]
    if sum(units for _, units in pieces) <= room.alone:
        return [text]
    parts, used = [""], 0
    for piece, units in pieces:
        if used + units > room.in_part:
            parts.append("")
            used = 0
        parts[-1] += piece
        used += units
    return parts


def encoding_of(text: str) -> Encoding:
    """Return GSM 7-bit if it has every character of the text."""
    return Encoding.UCS_2 if outside_gsm_7(text) else Encoding.GSM_7


def outside_gsm_7(text: str) -> list[str]:
    """Return the characters that force UCS-2, each once, in the order of the text."""
    return [one for one in dict.fromkeys(text) if one not in GSM_7_BASIC and one not in GSM_7_EXTENSION]


def _units(one: str, encoding: Encoding) -> int:
    """Return the units of a character."""
    if encoding is Encoding.GSM_7:
        return 2 if one in GSM_7_EXTENSION else 1
    return 2 if ord(one) > _LAST_OF_PLANE_0 else 1


def _pieces(text: str, encoding: Encoding) -> Iterator[tuple[str, int]]:
    """Yield each piece that must stay in one part, with its units.

    Such a piece is an escape with its code, a surrogate pair, or a letter with its marks. A sign with more marks than a
    part has units can only be cut.
    """
    if encoding is Encoding.GSM_7:
        yield from ((one, _units(one, encoding)) for one in text)
        return
    piece, size = "", 0
    for one in text:
        units = _units(one, encoding)
        before = piece[-1:]
        is_joined = _belongs(before, one) or (size == 2 and _is_flag_letter(before) and _is_flag_letter(one))
        if size and (not is_joined or size + units > _ROOM[encoding].in_part):
            yield piece, size
            piece, size = "", 0
        piece, size = piece + one, size + units
    if size:
        yield piece, size


def _belongs(before: str, one: str) -> bool:
    """Return True if a character is a part of the sign that the character before it belongs to."""
    return (
        _ZERO_WIDTH_JOINER in {before, one}
        or unicodedata.category(one) in {"Mn", "Mc", "Me"}
        or "\U0001f3fb" <= one <= "\U0001f3ff"  # skin tones
    )


def _is_flag_letter(one: str) -> bool:
    """Return True for a regional indicator; two of them are the flag of a country."""
    return "\U0001f1e6" <= one <= "\U0001f1ff"
