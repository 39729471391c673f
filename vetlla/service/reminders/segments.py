"""The parts of an SMS: its encoding, and how many messages a network sends and bills for a text.

A text of the GSM 7-bit alphabet has 160 units in one message, any other text 70 (3GPP TS 23.038, 6.2). A longer text is
sent in parts of 153 or 67 units, because each part has a header that joins it to the others (TS 23.040, 9.2.3.24).
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

GSM_7_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Characters of one unit (TS 23.038, 6.2.1)."""
GSM_7_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters of two units: an escape and a code (TS 23.038, 6.2.1.1)."""


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
    sizes = list(_sizes(text, encoding))
    units = sum(sizes)
    room = _ROOM[encoding]
    if units <= room.alone:
        return Segments(encoding, 1, units)
    parts, used = 1, 0
    for size in sizes:
        if used + size > room.in_part:
            parts, used = parts + 1, 0
        used += size
    return Segments(encoding, parts, units)


def encoding_of(text: str) -> Encoding:
    """Return GSM 7-bit if it has every character of the text."""
    return Encoding.UCS_2 if outside_gsm_7(text) else Encoding.GSM_7


def outside_gsm_7(text: str) -> list[str]:
    """Return the characters that force UCS-2, each once, in the order of the text."""
    return [one for one in dict.fromkeys(text) if one not in GSM_7_BASIC and one not in GSM_7_EXTENSION]


def _sizes(text: str, encoding: Encoding) -> Iterator[int]:
    """Yield the units of each piece that must stay in one part.

    Such a piece is an escape with its code, a surrogate pair, or a letter with its marks. A sign with more marks than a
    part has units can only be cut.
    """
    if encoding is Encoding.GSM_7:
        yield from (2 if one in GSM_7_EXTENSION else 1 for one in text)
        return
    size, before = 0, ""
    for one in text:
        units = 2 if ord(one) > _LAST_OF_PLANE_0 else 1
        is_joined = _belongs(before, one) or (size == 2 and _is_flag_letter(before) and _is_flag_letter(one))
        if size and (not is_joined or size + units > _ROOM[encoding].in_part):
            yield size
            size = 0
        size, before = size + units, one
    if size:
        yield size


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
