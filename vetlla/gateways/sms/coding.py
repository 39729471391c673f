"""The text of an SMS as the bytes of SMPP 3.4, and back.

Data coding 0 is "the default alphabet of the SMSC": for most the 7-bit alphabet with one septet in a byte, for some
Latin-1. So it is a setting. Everything else travels as UCS-2 (8). A part of a long text begins with a header of six
bytes (3GPP TS 23.040, 9.2.3.24.1): 05 00 03, number of the text, count of parts, number of the part.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain import gsm7
from vetlla.domain.segments import Encoding, encoding_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER_FOLLOWS: Final = 0x40
"""Bit of ``esm_class``: the text begins with a header."""
MOST_PARTS: Final = 255
"""The count of parts has one byte."""


class Alphabet(StrEnum):
    """What data coding 0 means to an SMSC."""

    GSM_7 = "gsm7"
    LATIN_1 = "latin1"


class DataCoding(IntEnum):
    """Values of ``data_coding`` (SMPP 3.4, 5.2.19)."""

    DEFAULT = 0
    ASCII = 1
    LATIN_1 = 3
    UCS_2 = 8


class Part(NamedTuple):
    """One message of the network."""

    data: bytes
    """With its header, if it has one."""
    coding: DataCoding
    esm_class: int


class Joint(NamedTuple):
    """The header of a part of a long text."""

    number: int
    """Of the text; the sender counts."""
    parts: int
    part: int
    """From 1."""


def parts_for(text: str, alphabet: Alphabet, number: int) -> list[Part]:
    """Return the parts of a text, with headers if there are several. ``number`` tells its parts from other texts'.

    Raises ValueError for a text of more parts than a header can count.
    """
    coding = coding_of(text, alphabet)
    parts = parts_of(text, Encoding.UCS_2 if coding is DataCoding.UCS_2 else Encoding.GSM_7)
    if len(parts) > MOST_PARTS:
        raise ValueError(f"the text has {len(parts)} parts, and an SMS may have {MOST_PARTS}")
    if len(parts) == 1:
        return [Part(bytes_of(text, coding, alphabet), coding, 0)]
    return [
        Part(
            bytes((5, 0, 3, number & 0xFF, len(parts), place)) + bytes_of(part, coding, alphabet),
            coding,
            HEADER_FOLLOWS,
        )
        for place, part in enumerate(parts, 1)
    ]


def coding_of(text: str, alphabet: Alphabet) -> DataCoding:
    """Return the default alphabet if telephones and this SMSC have every character of the text, else UCS-2."""
    if encoding_of(text) is Encoding.UCS_2:
        return DataCoding.UCS_2
    is_ours = alphabet is Alphabet.GSM_7 or all(ord(one) <= 0xFF for one in text)
    return DataCoding.DEFAULT if is_ours else DataCoding.UCS_2


def bytes_of(text: str, coding: DataCoding, alphabet: Alphabet) -> bytes:
    """Return a text in its coding."""
    if coding is DataCoding.UCS_2:
        return text.encode("utf-16-be", "replace")
    return gsm7.encoded(text) if alphabet is Alphabet.GSM_7 else text.encode("latin-1")


def text_of(data: bytes, coding: int, alphabet: Alphabet) -> str:
    """Return the text of a citizen's message; bytes that are none become the sign of replacement."""
    group = coding >> 4
    if coding == DataCoding.UCS_2 or (group in {0x1, 0xF} and coding & 0x0C == 0x08):
        return data.decode("utf-16-be", "replace")
    if coding == DataCoding.LATIN_1 or (coding == DataCoding.DEFAULT and alphabet is Alphabet.LATIN_1):
        return data.decode("latin-1")
    if coding == DataCoding.ASCII:
        return data.decode("ascii", "replace")
    return gsm7.decoded(data)


def without_header(data: bytes, esm_class: int) -> tuple[bytes, Joint | None]:
    """Return a text without its header, and what the header says about parts."""
    if not esm_class & HEADER_FOLLOWS or not data or data[0] >= len(data):
        return data, None
    header, rest = data[1 : 1 + data[0]], data[1 + data[0] :]
    while len(header) >= 2:
        name, size = header[0], header[1]
        value, header = header[2 : 2 + size], header[2 + size :]
        if (name, size, len(value)) == (0x00, 3, 3):
            return rest, _joint(value[0], value[1], value[2])
        if (name, size, len(value)) == (0x08, 4, 4):  # a number of two bytes
            return rest, _joint(int.from_bytes(value[:2], "big"), value[2], value[3])
    return rest, None


def _joint(number: int, parts: int, part: int) -> Joint | None:
    return Joint(number, parts, part) if 1 <= part <= parts and parts > 1 else None


def joined(parts: Sequence[str | None]) -> str:
    """Return the text of parts; a part that did not come is shown as missing, so that no word is made of its ends."""
    return "".join(" […] " if part is None else part for part in parts)
