"""Reads the marks by which the kernel shows bytes with a wrong parity (PARMRK of termios).

    FF 00 xx    the byte xx came with a wrong parity, or with a framing error
    FF FF       the byte FF

A byte with a wrong parity is returned with its eighth bit set. So it belongs to no frame of seven bits, and a decoder
treats its frame as damaged on the line.
"""

from __future__ import annotations

from typing import Final

_MARK: Final = 0xFF
_EIGHTH_BIT: Final = 0x80


class ParityMarks:
    """Reads the marks of one stream, cut anywhere."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return the bytes that came on the line."""
        if not self._held and _MARK not in data:
            return data
        data, self._held = self._held + data, b""
        read = bytearray()
        at = 0
        while at < len(data):
            if data[at] != _MARK:
                read.append(data[at])
                at += 1
                continue
            size = 3 if data[at + 1 : at + 2] == b"\0" else 2
            if at + size > len(data):
                self._held = data[at:]
                break
            read.append(data[at + 2] | _EIGHTH_BIT if size == 3 else data[at + 1])
            at += size
        return bytes(read)
