"""A public library of other authors, sipmessage, reads the same from well-formed messages, and takes our own.

sipmessage 0.7.1 refuses folded lines and blanks before colons, and makes one blank of several in a display name, so
these are not compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.sip.messages import SOURCE, read_request, request_bytes, sip_recordings
from vetlla.protocols.sip.answering import respond, write_request
from vetlla.protocols.sip.digest.client import Challenge, Credentials, authorization, challenge_of
from vetlla.protocols.sip.digest.hashing import read_fields
from vetlla.protocols.sip.digest.server import DigestServer
from vetlla.protocols.sip.message import Request, Response
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.uri import read_uri
from vetlla.protocols.sip.values import quoted, read_address, read_sequence, unquoted
from vetlla.protocols.sip.via import Via

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = st.text("abcXYZ019-._~*", min_size=1, max_size=8)
HOST = st.sampled_from(["192.0.2.1", "[2001:db8::9]", "arc.example.cat", "a"])
WAY = st.sampled_from(["UDP", "TCP", "TLS"])
PORT = st.one_of(st.none(), st.integers(1, 65_535))
DISPLAY = st.text("ab Ñ·,;<>@\\\"'", max_size=12).filter(lambda text: "  " not in text)


def placed(host: str, port: int | None) -> str:
    return host if port is None else f"{host}:{port}"


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Make a well-formed request, with names in any form and case."""
    method = draw(st.sampled_from(["MESSAGE", "OPTIONS", "REGISTER", "INVITE"]))
    address = f"sip:{draw(TOKEN)}@{placed(draw(HOST), draw(PORT))}"
    display = draw(DISPLAY)
    shown = f"{quoted(display)} " if display else ""
    tag = draw(TOKEN)
    vias = [
        f"SIP/2.0/{draw(WAY)} {placed(draw(HOST), draw(PORT))};branch=z9hG4bK{draw(TOKEN)}"
        for _ in range(draw(st.integers(1, 3)))
    ]
    names = draw(
        st.sampled_from([("Via", "From", "To", "Call-ID"), ("v", "f", "t", "i"), ("VIA", "from", "tO", "call-id")])
    )
    lines = [
        f"{method} {address} SIP/2.0",
        *(f"{names[0]}: {via}" for via in ([", ".join(vias)] if draw(st.booleans()) else vias)),
        f"{names[1]}: {shown}<{address}>;tag={tag}",
        f"{names[2]}:{address}",
        f"{names[3]}: {draw(TOKEN)}@{draw(TOKEN)}",
        f"CSeq: {draw(st.integers(0, 2**31 - 1))} {method}",
    ]
    body = draw(st.binary(max_size=20))
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@given(messages())
def test_sipmessage_reads_a_request_as_we_do(data: bytes) -> None:
    """Method, addresses, each Via, the tags, the number, the body."""
    theirs, ours = sipmessage.Message.parse(data), read_datagram(data)
    assert isinstance(theirs, sipmessage.Request)
    assert isinstance(ours, Request)
    assert (ours.method, ours.uri, ours.body) == (theirs.method, str(theirs.uri), theirs.body)
    assert ours.headers.first("call-id") == theirs.call_id
    assert len(ours.headers.every("via")) == len(theirs.via)
    top = ours.headers.via
    assert top is not None
    same_via(top, theirs.via[0])
    for name, party in (("from", theirs.from_address), ("to", theirs.to_address)):
        read = read_address(ours.headers.first(name))
        assert read is not None
        assert (read.display, read.uri, read.parameters) == (party.name, str(party.uri), as_texts(party.parameters))
        uri = read_uri(read.uri)
        assert uri is not None
        assert (uri.user, uri.port) == (party.uri.user or "", party.uri.port)
    sequence = read_sequence(ours.headers.first("cseq"))
    assert sequence is not None
    assert (sequence.number, sequence.method) == (theirs.cseq.sequence, theirs.cseq.method)


def as_texts(parameters: Mapping[str, str | None]) -> dict[str, str]:
    """Return parameters as we read them; sipmessage leaves the quotes of a value where they are."""
    return {name: unquoted(value) if value and value[0] == '"' else value or "" for name, value in parameters.items()}


def same_via(ours: Via, theirs: sipmessage.Via) -> None:
    assert (ours.transport, ours.host, ours.port) == (theirs.transport, theirs.host, theirs.port)
    assert ours.parameters == as_texts(theirs.parameters)


@given(messages())
def test_sipmessage_reads_our_answer(data: bytes) -> None:
    """With the way back, and what we added to it."""
    request = read_request(data)
    theirs = sipmessage.Message.parse(respond(request, 200, tag="t1", source=SOURCE))
    assert isinstance(theirs, sipmessage.Response)
    assert (theirs.code, theirs.phrase, theirs.content_length) == (200, "OK", 0)
    assert as_texts(theirs.to_address.parameters) == {"tag": "t1"}
    top = request.headers.via
    assert top is not None
    same_via(top.received_from(SOURCE), theirs.via[0])


def test_sipmessage_reads_our_request_and_its_proof() -> None:
    via = Via("TLS", "[2001:db8::1]", 5061, {"branch": "z9hG4bKa", "rport": ""})
    challenge = Challenge(
        "arc.example", "n1", "SHA-256", has_qop=True, opaque="o", is_stale=False, header="Authorization"
    )
    proof = authorization(challenge, Credentials('a"b', "x"), "OPTIONS", "sip:a@b", cnonce="c")
    data = write_request(
        "OPTIONS", "sip:a@b", via=via, sender="<sip:c@d>;tag=1", receiver="<sip:a@b>", call_id="i", sequence=7,
        headers=(proof,),
    )  # fmt: skip
    theirs = sipmessage.Message.parse(data)
    assert isinstance(theirs, sipmessage.Request)
    same_via(via, theirs.via[0])
    assert theirs.authorization is not None
    assert theirs.authorization.parameters is not None
    assert dict(theirs.authorization.parameters) == read_fields(proof[1])


def test_sipmessage_reads_our_challenge_and_we_read_its_own() -> None:
    (value, _) = DigestServer("arc.example", bytes(32)).challenges(0)
    theirs = sipmessage.AuthChallenge.parse(value)
    assert dict(theirs.parameters) == read_fields(value)
    answer = respond(
        read_request(request_bytes()), 401, tag="t", source=SOURCE, headers=(("WWW-Authenticate", str(theirs)),)
    )
    response = read_datagram(answer)
    assert isinstance(response, Response)
    found = challenge_of(response)
    assert found is not None
    assert (found.realm, found.algorithm, found.has_qop) == ("arc.example", "MD5", True)


def test_what_sipmessage_takes_of_the_recordings_it_reads_as_we_do() -> None:
    """It refuses those with folds and blanks; none that it takes has another meaning to us."""
    taken = 0
    for recording in sip_recordings():
        if recording.expect.get("objection", 1) is not None:
            continue
        try:
            theirs = sipmessage.Message.parse(recording.data)
            parties = theirs.from_address, theirs.to_address
            top = theirs.via[0]
        except (ValueError, KeyError):
            continue
        ours = read_request(recording.data)
        assert ours.headers.via is not None
        same_via(ours.headers.via, top)
        for name, party in zip(("from", "to"), parties, strict=True):
            read = read_address(ours.headers.first(name))
            assert read is not None
            assert (read.display, read.parameters) == (party.name, as_texts(party.parameters))
        taken += 1
    assert taken >= 20
