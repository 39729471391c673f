r"""Reads, seals, unseals and builds one frame of SIA DC-09.

    LF crc 0LLL "id" seq [Rrcvr] Lpref #acct [ data ] [xdata]... [_timestamp] CR

    crc     CRC-16/ARC over the bytes from the first quote up to, not including, CR: four hex digits, or two raw bytes
    0LLL    number of those same bytes: "0" and three hex digits
    "id"    token of the payload; if it begins with "*", everything after the first "[" is AES, written as hex
    seq     four digits, echoed untouched
    R L #   receiver, line ("prefix") and account: hex digits, echoed as text
    data    payload as the token names it; xdata blocks carry one letter each (extended.py)
    _time   _HH:MM:SS,MM-DD-YYYY in GMT; obligatory under encryption

header.py reads the header; sealing.py opens sealed data. Clauses are those of SIA DC-09. docs/protocols/dc09.md names
the devices that deviate from it, and how.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from fastcrc.crc16 import arc

from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId, Reason
from vetlla.protocols.dc09.header import EMPTY_LINE, STANDARD, read_odd
from vetlla.protocols.dc09.sealing import FIRST_BLOCK, NO_NOISE, blocks_of, decrypt, find_data, seal, signs_of_change
from vetlla.protocols.dc09.times import read_time, write_time
from vetlla.protocols.framing.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vetlla.domain.signals import Key

NAME: Final = "dc09"
MAX_BODY: Final = 0xFFF
"""Largest length in three hex digits (5.5.1.2). One certified library stops at 0x3FF; no panel needs more."""
MAX_FRAME: Final = 1 + 4 + 4 + MAX_BODY + 1
"""LF, checksum, length, body, CR."""

BINARY_CRC: Final = "binary-crc"
COUNTS_CR: Final = "crc-counts-cr"
WRONG_LENGTH: Final = "wrong-length"
NO_LF: Final = "no-lf"
NOT_CLOSED: Final = "data-not-closed"
BAD_TAIL: Final = "bad-tail"

PADDING: Final = b"\0\t\r\n "
"""Bytes that come after frames (NUL from G90B panels; CR LF pairs). Of these bytes only an LF may begin a frame."""

_LF: Final = 0x0A
_BLANK: Final = 0x20
_BAR: Final = 0x7C
_STANDARD_OPENING: Final = len(b"\n68AF0025")

OPENING: Final = re.compile(rb'\n?([0-9A-Fa-f]{4})0([0-9A-Fa-f]{3})"|\n([\s\S]{2})0([0-9A-Fa-f]{3})"')
"""Where a frame may begin: LF, checksum in hex or (Trikdis, Lupusec) in two raw bytes, length, quote. Old emulators
leave the LF out; the checksum shows whether it was a frame."""

_TIME_BYTES: Final = 20

_Tail: TypeAlias = "tuple[tuple[bytes, ...], datetime | None, tuple[str, ...]]"
"""Extended data, timestamp and quirks of the bytes after the data block."""


class Frame(NamedTuple):
    """One frame whose checksum fits, without the CR after it.

    It is built and unpacked by position, because names cost 0.3 us for each frame; mypy checks the types.
    If ``sealed`` is set and ``key_name`` is empty, ``data`` is the ciphertext in hex and nothing after it is known. The
    ``quirks`` show whether L was absent or empty; an answer copies the header out of ``raw``.
    """

    raw: bytes
    token: str
    sealed: bool
    sequence: str
    id: AccountId
    data: bytes
    extended: tuple[bytes, ...] = ()
    timestamp: datetime | None = None
    key_name: str = ""
    quirks: tuple[str, ...] = ()


def parse(raw: bytes, keys: Sequence[Key] = ()) -> Frame | Damage:
    """Return exactly one frame, read with or without its CR, and unsealed if it is sealed and ``keys`` are given.

    For streams use ``cutter.Dc09Cutter``. Without ``keys`` a sealed frame is returned as received.
    """
    opening = OPENING.match(raw)
    if opening is None:
        return Damage(Reason.MALFORMED, raw, "the bytes are not one frame from LF to CR")
    crc, declared = stated(opening)
    end = covered(raw, opening.end() - 1, len(raw) - raw.endswith(b"\r"), crc)
    if end < 0:
        return Damage(Reason.BAD_CHECKSUM, raw, "the checksum does not fit the bytes that came")
    frame = read(raw, opening, end, declared)
    if keys and frame.sealed:
        return unseal(frame, keys) or Damage(Reason.UNDECRYPTABLE, raw, "none of the keys opens this frame")
    return frame


def stated(opening: re.Match[bytes]) -> tuple[int, int]:
    """Return the checksum and the length that an opening states."""
    checksum, size, raw_checksum, other_size = opening.groups()
    if checksum is not None:
        return int(checksum, 16), int(size, 16)
    return int.from_bytes(raw_checksum, "big"), int(other_size, 16)


def covered(buffer: bytes, quote: int, cr: int, crc: int) -> int:
    """Return where the body ends by its checksum: before the CR, or after it (Eldes); -1 if neither fits."""
    for end in (cr, cr + 1):
        if arc(buffer[quote:end]) == crc:
            return end
    return -1


def read(buffer: bytes, opening: re.Match[bytes], end: int, declared: int) -> Frame:
    """Return the frame from ``opening`` to ``end``, which is the end of the body by its checksum."""
    start, quote = opening.span()
    quote -= 1
    raw = buffer[start:end]
    # Eldes counts the CR that ends the frame. Other padding that a sender counts there has no meaning either.
    last = end if buffer[end - 1] > _BLANK else start + len(raw.rstrip(PADDING))
    body = STANDARD.fullmatch(buffer, quote, last)
    quirks: tuple[str, ...] = ()
    if body is not None:
        star, name, number, receiver, line, account, data, tail = body.groups()
        sealed, token, sequence = star == b"*", name.decode(), number.decode()
        who = AccountId(receiver.decode() if receiver else "", line.decode(), account.decode())
        quirks = () if line else (EMPTY_LINE,)
    else:
        sealed, token, sequence, who, data, tail, quirks = read_odd(buffer[quote:last])
    extended, timestamp, oddities = ((), None, ()) if sealed or tail == b"]" else _tail(tail)
    if BAD_TAIL in oddities:
        data, tail = _spread(data, tail)
        extended, timestamp, _ = _tail(tail)
    if not (quote - start == _STANDARD_OPENING and declared == end - quote and last == end):
        oddities += (
            *((BINARY_CRC,) if opening[3] is not None else ()),
            *((COUNTS_CR,) if last < end else ()),
            *((WRONG_LENGTH,) if declared != end - quote else ()),
            *((NO_LF,) if buffer[start] != _LF else ()),
        )
    return Frame(raw, token, sealed, sequence, who, data, extended, timestamp, "", oddities + quirks)


def _spread(data: bytes, tail: bytes) -> tuple[bytes, bytes]:
    """Return corrected data and tail, if a bracket in a text ended the data too early; only blocks and time may follow.

    An event after such a text would be lost if it stayed in the tail.
    """
    whole = data + tail
    end = len(whole) - _TIME_BYTES
    has_time = whole[end : end + 1] == b"_" and read_time(whole[end + 1 :]) is not None
    close = whole.rfind(b"]", 0, end if has_time else len(whole))
    while (opening := whole.rfind(b"[", 0, close)) > 0 and whole[opening - 1 : opening] == b"]":
        if b"]" in whole[opening:close]:
            break
        close = opening - 1
    return whole[:close], whole[close:]


def _tail(tail: bytes) -> _Tail:
    """Return the extended data and the timestamp after the data block, with the quirks that they have.

    The tail is read from both ends, so a bracket in a text costs neither the time nor, under encryption, the report.
    """
    if not tail:
        return (), None, (NOT_CLOSED,)
    blocks = tail[1:]
    timestamp = read_time(blocks[1 - _TIME_BYTES :]) if blocks[-_TIME_BYTES : -_TIME_BYTES + 1] == b"_" else None
    if timestamp is not None:
        blocks = blocks[:-_TIME_BYTES]
        if not blocks:
            return (), timestamp, ()
    close = blocks.rfind(b"]") if blocks.startswith(b"[") else -1
    extended = tuple(blocks[1:close].split(b"][")) if close > 0 else ()
    return extended, timestamp, (BAD_TAIL,) if blocks[close + 1 :] else ()


def unseal(frame: Frame, keys: Sequence[Key]) -> Frame | None:
    """Return the frame in clear, opened by the first key that fits; None if no key fits.

    A key fits if the text has a "]" and ends in a well-formed time; the standard offers no better proof.
    """
    raw, token, sealed, sequence, who, ciphertext = frame[:6]
    blocks = blocks_of(ciphertext)
    for key in keys if blocks else ():
        text = decrypt(blocks, key.secret)
        found = find_data(text, token, who.account)
        if found is None:
            continue
        start, close = found
        data, tail = text[start:close], text[close:]
        extended, timestamp, quirks = _tail(tail)
        if BAD_TAIL in quirks:
            data, tail = _spread(data, tail)
            extended, timestamp, _ = _tail(tail)
        if timestamp is not None:
            quirks += frame.quirks
            if start > FIRST_BLOCK or text[start - 1] != _BAR or len(text) > NO_NOISE:  # otherwise nothing is odd
                quirks += signs_of_change(text, found, token, long_pad=key.long_pad)
            return Frame(raw, token, sealed, sequence, who, data, extended, timestamp, key.name, quirks)
    return None


def envelope(body: bytes, *, binary_crc: bool = False, counts_cr: bool = False) -> bytes:
    """Return a body with LF, checksum, length and CR. Raises UsageError if it is too long.

    With ``counts_cr``, checksum and length count the CR, as Eldes does.
    """
    counted = body + b"\r" if counts_cr else body
    size = len(counted)
    if size > MAX_BODY:
        raise UsageError(f"a DC-09 body of {size} bytes is too long: the length field holds at most {MAX_BODY}")
    crc = arc(counted)
    if binary_crc:
        return b"\n%b%04X%b\r" % (crc.to_bytes(2, "big"), size, body)
    return b"\n%04X%04X%b\r" % (crc, size, body)


def build(
    token: str,
    sequence: str,
    id: AccountId,  # noqa: A002 - the vocabulary's word for who is calling
    data: bytes,
    *,
    extended: Sequence[bytes] = (),
    timestamp: datetime | None = None,
    key: bytes | None = None,
    binary_crc: bool = False,
    random: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Return a complete frame from LF to CR, sealed if a key (16, 24 or 32 bytes) is given; a key needs a timestamp.

    Without receiver digits R is left out; without line digits ``L0`` is written (5.5.1.6). Raises UsageError if the
    frame is too long, or if a sealed frame has no timestamp.
    """
    receiver = f"R{id.receiver}" if id.receiver else ""
    head = f'"{"*" if key else ""}{token}"{sequence}{receiver}L{id.line or "0"}#{id.account}['
    inside = data + b"]" + b"".join(b"[%b]" % block for block in extended)
    if timestamp is not None:
        inside += b"_" + write_time(timestamp)
    elif key:
        raise UsageError("a sealed DC-09 frame needs a timestamp")
    if key:
        inside = seal(inside, key, random)
    return envelope(head.encode() + inside, binary_crc=binary_crc)
