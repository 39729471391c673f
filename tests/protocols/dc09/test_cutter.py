"""A stream is cut so that no good frame is lost beside a bad one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.domain.signals import AccountId, Reason
from vetlla.protocols.dc09.cutter import Dc09Cutter, Piece
from vetlla.protocols.dc09.frame import MAX_FRAME, Frame, build, envelope
from vetlla.protocols.framing.damage import Damage

HOME = AccountId("", "0", "1234")
ALARM = build("ADM-CID", "0002", HOME, b"#1234|1101 01 007")
BROKEN = build("ADM-CID", "0001", HOME, b"#1234|1302 00 000").replace(b"1302", b"1303")


def tokens(pieces: list[Piece]) -> list[str]:
    return [piece.token if isinstance(piece, Frame) else piece.reason.value for piece in pieces]


def claiming(length: int, frame: bytes) -> bytes:
    """Return a frame with another length in its length field."""
    return frame[:5] + b"%04X" % length + frame[9:]


def test_damage_does_not_delay_the_alarm_after_it() -> None:
    """A damaged frame that claims 4 kB is dropped as soon as the next frame is whole, with its CR or without."""
    for damage in (claiming(0xFFF, BROKEN), claiming(0xFFF, BROKEN[:-1])):
        cutter = Dc09Cutter()
        assert cutter.feed(damage) == []
        settled = [cutter.feed(ALARM[at : at + 1]) for at in range(len(ALARM))]
        assert tokens([piece for pieces in settled for piece in pieces]) == ["bad_length", "ADM-CID"]
        assert tokens(settled[-2])[-1] == "ADM-CID"


def test_claimed_length_ends_the_wait() -> None:
    """The wait ends when the claimed bytes are here and do not fit."""
    cutter = Dc09Cutter()
    assert cutter.feed(claiming(len(BROKEN), BROKEN)) == []
    assert tokens(cutter.feed(b"123456789\r")) == ["bad_length"]


def test_damage_is_reported_at_once() -> None:
    """A frame of the right length with a wrong checksum is damage as soon as its CR is here."""
    assert tokens(Dc09Cutter().feed(BROKEN)) == ["bad_checksum"]


def test_frame_in_a_frame_that_was_torn() -> None:
    """When the CR of the first frame is lost, the second is still found."""
    assert tokens(Dc09Cutter().feed(BROKEN[:-1] + ALARM)) == ["bad_length", "ADM-CID"]
    assert tokens(Dc09Cutter().feed(ALARM[:-2] + ALARM)) == ["bad_length", "ADM-CID"]


def test_cr_that_belongs_to_the_next_checksum() -> None:
    """A CR after an LF may be half of the next frame's raw-byte checksum. The cutter waits before it reports damage."""
    frames = (envelope(b'"NULL"%04dL0#1234[]' % number, binary_crc=True) for number in range(10_000))
    second = next(frame for frame in frames if frame[1] == ord("\r"))
    for size in range(len(second) + 1):
        cutter = Dc09Cutter()
        pieces = cutter.feed(BROKEN[:-1] + second[:size]) + cutter.feed(second[size:])
        assert tokens(pieces) == ["bad_length", "NULL"]
        assert pieces[0].raw == BROKEN[:-1]


def test_damage_inside_damage() -> None:
    """Of several damaged frames within the claimed bytes of the first each is reported, and the good one is read."""
    pieces = Dc09Cutter().feed(claiming(0xFFF, BROKEN) + BROKEN + BROKEN + ALARM)
    assert tokens(pieces) == ["bad_length", "bad_checksum", "bad_checksum", "ADM-CID"]


def test_without_cr_within_the_bound() -> None:
    """A frame that never ends is dropped at the bound, and the next one is read."""
    cutter = Dc09Cutter()
    endless = BROKEN[:-1] + b"x" * MAX_FRAME
    pieces = cutter.feed(endless + ALARM)
    assert tokens(pieces) == ["too_long", "malformed", "ADM-CID"]
    assert b"".join(piece.raw for piece in pieces) == endless + ALARM[:-1]
    assert cutter.finish() == []


