"""Eview pendants (EV-07B) as fixtures/eview shows them: a heartbeat, a record with a fix, an alarm with its own time.

This file builds frames byte by byte, without the decoder's code, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from fastcrc.crc16 import xmodem

from vetlla.simulator.dialects.dialect import Dialect
from vetlla.simulator.dialects.handheld import Handheld, Happening, Occasion, Word, made_up_imei, maker_of

if TYPE_CHECKING:
    from random import Random


HEADER: Final = 8
ANSWER_WANTED: Final = 0x10
REPORT: Final = 0x01
SERVICE: Final = 0x03
TAKEN: Final = bytes.fromhex("7F0100")
MAX_ANSWER: Final = 64
"""Answers to these frames have bodies of three bytes. Bytes with a length above this limit are not an answer."""

_LAST_SEQUENCE: Final = 0xFFFF
_DEGREE: Final = 10_000_000
_ALARM_BITS: Final = {Occasion.SOS: 12, Occasion.FALL: 2, Occasion.LOW_BATTERY: 0}
_GPS: Final = struct.Struct("<iiHHhHIB")
"""Latitude, longitude, km/h, course, altitude m, HDOP/10, odometer m, satellites."""
_BY_GPS, _FROM_MEMORY, _SIGNAL = 1, 1 << 7, 20 << 19


class EviewPendant(Handheld):
    """One pendant. Its numbers start again after 65535."""

    def say(self, happening: Happening) -> Word:
        """Return the frame. Every frame asks for an answer."""
        sequence = happening.number & _LAST_SEQUENCE
        imei = key(0x01, self.id.account.encode())
        if happening.occasion is Occasion.HEARTBEAT:
            command, keys = SERVICE, imei + key(0x10, bytes((happening.charge,)))
        else:
            command, keys = REPORT, imei + _record(happening)
        return Word(f"{command:02X}", str(sequence), frame(sequence, command, keys), answer(sequence))

    def shown(self, frame: bytes) -> bytes:
        """Return a binary frame in hexadecimal digits."""
        return frame.hex().encode()


def key(number: int, value: bytes) -> bytes:
    """Return a key with its value. The length includes the key's own byte."""
    return bytes((len(value) + 1, number)) + value


def frame(sequence: int, command: int, keys: bytes) -> bytes:
    """Return a frame that asks for an answer."""
    return _framed(ANSWER_WANTED, sequence, bytes((command,)) + keys)


def answer(sequence: int) -> bytes:
    """Return the acknowledgement, which is the same for every frame that is not a request."""
    return _framed(0, sequence, TAKEN)


def cut(pending: bytes) -> tuple[list[bytes], bytes]:
    """Return the answers, cut by their length, and the rest. Bytes that do not start an answer are returned whole."""
    answers: list[bytes] = []
    while len(pending) >= HEADER:
        length = int.from_bytes(pending[2:4], "little")
        if pending[:1] != b"\xab" or length > MAX_ANSWER:
            return [*answers, pending], b""
        if len(pending) < HEADER + length:
            break
        answers.append(pending[: HEADER + length])
        pending = pending[HEADER + length :]
    return answers, pending


def damage(frame: bytes, random: Random) -> bytes:
    """Return the frame with one byte of its body changed, so that its checksum is wrong."""
    at = random.randrange(HEADER, len(frame))
    return frame[:at] + bytes((frame[at] ^ random.randrange(1, 256),)) + frame[at + 1 :]


def _record(happening: Happening) -> bytes:
    """Return the keys of one record: the alarm if there is one, then the status and the place."""
    seconds = int(happening.at.timestamp())
    bit = _ALARM_BITS.get(happening.occasion)
    status = happening.charge << 24 | _SIGNAL | _BY_GPS | (_FROM_MEMORY if happening.is_stored else 0)
    place = _GPS.pack(
        round(happening.latitude * _DEGREE), round(happening.longitude * _DEGREE), 4, 90, 12, 9, happening.number, 8
    )
    keys = key(0x24, struct.pack("<II", seconds, status)) + key(0x20, place)
    return keys if bit is None else key(0x02, struct.pack("<II", 1 << bit, seconds)) + keys


def _framed(properties: int, sequence: int, body: bytes) -> bytes:
    return struct.pack("<BBHHH", 0xAB, properties, len(body), xmodem(body), sequence) + body


DIALECT: Final = Dialect(
    name="eview",
    make=maker_of(EviewPendant),
    cut=cut,
    account=made_up_imei,
    form=re.compile(r"\d{15}", re.ASCII),
    form_said="an IMEI of 15 digits",
    mishaps=frozenset({"torn", "batch", "damage", "retry", "storm"}),
    damage=damage,
)
