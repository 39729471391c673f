"""Recognises bytes of seven bits with a parity bit that were read as bytes of eight bits."""

from __future__ import annotations

from typing import Final

BYTES_MIN: Final = 12
"""Fewest bytes to judge by: 12 bytes at random have the same parity once in two thousand times."""
_EIGHTH_BIT: Final = 0x80


def parity_seen(data: bytes) -> str:
    """Return ``even`` or ``odd`` if the bytes look like seven bits with that parity bit; else an empty text.

    ASCII that was sent as 7E1 and read as 8N1 has the eighth bit in about half of its bytes.
    """
    if len(data) < BYTES_MIN or not any(byte & _EIGHTH_BIT for byte in data):
        return ""
    parities = {byte.bit_count() % 2 for byte in data}
    if len(parities) != 1:
        return ""
    return "odd" if parities.pop() else "even"