def test_alarm_across_the_bound() -> None:
    """An alarm that begins within the bound of an endless frame, and ends beyond it, is read."""
    endless = BROKEN[:-1] + b"x" * (MAX_FRAME - len(ALARM) - len(ALARM) // 2)
    pieces = Dc09Cutter().feed(endless + ALARM)
    assert tokens(pieces) == ["too_long", "ADM-CID"]
    assert pieces[0].raw == endless


def test_long_noise_before_an_alarm() -> None:
    """Noise longer than the bound is cut into the same pieces whether it comes at once or in parts."""
    stream = b"~" * (3 * MAX_FRAME) + ALARM
    whole = Dc09Cutter().feed(stream)
    assert tokens(whole)[-1] == "ADM-CID"
    for size in (1, 1000, MAX_FRAME - 1, MAX_FRAME, MAX_FRAME + 1):
        cutter = Dc09Cutter()
        assert [piece for at in range(0, len(stream), size) for piece in cutter.feed(stream[at : at + size])] == whole


def test_largest_frame() -> None:
    """A body of 4095 bytes is a frame, in the standard's count and in that of Eldes."""
    body = b'"SIA-DCS"0001L0#1234[#1234|NMA1][I'
    whole = envelope(body + b"x" * (0xFFF - len(body) - 1) + b"]")
    eldes = envelope(body + b"x" * (0xFFE - len(body) - 1) + b"]", counts_cr=True)
    assert len(whole) == MAX_FRAME
    for frame in (whole, eldes):
        cutter = Dc09Cutter()
        assert tokens(cutter.feed(frame + ALARM)) == ["SIA-DCS", "ADM-CID"]


def test_endless_noise_is_dropped_in_pieces() -> None:
    """Noise without an opening is kept as evidence piece by piece, and never held beyond the bound."""
    cutter = Dc09Cutter()
    pieces = [piece for _ in range(40) for piece in cutter.feed(b"~" * 1000)]
    left = cutter.finish()
    assert all(isinstance(piece, Damage) and piece.reason is Reason.MALFORMED for piece in pieces)
    assert tokens(left) == ["truncated"]
    assert sum(len(piece.raw) for piece in pieces + left) == 40_000
    assert max(len(piece.raw) for piece in pieces + left) < MAX_FRAME


def test_fillers_say_nothing() -> None:
    """NUL, CR and LF between frames give no evidence."""
    cutter = Dc09Cutter()
    stream = b"\r\n\0\n" + ALARM + b"\0\0\r\n\n" + ALARM + b"\n" * (2 * MAX_FRAME)
    assert tokens(cutter.feed(stream)) == ["ADM-CID", "ADM-CID"]
    assert cutter.finish() == []


ENDS = [b"", b"\r", b"\n", b"\0", b"\r\n", b"\r\0", b" \t\r\n", b"\n\n", b"\0\0\0"]
WHOLE = [
    ALARM[:-1],
    build("NULL", "0000", HOME, b"", binary_crc=True)[:-1],
    build("SIA-DCS", "0003", HOME, b'#1234|NPA7^say "hello"^', extended=[b'J{"id":"12340567"}'])[:-1],
    build("SIA-DCS", "0004", HOME, b"#1234|NPA7^bath\rroom^")[:-1],
    envelope(b'"SIA-DCS"0005L[#9999|NBA2]')[:-1],
]
"""Frames that are whole before their CR."""


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("frame", WHOLE)
def test_a_frame_is_whole_with_any_end(frame: bytes, end: bytes) -> None:
    """A frame comes out with its last counted byte, and has the same bytes whatever ends it."""
    cutter = Dc09Cutter()
    assert [cutter.feed(frame[at : at + 1]) for at in range(len(frame) - 1)] == [[]] * (len(frame) - 1)
    (piece,) = cutter.feed(frame[-1:])
    assert piece.raw == frame
    assert [cutter.feed(end[at : at + 1]) for at in range(len(end))] == [[]] * len(end)
    assert Dc09Cutter().feed(frame + end) == [piece]
    assert [found.raw for found in cutter.feed(frame + end + frame)] == [frame, frame]
    assert cutter.finish() == []


@pytest.mark.parametrize("end", [b"\n", b"\0", b"\r\n", b"\n\r"])
def test_end_that_is_counted(end: bytes) -> None:
    """A sender may count the bytes that end its frames, as Eldes counts the CR; these bytes are no text."""
    body = b'"SIA-DCS"0001L0#1234[#1234|NPA7]_10:00:00,01-02-2026'
    (piece,) = Dc09Cutter().feed(envelope(body + end)[:-1])
    assert isinstance(piece, Frame)
    assert (piece.data, piece.timestamp is not None, piece.quirks) == (b"#1234|NPA7", True, ("crc-counts-cr",))


@pytest.mark.parametrize("end", [b"", b"\n", b"\0", ALARM])
@pytest.mark.parametrize("length", [10, 0x36, 0xFFF])
def test_wrong_length_without_cr(length: int, end: bytes) -> None:
    """Bytes that fit the checksum are a frame, too, once the next frame or the end shows that all came."""
    cutter = Dc09Cutter()
    settled = cutter.feed(claiming(length, ALARM)[:-1] + end) + cutter.finish()
    assert tokens(settled)[0] == "ADM-CID"
    assert isinstance(settled[0], Frame)
    assert settled[0].quirks == ("wrong-length",)


@pytest.mark.parametrize("end", [b"\n", b"\0"])
@pytest.mark.parametrize("length", [10, 0x36, 0xFFF])
def test_wrong_length_and_another_end_settle_at_once(length: int, end: bytes) -> None:
    """The alarm does not wait for the terminal to repeat it or to hang up, wherever the stream was cut."""
    stream = claiming(length, ALARM)[:-1] + end
    assert tokens(Dc09Cutter().feed(stream)) == ["ADM-CID"]
    cutter = Dc09Cutter()
    assert tokens([piece for at in range(len(stream)) for piece in cutter.feed(stream[at : at + 1])]) == ["ADM-CID"]


def test_zeros_are_no_frame() -> None:
    """An opening of zeros is noise, although the checksum of no bytes is 0000."""
    assert tokens(Dc09Cutter().feed(b'\n00000000"' + ALARM)) == ["bad_length", "ADM-CID"]


def hurt(frame: bytes) -> st.SearchStrategy[bytes]:
    """Draw a damaged frame without CR, which is cut off, changed, or has another length."""
    return st.one_of(
        st.integers(1, len(frame) - 1).map(lambda size: frame[:size]),
        st.integers(0, 0xFFF).map(lambda length: claiming(length, frame)),
        st.integers(10, len(frame) - 1).map(lambda at: frame[:at] + b"~" + frame[at + 1 :]),
        st.sampled_from([b'\n12340FFF"', b'\n\n\n0100"', b'00000020"', b'"""', b"\n", b"\r"]),
    )


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(st.one_of(st.sampled_from(WHOLE), st.sampled_from(WHOLE).flatmap(hurt)), max_size=5).map(b"".join),
    last=st.sampled_from(WHOLE),
    cuts=st.lists(st.integers(0, 2**12), max_size=4),
)
def test_no_frame_waits(before: bytes, last: bytes, cuts: list[int]) -> None:
    """Whatever came before, a whole frame comes out with its last byte, not with more bytes or at the end."""
    cutter = Dc09Cutter()
    stream = before + last
    places = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    pieces = [piece for at, end in pairwise(places) for piece in cutter.feed(stream[at:end])]
    assert pieces[-1].raw == last
    assert pieces == Dc09Cutter().feed(stream)


def test_frame_whose_text_holds_a_whole_frame() -> None:
    """A whole frame inside an unfinished one shows that the outer one is damaged, so the alarm does not wait."""
    outer = envelope(b'"SIA-DCS"0001L0#1234[#1234|NRP0][I' + ALARM + b"]")
    assert tokens(Dc09Cutter().feed(outer)) == ["bad_length", "ADM-CID"]
