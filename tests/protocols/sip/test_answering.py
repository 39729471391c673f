"""Answers find their way back through NAT, and nothing that came can add a header to them."""

from __future__ import annotations

import pytest

from tests.rigs.sip.messages import SOURCE, read_request, request_bytes
from vetlla.protocols.sip.answering import respond, write_request
from vetlla.protocols.sip.message import Request, Response
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.via import Source, Via, read_via


def answer_to(data: bytes, source: Source = SOURCE) -> Response:
    response = read_datagram(respond(read_request(data), 200, tag="t1", source=source))
    assert isinstance(response, Response)
    return response


def test_an_answer_is_written_as_the_rule_says() -> None:
    """RFC 3261, 8.2.6.2: without a body and a Contact, as RFC 3428, 7, wants it for MESSAGE."""
    assert respond(read_request(request_bytes()), 200, tag="t1", source=SOURCE) == (
        b"SIP/2.0 200 OK\r\n"
        b"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK7a01;rport=40000;received=203.0.113.9\r\n"
        b"From: <sip:26317@198.51.100.7>;tag=81\r\n"
        b"Call-ID: 4711@198.51.100.7\r\n"
        b"CSeq: 1 MESSAGE\r\n"
        b"To: <sip:arc@192.0.2.1>;tag=t1\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("via", "source", "written", "goes_to"),
    [
        # asked for the port (RFC 3581, 4): both are written, even if the host is the same
        (
            "SIP/2.0/UDP 192.0.2.7;branch=b;rport",
            ("192.0.2.7", 9),
            ";branch=b;rport=9;received=192.0.2.7",
            ("192.0.2.7", 9),
        ),
        # not asked: to the port of sent-by, or 5060
        ("SIP/2.0/UDP 192.0.2.7:5062;branch=b", ("192.0.2.7", 9), ";branch=b", ("192.0.2.7", 5062)),
        ("SIP/2.0/UDP 10.0.0.1;branch=b", ("192.0.2.7", 9), ";branch=b;received=192.0.2.7", ("192.0.2.7", 5060)),
        ("SIP/2.0/UDP unit.local:99;branch=b", ("192.0.2.7", 9), ";branch=b;received=192.0.2.7", ("192.0.2.7", 99)),
        # what a sender claims about itself is written over, and leads no answer to a third party
        (
            "SIP/2.0/UDP 10.0.0.1;rport=1;received=198.51.100.1;maddr=198.51.100.2;branch=b",
            ("192.0.2.7", 9),
            ";rport=9;received=192.0.2.7;maddr=198.51.100.2;branch=b",
            ("192.0.2.7", 9),
        ),
        ("SIP/2.0/UDP [2001:db8::1];branch=b", ("2001:db8::1", 9), ";branch=b", ("2001:db8::1", 5060)),
    ],
)
def test_an_answer_goes_to_where_the_packet_came_from(
    via: str, source: tuple[str, int], written: str, goes_to: tuple[str, int]
) -> None:
    """RFC 3261, 18.2.1 and 18.2.2."""
    came = Source(*source)
    top = answer_to(request_bytes(via=via), came).headers.first("via")
    assert top == via.partition(";")[0] + written
    found = read_via(via)
    assert found is not None
    assert found.answer_to(came) == goes_to


def test_a_proxys_via_is_changed_and_those_below_are_not() -> None:
    via = 'SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKp;rport, SIP/2.0/UDP 10.0.0.1;rport;x="a, b"'
    headers = ("Via: SIP/2.0/UDP 10.0.0.2;rport",)
    response = answer_to(request_bytes(via=via, headers=headers))
    assert response.headers.every("via") == [
        "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKp;rport=40000;received=203.0.113.9",
        'SIP/2.0/UDP 10.0.0.1;rport;x="a, b"',
        "SIP/2.0/UDP 10.0.0.2;rport",
    ]


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        ("<sip:arc@192.0.2.1>", "<sip:arc@192.0.2.1>;tag=t1"),
        ("<sip:arc@192.0.2.1>;tag=x", "<sip:arc@192.0.2.1>;tag=x"),
        ("<sip:arc@192.0.2.1>;TAG=x", "<sip:arc@192.0.2.1>;TAG=x"),
        ("sip:arc@192.0.2.1", "sip:arc@192.0.2.1;tag=t1"),
        ('"tag=1" <sip:arc@192.0.2.1;tag=uri>', '"tag=1" <sip:arc@192.0.2.1;tag=uri>;tag=t1'),
    ],
)
def test_a_tag_is_added_only_if_there_is_none(came: str, goes: str) -> None:
    assert answer_to(request_bytes(receiver=came)).headers.first("to") == goes


def test_an_ack_gets_no_answer() -> None:
    """RFC 3261, 17: whatever is wrong with it."""
    assert respond(read_request(request_bytes("ACK")), 481, tag="t1", source=SOURCE) == b""


def test_bytes_that_are_no_text_come_back_as_they_came() -> None:
    data = request_bytes(call_id="X").replace(b"Call-ID: X", b"Call-ID: \xff\xfe\xc3")
    assert b"\r\nCall-ID: \xff\xfe\xc3\r\n" in respond(read_request(data), 200, tag="t1", source=SOURCE)


def test_a_value_with_a_line_end_is_refused() -> None:
    """It would begin a header of its own."""
    request = read_request(request_bytes())
    for value in ("a\r\nX: y", "a\nb", "a\0b"):
        with pytest.raises(ValueError, match="control character"):
            respond(request, 401, tag="t1", source=SOURCE, headers=(("WWW-Authenticate", value),))


def test_a_request_of_ours_is_read_again() -> None:
    """A report's answer is a new request (fact sheet of telecare over IP, 1.1)."""
    via = Via("UDP", "192.0.2.1", 5060, {"branch": "z9hG4bKa", "rport": ""})
    data = write_request(
        "MESSAGE",
        "sip:26317@203.0.113.9:40000",
        via=via,
        sender="<sip:arc@192.0.2.1>;tag=7",
        receiver="<sip:26317@198.51.100.7>",
        call_id="c1",
        sequence=1,
        headers=(("Content-Type", "application/scaip+xml"),),
        body=b"<mrs/>",
    )
    request = read_datagram(data)
    assert isinstance(request, Request)
    assert (request.method, request.uri, request.body) == ("MESSAGE", "sip:26317@203.0.113.9:40000", b"<mrs/>")
    assert request.headers.via == via
    assert request.headers.first("max-forwards") == "70"
    assert request.headers.first("cseq") == "1 MESSAGE"
