"""What may happen to a frame between a line receiver and its computer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.simulator.faults import tear

if TYPE_CHECKING:
    from random import Random

    from vetlla.simulator.weights import LineFaults

EIGHTH_BIT: Final = 0x80
COPIES_MOST: Final = 3
_ENDINGS: Final = b"\x14\r\n"
_B32: Final = 4
"""Bytes of a header, the first of which is NUL."""


class Arrival(NamedTuple):
    """How a frame arrives: its pieces, and the answers besides the first that a computer gives to them."""

    pieces: list[bytes]
    more_answers: int = 0


def arrival(frame: bytes, faults: LineFaults, random: Random) -> Arrival:
    """Return how the first sending of a frame arrives."""
    names = ("damage", "parity", "endless", "glued", "duplicate", "torn")
    shares = [getattr(faults, name) for name in names]
    (happened,) = random.choices((*names, ""), (*shares, max(0.0, 1 - sum(shares))))
    body = frame.rstrip(_ENDINGS)
    head = len(_head(frame))
    copies = random.randint(2, COPIES_MOST)
    ways = {
        "damage": Arrival([_damaged(frame, random.randrange(head, len(body)))]),
        "parity": Arrival([frame[:head] + bytes(map(with_parity, frame[head:]))]),
        "endless": Arrival([body]),
        # Copies in one read are one message, which Vetlla answers once; a second ACK would count for the next message.
        "glued": Arrival([body * (copies - 1) + frame]),
        "duplicate": Arrival([frame, frame], 1),
        "torn": Arrival(tear(frame, random)),
        "": Arrival([frame]),
    }
    return ways[happened]


def with_parity(byte: int) -> int:
    """Return a byte of seven bits with its even parity as eighth bit."""
    return byte | EIGHTH_BIT if byte.bit_count() % 2 else byte


def _damaged(frame: bytes, at: int) -> bytes:
    """Return a frame with one byte changed so that a computer can notice it; Sur-Gard and 685 have no checksum."""
    return frame[:at] + bytes([frame[at] | EIGHTH_BIT]) + frame[at + 1 :]


def _head(frame: bytes) -> bytes:
    return frame[:_B32] if frame.startswith(b"\0") else b""
