"""What the computer says: ACK, NAK, or something that is neither; bare, with parity, or behind a B32 header."""

from __future__ import annotations

ACK = 0x06
NAK = 0x15
B32_HEADER = 4
"""Bytes of a B32 header: two zeros and the whole length, header included, as four decimal digits in two bytes."""
B32_ANSWER = bytes((0, 0, 0, 5))
LONGEST_B32 = 9_999


def b32(data: bytes) -> bytes:
    """Return a message behind its header."""
    length = len(data) + B32_HEADER
    if length > LONGEST_B32:
        raise ValueError(f"a message of {len(data)} bytes is too long for a B32 header")
    return b"\x00\x00" + bytes.fromhex(f"{length:04}") + data


def with_parity(data: bytes) -> bytes:
    """Return bytes as a line of 7 bits with even parity has them when 8 bits are looked at."""
    return bytes(byte | (0x80 if byte.bit_count() % 2 else 0) for byte in data)


class Answers:
    """Cuts what came into answers. With B32 only ``00 00 00 05`` and one byte are an answer."""

    def __init__(self, *, header: bool, parity: bool) -> None:
        self._header = header
        self._parity = parity
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the answers in the data: ACK, NAK or 0 (neither) and the bytes of each."""
        if self._parity:
            data = bytes(byte & 0x7F for byte in data)
        if not self._header:
            return [(byte if byte in {ACK, NAK} else 0, bytes((byte,))) for byte in data]
        data, self._rest = self._rest + data, b""
        found: list[tuple[int, bytes]] = []
        while data:
            if data[:B32_HEADER] == B32_ANSWER and len(data) > B32_HEADER:
                answer = data[B32_HEADER]
                found.append((answer if answer in {ACK, NAK} else 0, data[: B32_HEADER + 1]))
                data = data[B32_HEADER + 1 :]
            elif len(data) <= B32_HEADER and B32_ANSWER.startswith(data):
                self._rest, data = data, b""
            else:
                found.append((0, data[:1]))
                data = data[1:]
        return found

    def forget(self) -> None:
        """Forget half an answer: its connection is gone."""
        self._rest = b""
