"""Whatever a peer sends, nothing raises an error, and twice the bytes cost at most about twice the steps.

Steps are those of the interpreter, which are the same on every machine. A pattern is one step there. So each pattern
also gets a text that is much longer than any header: if it went back over the text, it would need minutes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.sip.messages import RECEIVER, SOURCE, request_bytes, sip_recordings
from tests.rigs.steps import steps
from vetlla.protocols.sip.answering import respond
from vetlla.protocols.sip.checking import objection
from vetlla.protocols.sip.digest.client import challenge_of
from vetlla.protocols.sip.digest.hashing import read_fields
from vetlla.protocols.sip.digest.server import DigestServer
from vetlla.protocols.sip.message import Headers, Request, Response
from vetlla.protocols.sip.reading import MAX_HEAD, read_datagram
from vetlla.protocols.sip.stream import StreamCutter, Uncut
from vetlla.protocols.sip.transactions.client import response_key
from vetlla.protocols.sip.transactions.server import key_of
from vetlla.protocols.sip.uri import read_uri
from vetlla.protocols.sip.values import read_address, read_number, read_parameters, read_sequence, split_list
from vetlla.protocols.sip.via import read_via

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER = DigestServer("arc.example", bytes(32))
LISTS = ("via", "contact", "route", "require", "supported", "allow")


def look_at(data: bytes) -> None:
    """Do with bytes what a listener and a client do with them."""
    stream = StreamCutter()
    cut = stream.feed(data)
    stream.finish()
    requests = [piece.request if isinstance(piece, Uncut) else piece for piece in cut]
    for piece in (read_datagram(data), *requests):
        if isinstance(piece, Request):
            objection(piece, RECEIVER)
            key_of(piece)
            SERVER.check(piece, lambda _user, _algorithm: "x", 0)
            read_uri(piece.uri)
            answer = read_datagram(respond(piece, 400, tag="t", source=SOURCE))
            assert isinstance(answer, Response) or piece.method == "ACK"
        if isinstance(piece, Response):
            response_key(piece)
            challenge_of(piece)
        if isinstance(piece, Request | Response):
            parts(piece.headers)


def parts(headers: Headers) -> None:
    """Take the values of headers apart."""
    for name in LISTS:
        headers.every(name)
    for values in headers.values():
        read_address(values[0])


GOOD = [one.data for one in sip_recordings()]
TOKENS = [
    b"Via: ", b"SIP/2.0/UDP ", b"From: ", b"To: ", b"\r\n", b"\n", b"\r", b" ", b"\t", b";", b",", b'"', b"<", b">",
    b"\\", b"=", b"?", b"@", b"%", b"[", b"]", b"branch=z9hG4bK", b"Content-Length: ", b"9", b"sip:", b"\0", b"\xff",
    b"a", b":",
    b"MESSAGE sip:a SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n", b"Authorization: Digest ", b"WWW-Authenticate: Digest ",
    b'realm="arc.example"', b"nonce=", b"CSeq: ", b"Call-ID: ",
]  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_are_taken(data: bytes) -> None:
    look_at(data)


@given(st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join))
def test_any_mixture_of_what_messages_are_made_of_is_taken(data: bytes) -> None:
    look_at(data)
    look_at(b"MESSAGE sip:arc@192.0.2.1 SIP/2.0\r\n" + data)


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 4_000), st.sampled_from(TOKENS)), max_size=6))
def test_any_change_of_a_good_message_is_taken(data: bytes, changes: list[tuple[int, bytes]]) -> None:
    for at, token in changes:
        place = at % (len(data) + 1)
        data = data[:place] + token + data[place + (at & 1) :]
    look_at(data)


SHAPES = {
    "quotes": b'"',
    "escapes": b'"\\',
    "escaped quotes": b'\\"',
    "brackets": b"<",
    "commas": b",",
    "blanks": b" ",
    "semicolons": b";",
    "parameters": b";a",
    "parameters without end": b';a="\\',
    "values": b";a=b",
    "blanks before parameters": b" ;",
    "elements": b"a, ",
    "colons": b":",
    "at signs": b"@",
    "digits": b"0",
    "folds": b"\r\n ",
    "lines": b"\r\nX",
    "headers": b"\r\nX:",
    "carriage returns": b"\r",
    "vias": b"SIP/2.0/UDP a, ",
    "fields": b'Digest a="b", ',
    "schemes": b"Digest a",
    "letters": b"a",
}
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "via": lambda text: request_bytes(via="SIP/2.0/UDP a").replace(b"UDP a", b"UDP a" + text),
    "start of via": lambda text: request_bytes(via="X").replace(b"Via: X", b"Via: " + text),
    "from": lambda text: request_bytes(sender="X").replace(b"From: X", b"From: " + text),
    "number": lambda text: request_bytes(sequence="X").replace(b"CSeq: X", b"CSeq: " + text),
    "length": lambda text: request_bytes().replace(b"Length: 0", b"Length: 0" + text),
    "uri": lambda text: request_bytes(uri="sip:X").replace(b"sip:X", b"sip:" + text),
    "require": lambda text: request_bytes(headers=("Require: X",)).replace(b"Require: X", b"Require: " + text),
    "proof": lambda text: request_bytes(headers=("Authorization: X",)).replace(b"ation: X", b"ation: Digest " + text),
    "challenge": lambda text: b"SIP/2.0 401 No\r\nWWW-Authenticate: " + text + b"\r\n\r\n",
}  # fmt: skip
SMALL, LARGE = 3_500, 14_000
"""Bytes of a text: the larger one is four times the smaller one, and still a head that is read."""
FOUR_TIMES = 4.5
LOOK = 2_000
"""Steps for a whole message that do not depend on its size."""


@pytest.mark.parametrize("place", PLACES)
def test_four_times_the_bytes_cost_four_times_the_steps(place: str) -> None:
    """Whatever is repeated, and wherever it stands."""
    for shape in SHAPES.values():
        small, large = (PLACES[place](shape * (size // len(shape))) for size in (SMALL, LARGE))
        assert len(large) < MAX_HEAD
        assert steps(partial(look_at, large)) <= FOUR_TIMES * steps(partial(look_at, small)) + LOOK, shape


PATTERNS: dict[str, Callable[[str], object]] = {
    "list": split_list,
    "parameters": read_parameters,
    "address": read_address,
    "sequence": read_sequence,
    "number": read_number,
    "uri": lambda text: read_uri(f"sip:{text}"),
    "via": lambda text: read_via(f"SIP/2.0/UDP {text}"),
    "parameters of via": lambda text: read_via(f"SIP/2.0/UDP a;{text}"),
    "start of via": read_via,
    "fields": read_fields,
    "challenge": lambda text: challenge_of(Response(401, "", Headers({"www-authenticate": [text]}))),
}
LONG = 300_000
"""Characters. Their square is 90,000 million, which takes minutes."""


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_passes_over_a_text_once(name: str) -> None:
    for shape in SHAPES.values():
        text = shape.decode() * (LONG // len(shape))
        PATTERNS[name](text)
        PATTERNS[name](f'"{text}')
        PATTERNS[name](f"{text}\n")
