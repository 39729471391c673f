"""Every recorded SIP message is read as its file says; a new one needs only a file, no Python."""

from __future__ import annotations

import pytest

from tests.rigs.sip.messages import RECEIVER, SOURCE, SipRecording, sip_recordings
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.sip.answering import respond
from vetlla.protocols.sip.checking import objection
from vetlla.protocols.sip.message import Ping, Request, Response
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.stream import StreamCutter, Uncut
from vetlla.protocols.sip.transactions.client import response_key
from vetlla.protocols.sip.uri import read_uri
from vetlla.protocols.sip.values import read_address

ALL = sip_recordings()
each = pytest.mark.parametrize("recording", ALL, ids=lambda one: one.name)


def the_kind(expect: dict[str, object]) -> type:
    """Return the type that a recording is read as."""
    kinds = {"damage": Damage, "ping": Ping, "status": Response}
    return next((kinds[name] for name in kinds if name in expect), Request)


def party(value: str) -> list[str | None]:
    """Return a party as recordings have it."""
    found = read_address(value)
    assert found is not None
    return [found.display, found.uri, found.parameters.get("tag")]


@each
def test_a_message_is_read_as_its_file_says(recording: SipRecording) -> None:
    """A field that its file does not name may have any value."""
    piece, expect = read_datagram(recording.data), recording.expect
    assert isinstance(piece, the_kind(expect))
    if isinstance(piece, Damage):
        assert (piece.reason, piece.raw) == (expect["damage"], recording.data)
    if not isinstance(piece, Request | Response):
        return
    for name in {"method", "uri", "status", "phrase", "missing"} & expect.keys():
        assert getattr(piece, name) == expect[name]
    assert piece.body == expect.get("body", piece.body.decode()).encode()
    shown = {name: piece.headers.first(name) for name in expect.get("headers", {})}
    assert shown == expect.get("headers", {})
    for name in {"from", "to"} & expect.keys():
        assert party(piece.headers.first(name)) == expect[name]
    if "via" in expect:
        via = piece.headers.via
        assert via is not None
        assert [via.transport, via.host, via.port, via.branch] == expect["via"]
    assert len(piece.headers.every("via")) == expect.get("vias", len(piece.headers.every("via")))
    if isinstance(piece, Response) and "answers" in expect:
        assert response_key(piece) == expect["answers"]


@pytest.mark.parametrize("recording", [one for one in ALL if "objection" in one.expect], ids=lambda one: one.name)
def test_a_request_is_served_or_gets_the_right_answer(recording: SipRecording) -> None:
    """The phrase says what is wrong, because an engineer reads it at the terminal."""
    request = read_datagram(recording.data)
    assert isinstance(request, Request)
    found = objection(request, RECEIVER)
    assert (None if found is None else [found.status, found.phrase]) == recording.expect["objection"]
    if "objection_headers" in recording.expect:
        assert found is not None
        assert dict(found.headers) == recording.expect["objection_headers"]
    if "request_user" in recording.expect:
        address = read_uri(request.uri)
        assert address is not None
        assert address.user == recording.expect["request_user"]


@each
def test_an_answer_repeats_what_finds_the_way_back(recording: SipRecording) -> None:
    """Whatever came, the answer is a response that our own reader takes, with each Via and no header more."""
    request = read_datagram(recording.data)
    if not isinstance(request, Request):
        return
    answer = read_datagram(respond(request, 200, tag="t1", source=SOURCE))
    assert isinstance(answer, Response)
    came = request.headers
    for name in ("from", "call-id", "cseq"):
        assert answer.headers.first(name) == came.first(name)
    assert len(answer.headers.every("via")) == len(came.every("via"))
    assert set(answer.headers) <= {"via", "from", "to", "call-id", "cseq", "content-length"}


@each
def test_a_connection_gives_the_same_messages_wherever_it_is_cut(recording: SipRecording) -> None:
    """All at once, byte by byte, and cut in two at every place; another message may follow."""
    data = recording.data + b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
    cutter = StreamCutter()
    whole = cutter.feed(data)
    last = cutter.finish()
    bytewise = StreamCutter()
    assert [piece for byte in data for piece in bytewise.feed(bytes((byte,)))] == whole
    assert bytewise.finish() == last
    for at in range(0, len(data), max(1, len(data) // 100)):
        halves = StreamCutter()
        assert halves.feed(data[:at]) + halves.feed(data[at:]) == whole


@pytest.mark.parametrize(
    "recording", [one for one in ALL if one.expect.get("objection", 1) is None], ids=lambda o: o.name
)
def test_a_message_with_a_length_is_the_same_over_a_connection(recording: SipRecording) -> None:
    """Over a connection the length must be there; what it does not count belongs to the next message."""
    expected = read_datagram(recording.data)
    assert isinstance(expected, Request)
    piece = next(one for one in StreamCutter().feed(recording.data) if not isinstance(one, Ping))
    if "content-length" in expected.headers:
        assert piece == expected
    else:
        assert isinstance(piece, Uncut)
        assert piece.request == expected._replace(body=b"")
