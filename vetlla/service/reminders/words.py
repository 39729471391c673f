"""A citizen's reply as plain words, so that one spelling in the lexicon stands for all that people type.

Catalan's ``l·l`` is typed in many ways (``l.l``, ``l-l``, ``l•l``, ``ŀl``), accents are left out, and telephones add
skin tones and invisible characters. None of these changes the meaning.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_DOTS: Final = "·•‧∙⋅・"
_GEMINATE: Final = re.compile(rf"(?<=[^\W\d_])(?:l\s?[{_DOTS}]\s?l|l[.'\u2019\-]l|ŀl?)(?=[^\W\d_])")
"""``l·l`` between letters of one word; a full stop with a space after it ends a sentence."""
_MIDDLE_DOT: Final = re.compile(rf"(?<=[^\W\d_])[{_DOTS}](?=[^\W\d_])")
_INVISIBLE: Final = re.compile(r"[\ufe00-\ufe0f\u200b-\u200f\u2060\u00ad\ufeff\U0001f3fb-\U0001f3ff]")
"""Variation selectors, zero-width characters, soft hyphens and skin tones."""
_REPEATED: Final = re.compile(r"([^\W\d_])\1{2,}")
"""A letter that is drawn out: "siiii"."""
_MARKS: Final = re.compile(r"[\u0300-\u036f]+")
_WORD: Final = re.compile(r"\d+|[^\W\d_]+|[^\w\s]")
_QUESTIONS: Final = frozenset("?¿\u061f\uff1f")


def words_of(text: str) -> list[str]:
    """Return the words, numbers and signs of a reply, in lower case and without accents and punctuation."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _joined(text)))
    text = _MARKS.sub("", unicodedata.normalize("NFD", _joined(text).casefold()))
    text = _REPEATED.sub(r"\1", text)
    return [word for word in _WORD.findall(text) if word.isalnum() or _is_symbol(word)]


def is_question(text: str) -> bool:
    """Return True if a reply has a question mark."""
    return not _QUESTIONS.isdisjoint(text)


def _joined(text: str) -> str:
    return _MIDDLE_DOT.sub("", _GEMINATE.sub("ll", text.casefold()))


def _is_symbol(sign: str) -> bool:
    """Return True for an emoji or another symbol; False for punctuation."""
    return unicodedata.category(sign) in {"So", "Sk"} and not sign.isascii()
