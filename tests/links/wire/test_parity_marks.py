"""The marks of bytes with a wrong parity."""

from __future__ import annotations

import pytest

from vetlla.links.wire.parity_marks import ParityMarks


@pytest.mark.parametrize(
    ("came", "read"),
    [
        (b"5011 18", b"5011 18"),
        (b"50\xff\0\x311", b"50\xb11"),
        (b"\xff\xff", b"\xff"),
        (b"\xff\0\0", b"\x80"),
        (b"a\xff", b"a"),
    ],
)
def test_bytes_with_a_wrong_parity_get_an_eighth_bit(came: bytes, read: bytes) -> None:
    whole, cut = ParityMarks(), ParityMarks()
    assert whole.feed(came) == read
    assert b"".join(cut.feed(bytes((byte,))) for byte in came) == read
