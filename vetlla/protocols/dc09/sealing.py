r"""Encryption of SIA DC-09 (5.4): AES-CBC with a zero initialisation vector, written as hex, with the pad in front.

    pad | #acct|data ] [xdata].. _time

The standard forbids ``[ | ]`` in the pad, which fills the text to blocks of 16 bytes; editions differ only in its
length. Devices send any random bytes nevertheless (pysiaalarm issue 28), so the data are found by their opening.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from vetlla.protocols.framing.charset import readable

if TYPE_CHECKING:
    from collections.abc import Callable

EMPTY_TOKENS: Final = frozenset({"NULL", "XNM", "ACK", "NAK", "DUH"})
"""Tokens of messages without data. Sealed, these also come as ``pad ]`` without the bar (Hikvision, siadc09)."""

LONG_PAD: Final = "long-pad"
"""The pad is longer than the first block. An attacker who changes a block under CBC turns it into noise, and chooses
what the next block says. The noise of a first block, or of a block put in front, looks like pad."""
NO_BAR: Final = "no-bar"
"""A message without data has no bar after its pad, and the pad is readable text. The text may be the data of another
message, because some senders never send a bar (AjaxSiaCodec)."""
CONTROLS: Final = "control-characters"
"""The text holds control characters. A changed block becomes noise, which holds some in six of seven cases."""
CIPHERS_MAX: Final = 1_024
"""Ciphers that are kept ready, one for a key. Making one costs 1.0 us, and a sealed frame needs two of them."""
_BLOCK: Final = 16
FIRST_BLOCK: Final = _BLOCK
"""Latest beginning of data whose bar stands within the first block."""
NO_NOISE: Final = 3 * _BLOCK
"""Longest text in which only the first block can be noise: the time at its end covers the last block and reaches into
the second."""
_ZERO_IV: Final = CBC(bytes(_BLOCK))
_PAD_SAFE: Final = bytes.maketrans(b"[|]", b"(!)")
_MARK: Final = re.compile(rb"\|(?=#([^|\[\]]{0,64})\|)")
"""The bar that ends the pad, with the account after it."""
_TAIL: Final = re.compile(rb"\](?:\[(?:[^|\[\]][^\]]*)?\])*_[0-9:]{8},[0-9-]{10}\Z")
"""The closing bracket, followed by extended blocks and time."""
_ZEROS: Final = b"0\0"
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Characters that no text holds; tabs and line ends do occur."""
_MAY_BE_AN_EVENT: Final = re.compile(rb"[ -~]*[0-9A-Z]{2}[ -~]*")


def seal(inside: bytes, secret: bytes, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypt ``data ] [xdata].. _time`` into upper-case hex, with the bar in front and up to 15 bytes of pad.

    The pad is never a whole block (see ``LONG_PAD``).
    """
    text = b"|" + inside
    pad = random(-len(text) % _BLOCK).translate(_PAD_SAFE)
    encryptor = _cipher(secret).encryptor()
    return (encryptor.update(pad + text) + encryptor.finalize()).hex().upper().encode()


def blocks_of(ciphertext: bytes) -> bytes:
    """Return the blocks of a ciphertext in hex; b"" if it is not whole blocks in hex."""
    try:
        blocks = bytes.fromhex(ciphertext.decode())
    except ValueError:
        return b""
    return b"" if len(blocks) % _BLOCK else blocks


def decrypt(blocks: bytes, secret: bytes) -> bytes:
    """Return the text that a key makes of encrypted blocks, including the pad."""
    decryptor = _cipher(secret).decryptor()
    return decryptor.update(blocks) + decryptor.finalize()


@lru_cache(maxsize=CIPHERS_MAX)
def _cipher(secret: bytes) -> Cipher[CBC]:
    return Cipher(AES(secret), _ZERO_IV)


def find_data(text: bytes, token: str, account: str) -> tuple[int, int] | None:
    """Return where the data of a decrypted text begin and end; None if no bracket closes them.

    ``token`` and ``account`` are those of the header. The last ``|#account|`` before the closing bracket counts; data
    that name no account begin after the first bar.
    """
    bar, close = text.find(b"|"), text.find(b"]")
    if close > bar >= 0 and text.rfind(b"|#") == bar:
        return bar + 1, close  # the pad has the standard's form
    if close < 0:
        return None
    tail = _TAIL.search(text)
    limit = tail.start() if tail is not None else close
    mark = _last_mark(text, limit, account)
    if mark >= 0:
        return mark + 1, text.index(b"]", mark)
    if 0 <= bar < limit:
        return bar + 1, limit
    # AjaxSiaCodec pads with zeros and sends no bar. Any other pad stays with the data, for a person to read.
    start = limit - len(text[:limit].lstrip(_ZEROS))
    if token in EMPTY_TOKENS and not _MAY_BE_AN_EVENT.fullmatch(text, start, limit):
        return limit, limit
    return start, limit


def signs_of_change(text: bytes, place: tuple[int, int], token: str, *, long_pad: bool) -> tuple[str, ...]:
    """Return the signs that a decrypted text was changed; its data stand at ``place`` (``find_data``)."""
    start, close = place
    has_bar = text[start - 1 : start] == b"|"
    is_bare = token in EMPTY_TOKENS and not has_bar and start < close
    end_of_pad = close if is_bare else start - has_bar
    signs: tuple[str, ...] = (LONG_PAD,) if end_of_pad >= _BLOCK and not long_pad else ()
    if is_bare:
        signs += (NO_BAR,)
    return (*signs, CONTROLS) if _CONTROL.search(text, start) else signs


def _last_mark(text: bytes, limit: int, account: str) -> int:
    """Return where the last ``|#account|`` stands, of the header's account if it is there; -1 if there is none.

    The data may name another account (Satel). After ``limit``, where blocks should stand, only the header's account
    counts, and only if none stands before ``limit``. Then the pad held bytes that look like the beginning of a block.
    """
    marks = [(mark.start(), readable(mark[1]).lower()) for mark in _MARK.finditer(text)]
    own = [start for start, name in marks if name == account.lower()]
    front = [start for start in own if start < limit] or [start for start, _ in marks if start < limit]
    return max(front or own, default=-1)
