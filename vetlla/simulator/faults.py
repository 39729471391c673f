"""Mishaps of a frame on its way: it is cut into pieces, or damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

MAX_PIECES = 12
"""Enough pieces to cut inside every field of a frame now and then. A serial-to-IP converter makes about as many."""

_CRC = range(1, 5)
_BODY = 9
"""Offset of the body behind LF, CRC and length. The length stays: if only it is wrong, the receiver only warns."""


def tear(data: bytes, random: Random) -> list[bytes]:
    """Return the bytes cut at random places into 2 to 12 pieces."""
    cuts = sorted(random.sample(range(1, len(data)), min(len(data) - 1, random.randint(1, MAX_PIECES - 1))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def damage(frame: bytes, random: Random) -> bytes:
    """Return the frame with one character of its CRC or body changed. LF and CR stay, so it looks like a frame."""
    at = random.choice([*_CRC, *range(_BODY, len(frame) - 1)])
    other = random.choice([digit for digit in b"0123456789" if digit != frame[at]])
    return frame[:at] + bytes([other]) + frame[at + 1 :]
