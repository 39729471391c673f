"""A text in letters of the SMS alphabet only: ``anul·lar`` becomes ``anul.lar``, and the SMS one part instead of three.

Folding changes only what the alphabet lacks (3GPP TS 23.038, 6.2.1), so ``à``, ``è``, ``é``, ``ò`` and ``ñ`` stay. An
address of the web is never changed, because it would lead elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from vetlla.domain.segments import GSM_7_BASIC, GSM_7_EXTENSION

_ADDRESS: Final = re.compile(
    r"(?:https?://|www\.)\S+|(?<![\w@])[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{2,})/\S*|(?<![\w@])[\w-]+(?:\.[\w-]+)*"
    r"\.(?:cat|com|es|eu|net|org)\b",
    re.IGNORECASE,
)
"""Matches an address of the web: with a scheme, with a path, or with a usual ending."""
_AFTER_ADDRESS: Final = ".,;:!?)\u2026\u00bb\u201d\u2019"
"""Signs that end a sentence, and not the address before them."""
_SIGNS: Final = {
    **dict.fromkeys("·•\u2027\u2219\u22c5", "."),
    **dict.fromkeys("\u2018\u2019\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u00a0\u202f\u2009", " "),
    "\u2026": "...",
}
"""Dots of ``l·l``, quotation marks, dashes, blanks and the ellipsis."""


def fold(text: str) -> str:
    """Return a text with every sign replaced that the SMS alphabet lacks. A sign without a replacement stays."""
    pieces: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        stop = found.start() + len(found[0].rstrip(_AFTER_ADDRESS))
        pieces += [_folded_words(text[end : found.start()]), text[found.start() : stop]]
        end = stop
    return "".join([*pieces, _folded_words(text[end:])])


def _folded_words(words: str) -> str:
    return "".join(map(_folded, unicodedata.normalize("NFC", words)))


def _folded(sign: str) -> str:
    if _has(sign):
        return sign
    if sign in _SIGNS:
        return _SIGNS[sign]
    parts = (one for one in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(one))
    plain = "".join(_SIGNS.get(one, one) for one in parts)
    return plain if plain and all(map(_has, plain)) else sign


def _has(sign: str) -> bool:
    return sign in GSM_7_BASIC or sign in GSM_7_EXTENSION
