from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.signals import AccountId
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.protocols.framing.damage import Damage
from vetlla.simulator.faults import MAX_PIECES, damage, tear

if TYPE_CHECKING:
    from random import Random

FRAME = dc09_frame.build("ADM-CID", "0001", AccountId("", "0", "4C01"), b"#4C01|1101 00 001")


@given(st.randoms(use_true_random=False))
def test_a_torn_frame_is_all_there(random: Random) -> None:
    """A torn frame has at least two pieces. No piece is empty, and together they are the frame."""
    pieces = tear(FRAME, random)
    assert b"".join(pieces) == FRAME
    assert 2 <= len(pieces) <= MAX_PIECES
    assert all(pieces)


@given(st.randoms(use_true_random=False))
def test_no_receiver_can_take_a_damaged_frame_for_a_good_one(random: Random) -> None:
    """Damage always breaks the checksum, and never changes the first and last byte of the frame."""
    broken = damage(FRAME, random)
    assert (len(broken), broken[:1], broken[-1:]) == (len(FRAME), b"\n", b"\r")
    assert isinstance(dc09_frame.parse(broken), Damage)
