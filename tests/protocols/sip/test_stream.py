"""Connections: several messages in a segment, one in several segments, keep-alives, bounds, the end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.sip.messages import request_bytes
from vetlla.domain.signals import Reason
from vetlla.protocols.sip.message import Ping, Request
from vetlla.protocols.sip.reading import MAX_BODY, MAX_HEAD
from vetlla.protocols.sip.stream import PONG, StreamCutter, StreamPiece, Uncut

ALARM = b"<mrq><ref>1193308443</ref><cid>10149471</cid><dty>3</dty><stc>10</stc><crd>gsm:</crd></mrq>"
HEARTBEAT = b"<mrq><mty>PI</mty><ref>1998218577</ref><cid>10149471</cid><dty>2</dty></mrq>"


def bodies(pieces: list[StreamPiece]) -> list[bytes]:
    return [piece.body for piece in pieces if isinstance(piece, Request)]


def test_two_reports_in_one_segment_are_two_messages() -> None:
    data = request_bytes(body=ALARM) + request_bytes(body=HEARTBEAT, call_id="2")
    assert bodies(StreamCutter().feed(data)) == [ALARM, HEARTBEAT]


def test_a_report_in_five_segments_is_one_message() -> None:
    data = request_bytes(body=ALARM)
    cutter = StreamCutter()
    size = len(data) // 5 + 1
    pieces = [cutter.feed(data[at : at + size]) for at in range(0, len(data), size)]
    assert len(pieces) == 5
    assert [bodies(one) for one in pieces] == [[], [], [], [], [ALARM]]


def test_a_ping_gets_a_pong_and_other_empty_lines_get_nothing() -> None:
    """RFC 5626, 3.5.1: two CR LF are a ping, and one between messages is our own pong or padding."""
    cutter = StreamCutter()
    assert cutter.feed(b"\r\n\r\n") == [Ping(PONG)]
    assert cutter.feed(b"\r\n" + request_bytes(body=ALARM))[0] == StreamCutter().feed(request_bytes(body=ALARM))[0]
    assert cutter.feed(b"\r\n\r") == []
    assert cutter.feed(b"\n\r\n\r\n") == [Ping(PONG), Ping(PONG)]
    assert cutter.finish() is None


def test_a_head_without_end_ends_the_connection() -> None:
    """Its bytes are kept as evidence, and nothing behind them can be found."""
    cutter = StreamCutter()
    (piece,) = cutter.feed(b"MESSAGE sip:arc@192.0.2.1 SIP/2.0\r\nX: " + b"a" * MAX_HEAD)
    assert isinstance(piece, Uncut)
    assert (piece.damage.reason, len(piece.damage.raw), piece.request) == (Reason.TOO_LONG, MAX_HEAD, None)
    assert cutter.feed(request_bytes(body=ALARM)) == []
    assert cutter.finish() is None


def test_the_largest_body_is_taken_and_a_larger_one_is_refused_with_413() -> None:
    largest = b"x" * MAX_BODY
    assert bodies(StreamCutter().feed(request_bytes(body=largest))) == [largest]
    (piece,) = StreamCutter().feed(request_bytes(body=largest + b"x"))
    assert isinstance(piece, Uncut)
    assert (piece.status, piece.damage.reason) == (413, Reason.TOO_LONG)
    assert piece.request is not None
    assert piece.request.headers.first("call-id") == "4711@198.51.100.7"


@pytest.mark.parametrize(
    "line", [b"", b"Content-Length: x\r\n", b"Content-Length: -1\r\n", b"Content-Length: 1\r\nl: 2\r\n", b"l: 1 2\r\n"]
)
def test_without_a_length_the_request_is_answered_and_the_connection_ends(line: bytes) -> None:
    """RFC 3261, 20.14. Two different lengths are a way to hide a message in another one."""
    data = b"MESSAGE sip:arc@192.0.2.1 SIP/2.0\r\nCall-ID: 1\r\n" + line + b"\r\nab"
    (piece,) = StreamCutter().feed(data)
    assert isinstance(piece, Uncut)
    assert (piece.status, piece.damage.reason) == (400, Reason.BAD_LENGTH)
    assert piece.request is not None


def test_the_same_length_twice_is_no_contradiction() -> None:
    data = b"MESSAGE sip:a SIP/2.0\r\nContent-Length: 2\r\nl: 2\r\n\r\nab"
    assert bodies(StreamCutter().feed(data)) == [b"ab"]


def test_bytes_of_another_protocol_end_the_connection() -> None:
    (piece,) = StreamCutter().feed(b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
    assert isinstance(piece, Uncut)
    assert (piece.damage.reason, piece.request) == (Reason.MALFORMED, None)


def test_the_end_of_a_connection_tells_what_it_cut_off() -> None:
    cutter = StreamCutter()
    data = request_bytes(body=ALARM)
    cutter.feed(data[:-10])
    damage = cutter.finish()
    assert damage is not None
    assert (damage.reason, damage.raw) == (Reason.TRUNCATED, ALARM[:-10])
    head = StreamCutter()
    head.feed(data[:40])
    cut = head.finish()
    assert cut is not None
    assert cut.raw == data[:40]


PARTS = st.sampled_from(
    [
        request_bytes(body=ALARM),
        request_bytes("OPTIONS"),
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"SIP/2.0 200 OK\r\nContent-Length: 1\r\n\r\n\r",
        b"MESSAGE sip:a SIP/2.0\nl: 3\n\nabc",
        b"MESSAGE sip:a SIP/2.0\n\r\n",
        b"x",
    ]
)


@given(st.lists(PARTS, max_size=8), st.lists(st.integers(0, 900), max_size=6))
def test_any_mixture_gives_the_same_messages_wherever_it_is_cut(parts: list[bytes], cuts: list[int]) -> None:
    """Empty lines of every kind among messages, and line ends within them."""
    data = b"".join(parts)
    whole = StreamCutter()
    expected = whole.feed(data), whole.finish()
    cutter = StreamCutter()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [piece for begin, end in pairwise(places) for piece in cutter.feed(data[begin:end])]
    assert (pieces, cutter.finish()) == expected
