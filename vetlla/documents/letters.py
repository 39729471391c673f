"""The letters that can be printed, and where a long code may be broken.

They are those of the typeface in ``fonts/``, without signs that turn or hide a text. PDF/A and PDF/UA refuse a letter
that the typeface does not have, and a name of another system may have any.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

PRINTED: Final = (
    (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x24F),  # Latin; U+00AD is a hyphen that is not seen
    (0x388, 0x38A), (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x3CE),  # Greek
    (0x400, 0x45F),  # Cyrillic
    (0x1E00, 0x1E9B), (0x1EA0, 0x1EF9),
    (0x2009, 0x2009), (0x2010, 0x2022), (0x2026, 0x2026), (0x202F, 0x2030), (0x2032, 0x2033), (0x2039, 0x203A),
    (0x2044, 0x2044), (0x20A0, 0x20B5), (0x2116, 0x2116), (0x2122, 0x2122), (0x2190, 0x2193),
    (0x2202, 0x2202), (0x2206, 0x2206), (0x2211, 0x2212), (0x2215, 0x2215), (0x221A, 0x221A), (0x221E, 0x221E),
    (0x2248, 0x2248), (0x2260, 0x2260), (0x2264, 0x2265), (0x25A0, 0x25A1), (0x25CA, 0x25CB), (0x25CF, 0x25CF),
)  # fmt: skip
"""First and last code point of each range. A test sets all of them in the typeface."""
_OTHERS: Final = re.compile("[^" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in PRINTED) + "]")
_LONGEST = 14
"""Letters of a code that stay together, also in a narrow column."""
_LONG: Final = re.compile(rf"\S{{{_LONGEST + 1}}}")
_TOKEN: Final = re.compile(r"\s+|\S+")
_WORD: Final = re.compile(r"\W?[^\W\d_](?:[^\W\d_]|[·\u2019'-]){0,24}\W{0,3}")
"""A word of a language, with signs around it. It is not broken."""
_PIECE: Final = re.compile(rf"[^_.,;:/@]{{0,{_LONGEST - 1}}}[_.,;:/@](?!\d)|.{{1,{_LONGEST}}}")
"""A part of a code with the sign at its end, or as much as stays together."""
_SPACES: Final = re.compile("[\t\n\r]+")


def printable(text: str) -> str:
    """Return a text with each letter that cannot be printed as its code point, such as ``[U+98DF]``."""
    composed = unicodedata.normalize("NFC", _SPACES.sub(" ", text))
    return _OTHERS.sub(lambda found: f"[U+{ord(found[0]):04X}]", composed)


def pieces(text: str) -> list[str]:
    """Return the parts of a text between which a line may end, or none if it has no long code.

    A code gets no hyphen, which would look like a part of it.
    """
    if not _LONG.search(text):
        return []
    found = []
    for token in _TOKEN.findall(text):
        is_whole = len(token) <= _LONGEST or _WORD.fullmatch(token)
        found += [token] if is_whole else _PIECE.findall(token)
    return found if len(found) > 1 else []
