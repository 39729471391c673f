"""Pads of encrypted messages: the data are found, whatever bytes stand in front."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vetlla.domain.signals import Key
from vetlla.protocols.dc09.frame import Frame, envelope, parse

KEY = Key(name="home", secret=bytes(range(16)))
TIME = b"_10:00:00,01-02-2026"
BLOCKS = {b"": (), b"[Ibath]": (b"Ibath",), b"[I|#1234|][Rhall]": (b"I|#1234|", b"Rhall")}
_OPENS_A_BLOCK = re.compile(rb"\]\[[^|\[\]]")

pads = st.one_of(
    st.binary(max_size=31),
    st.lists(
        st.sampled_from([b"]", b"[", b"|", b"#", b"|#", b"|#12", b"|#1234|", b"]_", b"_10:00:00,01-02-2026", b"|N"])
    )
    .map(b"".join)
    .map(lambda pad: pad[:31]),
)


def opened(text: bytes, token: bytes = b"SIA-DCS") -> Frame:
    """Return the frame of a sealed text, which must fill whole blocks."""
    encryptor = Cipher(AES(KEY.secret), CBC(bytes(16))).encryptor()
    frame = parse(envelope(b'"*%b"0001L0#1234[' % token + encryptor.update(text).hex().encode()), [KEY])
    assert isinstance(frame, Frame)
    return frame


def filled(size: int, data: bytes) -> bytes:
    """Return the data with zeros added, so that ``size`` more bytes fill a block."""
    return data + b"0" * (-(size + len(data)) % 16)


@settings(max_examples=400, deadline=None)
@given(pad=pads, account=st.sampled_from([b"1234", b"0000"]), blocks=st.sampled_from(sorted(BLOCKS)))
def test_any_pad(pad: bytes, account: bytes, blocks: bytes) -> None:
    """The last bar with an account before the closing bracket begins the data, so a pad hides no call."""
    assume(not _OPENS_A_BLOCK.search(pad))  # the bytes after it could be a text block that quotes an account
    assume(account == b"1234" or b"|#1234|" not in pad + b"|")  # the header's account counts first
    data = filled(len(pad) + 2 + len(blocks) + len(TIME), b"#" + account + b"|Nri1/PA")
    frame = opened(pad + b"|" + data + b"]" + blocks + TIME)
    assert (frame.data, frame.extended, frame.timestamp is not None) == (data, BLOCKS[blocks], True)


@pytest.mark.parametrize("pad", [b"][x", b"]_\r][\xce\r\x9bA", b"][1][2", b"#\n[[\r][\0"])
@pytest.mark.parametrize("blocks", [b"", b"[Ibath]"])
def test_a_pad_that_looks_like_a_block(pad: bytes, blocks: bytes) -> None:
    """Bytes in the pad that look like a block are no block, because the data follow them."""
    data = filled(len(pad) + 2 + len(blocks) + len(TIME), b"#1234|Nri1/PA")
    frame = opened(pad + b"|" + data + b"]" + blocks + TIME)
    assert (frame.data, frame.extended) == (data, BLOCKS[blocks])


@pytest.mark.parametrize("pad", [b"]", b"x]y", b"]_10:00:00,01-02-2026", b"", b"pad"])
def test_data_without_an_account(pad: bytes) -> None:
    """Data that name no account begin after the first bar and end at the bracket that closes them."""
    data = filled(len(pad) + 2 + len(TIME), b"Nri1/PA")
    assert opened(pad + b"|" + data + b"]" + TIME).data == data


@pytest.mark.parametrize("pad", [b"0" * 17, b"\0" * 16, b"0\0", b""])
def test_no_bar(pad: bytes) -> None:
    """Without a bar zeros are the pad, because no report begins with a zero."""
    data = b"Nri1/PA" + b"2" * (-(len(pad) + 8 + len(TIME)) % 16)
    assert opened(pad + data + b"]" + TIME).data == data


@pytest.mark.parametrize("text", [b"pad]", b"pad|]", b"p]d|]", b"]]]]"])
def test_heartbeat(text: bytes) -> None:
    """A message without data comes with a bar or without; a block after it is read all the same."""
    blocks = b"[Ia|b" + b"c" * (-(len(text) + 6 + len(TIME)) % 16) + b"]"
    frame = opened(text + blocks + TIME, b"NULL")
    assert (frame.data, frame.extended) == (b"", (blocks[1:-1],))
