r"""The SIA DC-09 envelope: read one frame, seal and unseal it, build one.

    LF crc 0LLL "id" seq [Rrcvr] Lpref #acct [ data ] [xdata]... [_timestamp] CR

    crc     CRC-16/ARC over the bytes from the first quote up to, not including, CR: four hex digits, or two raw bytes
    0LLL    number of those same bytes: "0" and three hex digits
    "id"    token of the payload; "*" inside the opening quote: all behind the first "[" is AES, written as hex
    seq     four digits, echoed untouched
    R L #   receiver, line ("prefix") and account: hex digits, echoed as text
    data    payload as the token names it; xdata blocks carry one letter each (extended.py)
    _time   _HH:MM:SS,MM-DD-YYYY in GMT; obligatory under encryption

Sealed, the text behind "[" is ``pad | data ] [xdata].. _time``: AES-CBC, zero initialisation vector, pad of any bytes
but ``[ | ]`` in front so that the whole fills 16-byte blocks. Editions 2007 to 2026 differ only in the pad's length.
Clauses are cited from SIA DC-09; what the field does otherwise is named with its device in docs/protocols/dc09.md.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from fastcrc.crc16 import arc

from vetlla.errors import UsageError
from vetlla.protocols.damage import Damage
from vetlla.signals import AccountId, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.signals import Key

MAX_BODY: Final = 0xFFF
"""What three hex digits of length can say (5.5.1.2); one certified library stops at 0x3FF, no panel needs more."""
MAX_FRAME: Final = 1 + 4 + 4 + MAX_BODY + 1
"""LF, checksum, length, body, CR."""

EMPTY_TOKENS: Final = frozenset({"NULL", "XNM", "ACK", "NAK", "DUH"})
"""Messages without data: sealed, they also come as ``pad ]`` without the bar (Hikvision, siadc09)."""

BINARY_CRC: Final = "binary-crc"
COUNTS_CR: Final = "crc-counts-cr"
WRONG_LENGTH: Final = "wrong-length"
NO_LINE: Final = "no-line"
EMPTY_LINE: Final = "empty-line"
NO_LF: Final = "no-lf"
NOT_CLOSED: Final = "data-not-closed"
BAD_TAIL: Final = "bad-tail"

_BLOCK: Final = 16
_ZERO_IV: Final = CBC(bytes(_BLOCK))
_PAD_SAFE: Final = bytes.maketrans(b"[|]", b"(!)")
_LF: Final = 0x0A
_CR: Final = 0x0D

OPENING: Final = re.compile(rb'\n?([0-9A-Fa-f]{4})0([0-9A-Fa-f]{3})"|\n([\s\S]{2})0([0-9A-Fa-f]{3})"')
"""Where a frame may begin: LF, checksum in hex or (Trikdis, Lupusec) in two raw bytes, length, quote. Old emulators
leave the LF out; the checksum settles whether it was one."""

_BODY: Final = re.compile(
    rb'"(\*?)([!#-~]{1,16})"([0-9A-Fa-f]{4})'
    rb"(?:R([0-9A-Fa-f]{0,6}))?(?:L([0-9A-Fa-f]{0,6}))?([#A])([0-9A-Za-z]{1,16})"
    rb"\[([^\]]*)((?s:.*))"
)
_TIME_BYTES: Final = 20
_TIME: Final = re.compile(rb"(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})")

_Tail: TypeAlias = "tuple[tuple[bytes, ...], datetime | None, tuple[str, ...]]"
"""Extended data, timestamp and quirks of what stands behind the data block."""


class Frame(NamedTuple):
    """One frame whose checksum fits.

    While ``sealed`` and without ``key_name``, ``data`` is the ciphertext's hex and nothing behind it is known. Whether
    L was absent or empty is among the ``quirks``; an answer copies the header out of ``raw``.
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
    """Read exactly one frame, LF to CR, and unseal it if it is sealed and ``keys`` are given.

    For streams use ``cutter.Cutter``. Without ``keys`` a sealed frame is returned as it came.
    """
    opening = OPENING.match(raw)
    if opening is None or raw[-1] != _CR:
        return Damage(Reason.MALFORMED, raw, "not one frame from LF to CR")
    frame = read(raw, opening, len(raw) - 1) if fits(raw, opening, len(raw) - 1) else None
    if frame is None:
        return Damage(Reason.BAD_CHECKSUM, raw, "the checksum does not fit the bytes that came")
    if keys and isinstance(frame, Frame) and frame.sealed:
        return unseal(frame, keys) or Damage(Reason.UNDECRYPTABLE, raw, "none of the keys opens this frame")
    return frame


def fits(buffer: bytes, opening: re.Match[bytes], end: int) -> bool:
    """Say whether the checksum fits a body that ends before the CR at ``end``, counting that CR or not (Eldes does)."""
    crc = int(opening[1], 16) if opening[1] else int.from_bytes(opening[3], "big")
    quote = opening.end() - 1
    return arc(buffer[quote:end]) == crc or arc(buffer[quote : end + 1]) == crc


