r"""Encryption of SIA DC-09 (5.4): AES-CBC with a zero initialisation vector, written as hex; the pad stands in front.

    pad | #acct|data ] [xdata].. _time

The standard forbids ``[ | ]`` in the pad, which fills the text to blocks of 16 bytes; editions differ only in its
length. Devices send random bytes all the same (pysiaalarm issue 28), so the data are looked for by what opens them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from vetlla.protocols.charset import readable

if TYPE_CHECKING:
    from collections.abc import Callable

EMPTY_TOKENS: Final = frozenset({"NULL", "XNM", "ACK", "NAK", "DUH"})
"""Messages without data: sealed, they also come as ``pad ]`` without the bar (Hikvision, siadc09)."""

_BLOCK: Final = 16
_ZERO_IV: Final = CBC(bytes(_BLOCK))
_PAD_SAFE: Final = bytes.maketrans(b"[|]", b"(!)")
_MARK: Final = re.compile(rb"\|(?=#([^|\[\]]{0,64})\|)")
"""The bar that ends the pad, with the account behind it."""
_XDATA: Final = re.compile(rb"\]\[[A-Za-z]")
_ZEROS: Final = b"0\0"


def seal(inside: bytes, secret: bytes, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypt ``data ] [xdata].. _time`` into upper-case hex, with 1 to 16 bytes of pad and the bar in front."""
    text = b"|" + inside
    pad = random(_BLOCK - len(text) % _BLOCK).translate(_PAD_SAFE)
    encryptor = Cipher(AES(secret), _ZERO_IV).encryptor()
    return (encryptor.update(pad + text) + encryptor.finalize()).hex().upper().encode()


def blocks_of(ciphertext: bytes) -> bytes:
    """Return the blocks that a ciphertext in hex holds; b"" when it is not whole blocks in hex."""
    try:
        blocks = bytes.fromhex(ciphertext.decode())
    except ValueError:
        return b""
    return b"" if len(blocks) % _BLOCK else blocks


def decrypt(blocks: bytes, secret: bytes) -> bytes:
    """Return what a key makes of encrypted blocks, pad and all."""
    decryptor = Cipher(AES(secret), _ZERO_IV).decryptor()
    return decryptor.update(blocks) + decryptor.finalize()


def find_data(text: bytes, token: str, account: str) -> tuple[int, int] | None:
    """Return where the data of a decrypted text begin and end; None when no bracket closes them.

    ``token`` and ``account`` are those of the header.
    """
    bar, close = text.find(b"|"), text.find(b"]")
    if close > bar >= 0 and text.rfind(b"|#") == bar:
        return bar + 1, close  # a pad as the standard has it
    if close < 0:
        return None
    mark = _last_mark(text, account)
    if mark < 0 and (bar < 0 or (close < bar and token in EMPTY_TOKENS)):
        # AjaxSiaCodec sends a pad of zeros and no bar. Any other pad stays with the data, for a person to read.
        start = close if token in EMPTY_TOKENS else len(text) - len(text.lstrip(_ZEROS))
        return min(start, close), close
    bar = max(bar, mark)
    close = text.find(b"]", bar)
    return (bar + 1, close) if close >= 0 else None


def _last_mark(text: bytes, account: str) -> int:
    """Return where the last ``|#account|`` before the extended blocks stands; -1 when there is none.

    The header's account counts first; the data may name another one (Satel).
    """
    marks = list(_MARK.finditer(text))
    own = [mark for mark in marks if readable(mark[1]).lower() == account.lower()] or marks
    if not own:
        return -1
    blocks = _XDATA.search(text, own[0].end())
    return max(mark.start() for mark in own if blocks is None or mark.start() < blocks.start())
