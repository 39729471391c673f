"""Cuts a stream of records that have no first byte of their own and no checksum: the output of line receivers.

The fields of a record have known lengths, so a record ends with its last character. A record is returned at that
character, even if the receiver sends no end mark. If other bytes than an end mark follow it, it may have lost its own
end to the next record, so the next record is also searched within it. Bytes up to an end mark that are no record are
``Unshaped``: the decoder decides whether they are a frame of another form. The result depends on the bytes alone, never
on how the network cut them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Field: TypeAlias = bytes | tuple[bytes, int, int]
"""Literal bytes, or a class of characters with its least and greatest number. The second form is a group."""

_MARKS: Final = frozenset(b"\x14\r\n")
"""End marks of line receivers. Sur-Gard ends a frame with DC4, and its emulators also with CR, LF or both."""
_ENDINGS: Final = frozenset((b"\x14", b"\r", b"\r\n", b"\x14\r\n"))
_BLANKS: Final = frozenset(b"\0\t ")
_NUL: Final = 0
_NONE: Final = -1


class Shape:
    """The form of one kind of record."""

    __slots__ = ("begun", "name", "whole")

    def __init__(self, name: str, fields: Sequence[Field]) -> None:
        """Take a name for the decoder, and the fields in their order."""
        self.name = name
        steps = [step for field in fields for step in _steps(field)]
        self.whole = re.compile(
            b"".join(b"(%b{%d,%d}?)" % field if isinstance(field, tuple) else re.escape(field) for field in fields)
        )
        begun = b""
        for chars, least, most in reversed(steps):
            begun = rb"(?:%b{0,%d}\Z|%b{%d,%d}%b)" % (chars, most, chars, least, most, begun)
        self.begun = re.compile(begun)
        """Matches if the bytes up to the end of the buffer may become such a record."""


def _steps(field: Field) -> list[tuple[bytes, int, int]]:
    return [field] if isinstance(field, tuple) else [(re.escape(bytes((byte,))), 1, 1) for byte in field]


class Record(NamedTuple):
    """A whole record: its bytes without end mark, the name of its shape, and its fields."""

    raw: bytes
    name: str
    fields: Sequence[bytes]


class Unshaped(NamedTuple):
    """Bytes up to an end mark, without it, that are no record of a known shape."""

    raw: bytes


Part: TypeAlias = Record | Unshaped | Damage


class Records:
    """Cuts the bytes of one direction of one connection."""

    def __init__(
        self, shapes: Iterable[tuple[bytes, Shape]], *, max_frame: int, header: re.Pattern[bytes] | None = None
    ) -> None:
        """Take each shape with its possible first bytes. ``header`` matches four bytes, the first of them NUL."""
        self._shapes: dict[int, list[Shape]] = {}
        for firsts, shape in shapes:
            for first in firsts:
                self._shapes.setdefault(first, []).append(shape)
        self._gates = {
            first: re.compile(b"|".join(one.pattern for shape in given for one in (shape.whole, shape.begun)))
            for first, given in self._shapes.items()
        }
        """For each first byte: matches if a shape does, or may do so later. So noise costs one match a byte."""
        self._header = header
        self._max_frame = max_frame
        firsts = bytes((*self._shapes, *_MARKS, *((_NUL,) if header else ())))
        self._starts = re.compile(b"[%b]" % re.escape(firsts))
        self._pending = b""
        """Bytes that may still be needed; empty if the last byte was an end mark or a filler."""
        self._at = 0
        """Position of the next byte to look at."""
        self._floor = 0
        """Position before which all bytes belong to records or damage that were returned."""
        self._last = _NONE
        """Start of the record that ends at the floor, until it is known what follows it."""
        self._junk = _NONE
        """Start of the bytes that are no record."""
        self._is_fresh = True
        """True if nothing was returned since the last end mark."""

    def feed(self, data: bytes) -> list[Part]:
        """Take the next bytes; return the parts that they complete. It keeps less than twice ``max_frame`` bytes."""
        if not self._pending and data:
            for shape in self._shapes.get(data[0], ()):
                found = shape.whole.match(data)
                if found is not None and data[found.end() :] in _ENDINGS:
                    self._is_fresh = True
                    return [Record(found[0], shape.name, found.groups())]
        return self._cut(self._pending + data, ended=False)

    def finish(self) -> list[Part]:
        """Take the end of the stream; return the last parts."""
        return self._cut(self._pending, ended=True)

    def _cut(self, buffer: bytes, *, ended: bool) -> list[Part]:
        parts: list[Part] = []
        size = len(buffer)
        while self._at < size:
            at = self._at
            if buffer[at] in _MARKS:
                self._end_line(buffer, parts)
                continue
            record, may_begin = self._look(buffer, at)
            if record is not None and at + len(record.raw) > self._floor:
                self._drop_junk(buffer, at, parts)
                parts.append(record)
                self._last, self._at = at, at + len(record.raw)
                self._floor, self._is_fresh = self._at, False
            elif record is None and may_begin and not ended:
                break
            else:
                self._pass(buffer, at, parts)
        if ended and self._junk != _NONE:
            raw = buffer[self._junk :]
            parts.append(Damage(Reason.TRUNCATED, raw, f"the frame is cut off after {len(raw)} bytes"))
            self._at = self._floor = size
            self._junk = self._last = _NONE
        self._trim(buffer)
        return parts

    def _look(self, buffer: bytes, at: int) -> tuple[Record | None, bool]:
        """Return the record that begins at a position; or None, and True if one may begin there."""
        start, first = at, buffer[at]
        if first == _NUL and self._header is not None:
            if len(buffer) - at <= 4:
                return None, True
            if self._header.match(buffer, at) is None:
                return None, False
            start, first = at + 4, buffer[at + 4]
        gate = self._gates.get(first)
        if gate is None or gate.match(buffer, start) is None:
            return None, False
        for shape in self._shapes[first]:
            found = shape.whole.match(buffer, start)
            if found is not None:
                return Record(buffer[at : found.end()], shape.name, found.groups()), True
        return None, True

    def _end_line(self, buffer: bytes, parts: list[Part]) -> None:
        if self._junk != _NONE:
            raw = buffer[self._junk : self._at]
            parts.append(Unshaped(raw) if self._is_fresh else _junk(raw))
        self._at += 1
        self._floor = self._at
        self._junk = self._last = _NONE
        self._is_fresh = True

    def _pass(self, buffer: bytes, at: int, parts: list[Part]) -> None:
        """Pass over a byte at which no record begins."""
        if self._last != _NONE:
            # The record before may have lost its own end, and have ended with the first bytes of the next one.
            self._at, self._last = self._last + 1, _NONE
            return
        if at < self._floor or (self._junk == _NONE and buffer[at] in _BLANKS and not self._is_headed(buffer, at)):
            self._at += 1
            return
        if self._junk == _NONE:
            self._junk = at
        limit = self._junk + self._max_frame
        found = self._starts.search(buffer, at + 1, limit)
        self._at = found.start() if found else min(len(buffer), limit)
        if self._at >= limit:
            self._drop_junk(buffer, self._at, parts)

    def _is_headed(self, buffer: bytes, at: int) -> bool:
        return self._header is not None and self._header.match(buffer, at) is not None

    def _drop_junk(self, buffer: bytes, end: int, parts: list[Part]) -> None:
        if self._junk != _NONE:
            raw = buffer[self._junk : end]
            if raw.strip(b"\0"):
                parts.append(_junk(raw))
            self._floor, self._junk, self._is_fresh = end, _NONE, False

    def _trim(self, buffer: bytes) -> None:
        """Forget the bytes that are not needed any longer."""
        keep = min(one for one in (self._at, self._junk, self._last) if one != _NONE)
        self._pending = buffer[keep:]
        self._at -= keep
        self._floor = max(0, self._floor - keep)
        self._junk = _NONE if self._junk == _NONE else self._junk - keep
        self._last = _NONE if self._last == _NONE else self._last - keep


def _junk(raw: bytes) -> Damage:
    return Damage(Reason.MALFORMED, raw, f"{len(raw)} bytes belong to no frame")