def read(buffer: bytes, opening: re.Match[bytes], end: int) -> Frame | Damage:
    """Return the frame that starts at ``opening`` and has its CR at ``end``; the checksum was found to fit."""
    start = opening.start()
    quote = opening.end() - 1
    raw = buffer[start : end + 1]
    body = _BODY.fullmatch(buffer, quote, end)
    if body is None:
        return Damage(Reason.MALFORMED, raw, "checksum is right but the header is not: token, sequence, L or account")
    star, token, sequence, receiver, line, mark, account, data, tail = body.groups()
    if mark == b"A" and token != b"NAK":  # only NAK names its account "A0" (5.5.2.2)
        return Damage(Reason.MALFORMED, raw, "checksum is right but there is no # before the account")
    extended, timestamp, quirks = ((), None, ()) if star or tail == b"]" else _tail(tail)
    if not (line and opening[1] and buffer[start] == _LF and int(opening[2], 16) == end - quote):
        quirks += _quirks(buffer, opening, end, line)
    return Frame(
        raw,
        token.decode(),
        star == b"*",
        sequence.decode(),
        AccountId(receiver.decode() if receiver else "", line.decode() if line else "", account.decode()),
        data,
        extended,
        timestamp,
        "",
        quirks,
    )


def _quirks(buffer: bytes, opening: re.Match[bytes], end: int, line: bytes | None) -> tuple[str, ...]:
    """Name what the header does otherwise than the standard: for the technician, never a reason to refuse."""
    size = end - opening.end() + 1
    crc = int(opening[1], 16) if opening[1] else int.from_bytes(opening[3], "big")
    counts_cr = arc(buffer[end - size : end]) != crc
    found = (
        (BINARY_CRC, opening[3] is not None),
        (COUNTS_CR, counts_cr),
        (WRONG_LENGTH, int(opening[2] or opening[4], 16) != size + counts_cr),
        (NO_LINE, line is None),
        (EMPTY_LINE, line == b""),
        (NO_LF, buffer[opening.start()] != _LF),
    )
    return tuple(name for name, is_so in found if is_so)


def _tail(tail: bytes) -> _Tail:
    """Read the extended data and the timestamp that stand behind the data block, and name what is odd about them.

    Read from both ends, so that a bracket in somebody's text costs neither the time nor, under encryption, the report.
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
    """Return the frame in clear by the first key that opens it; None when none does.

    A key is right when the text has a "]" and ends in a well-formed time: the standard has no other proof.
    """
    try:
        ciphertext = bytes.fromhex(frame.data.decode())
    except ValueError:
        return None
    if not ciphertext or len(ciphertext) % _BLOCK:
        return None
    for key in keys:
        decryptor = Cipher(AES(key.secret), _ZERO_IV).decryptor()
        opened = _opened(frame, decryptor.update(ciphertext) + decryptor.finalize(), key)
        if opened is not None:
            return opened
    return None


def _opened(frame: Frame, text: bytes, key: Key) -> Frame | None:
    close = text.find(b"]")
    if close < 0:
        return None
    extended, timestamp, quirks = _tail(text[close:])
    if timestamp is None:
        return None
    # The data holds bars of its own behind the account: only the first one, before the "]", ends the pad.
    bar = text.find(b"|", 0, close)
    data = b"" if bar < 0 and frame.token in EMPTY_TOKENS else text[bar + 1 : close]
    raw, token, sealed, sequence, who = frame[:5]
    return Frame(raw, token, sealed, sequence, who, data, extended, timestamp, key.name, frame.quirks + quirks)


@lru_cache(maxsize=64)  # who reports at the same time states the same second
def read_time(text: bytes) -> datetime | None:
    """Return ``HH:MM:SS,MM-DD-YYYY`` as aware UTC; None when it names no moment."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        return None
    hour, minute, second, month, day, year = map(int, parts.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


@lru_cache(maxsize=4)  # all answers of one commit state the same moment
def write_time(moment: datetime) -> bytes:
    """Return an aware datetime as ``HH:MM:SS,MM-DD-YYYY`` in GMT."""
    at = moment.astimezone(UTC)
    return b"%02d:%02d:%02d,%02d-%02d-%04d" % (at.hour, at.minute, at.second, at.month, at.day, at.year)


def envelope(body: bytes, *, binary_crc: bool = False, counts_cr: bool = False) -> bytes:
    """Put LF, checksum, length and CR around a body; ``counts_cr`` as Eldes does. Raises UsageError if too long."""
    counted = body + b"\r" if counts_cr else body
    size = len(counted)
    if size > MAX_BODY:
        raise UsageError(f"a DC-09 body of {size} bytes: the length field says at most {MAX_BODY}")
    crc = arc(counted)
    if binary_crc:
        return b"\n%b%04X%b\r" % (crc.to_bytes(2, "big"), size, body)
    return b"\n%04X%04X%b\r" % (crc, size, body)


def seal(inside: bytes, secret: bytes, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypt ``data ] [xdata].. _time`` into upper-case hex, with 1 to 16 bytes of pad and the bar in front."""
    text = b"|" + inside
    pad = random(_BLOCK - len(text) % _BLOCK).translate(_PAD_SAFE)
    encryptor = Cipher(AES(secret), _ZERO_IV).encryptor()
    return (encryptor.update(pad + text) + encryptor.finalize()).hex().upper().encode()


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
    """Return a complete frame, LF to CR; sealed when a key (16, 24 or 32 bytes) is given, which needs a timestamp.

    No receiver digits: no R; no line digits: ``L0`` (5.5.1.6). Raises UsageError when it cannot be a frame.
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
