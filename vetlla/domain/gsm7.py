"""The 7-bit alphabet of SMS (3GPP TS 23.038, 6.2.1): text to septets and back, one septet in a byte.

Networks pack septets on the radio path; SMPP and modems in text mode carry them in bytes, as here.
"""

from __future__ import annotations

from typing import Final

ESCAPE: Final = 0x1B
"""Comes before a code of the extension table."""
BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Each character at the place of its code."""
EXTENSION: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
"""Characters that need an escape before their code (TS 23.038, 6.2.1.1)."""

_CODES: Final = {one: bytes([code]) for code, one in enumerate(BASIC) if code != ESCAPE} | {
    one: bytes([ESCAPE, code]) for one, code in EXTENSION.items()
}
_EXTENDED: Final = {code: one for one, code in EXTENSION.items()}


def encoded(text: str) -> bytes:
    """Return the septets of a text. Raises ValueError for a character that the alphabet does not have."""
    try:
        return b"".join(_CODES[one] for one in text)
    except KeyError as error:
        raise ValueError(f"the 7-bit alphabet has no {error.args[0]!r}") from None


def decoded(septets: bytes) -> str:
    """Return the text of septets.

    An unknown code after an escape is read from the basic table, as TS 23.038 6.2.1.1 asks of a telephone. A byte above
    127 is no septet and becomes the sign of replacement.
    """
    text, is_escaped = [], False
    for code in septets:
        if code == ESCAPE and not is_escaped:
            is_escaped = True
            continue
        known = _EXTENDED.get(code) if is_escaped else None
        text.append(known or (BASIC[code] if code < len(BASIC) else "\ufffd"))
        is_escaped = False
    return "".join(text).replace("\x1b", " ")
