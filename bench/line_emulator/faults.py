"""What can happen to a message between the receiver and the computer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from bench.line_emulator.answers import B32_HEADER

if TYPE_CHECKING:
    from random import Random

Damage = Literal["high-bit", "flip"]
MOST_COPIES = 5
"""Most repetitions in a glued message; six copies were seen in the field."""
MOST_NOISE = 4
"""Most bytes of noise before a message."""
NOISE = bytes((0x00, 0x01, 0x7F, *range(0x80, 0x100)))
"""Bytes of noise: what a plugged cable or a wrong clock makes, and no character of a frame."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities from 0 to 1, each for one send."""

    lost_ack: float = 0.0
    """The receiver does not see an acknowledgement that came."""
    cut: float = 0.0
    """A message comes in two parts with a pause between them."""
    half: float = 0.0
    """Only the first part comes. A TCP connection closes then; a serial line is silent."""
    glued: float = 0.0
    """Several copies come without an end mark, as from a receiver that repeats and writes none."""
    damage: float = 0.0
    """One byte is damaged."""
    noise: float = 0.0
    """Some bytes of noise come before the message."""
    damage_as: Damage = "high-bit"
    """``high-bit``: bit 7 is wrong, and parity shows it; ``flip``: another bit, which nothing shows on 8 bits."""
    longest_pause_s: float = 0.05
    """Longest pause inside a message, in seconds."""


class Transmission(NamedTuple):
    """What is really written for one send."""

    parts: tuple[bytes, ...]
    pause_s: float = 0.0
    """Pause before the second part, in seconds."""
    fault: str = ""
    closes: bool = False
    """The connection ends after it."""
    copies: int = 1


def transmission(
    frame: bytes, bare: bytes, faults: Faults, rng: Random, *, packed: bool, parity: bool = False,
) -> Transmission:  # fmt: skip
    """Return what becomes of a frame (``bare``: without its end mark).

    ``packed`` frames have a length, so that none is glued. With ``parity`` each wrong bit shows. A frame has at most
    one of the faults cut, half, glued and damage; noise comes beside each of them.
    """
    noise = bytes(rng.choices(NOISE, k=rng.randint(1, MOST_NOISE))) if rng.random() < faults.noise else b""
    named = "+noise" if noise else ""
    draw = rng.random()
    if (draw := draw - faults.cut) < 0:
        place = rng.randrange(1, len(frame))
        pause = rng.uniform(0.0, faults.longest_pause_s)
        return Transmission((noise + frame[:place], frame[place:]), pause, "cut" + named)
    if (draw := draw - faults.half) < 0:
        return Transmission((noise + frame[: rng.randrange(1, len(bare))],), fault="half" + named, closes=True)
    if (draw := draw - faults.glued) < 0 and not packed:
        copies = rng.randint(2, MOST_COPIES)
        return Transmission((noise + bare * copies,), fault="glued" + named, copies=copies)
    if 0 <= draw < faults.damage:
        place = rng.randrange(B32_HEADER if packed else 0, len(frame))
        bit = 0x80 if faults.damage_as == "high-bit" else 1 << rng.randrange(7)
        damaged = frame[:place] + bytes((frame[place] ^ bit,)) + frame[place + 1 :]
        seen = "parity" if parity else faults.damage_as
        return Transmission((noise + damaged,), fault=f"damage-{seen}{named}")
    return Transmission((noise + frame,), fault=named[1:])
