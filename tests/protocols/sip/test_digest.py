"""Digest of both sides: the examples of the standards, our client against our server, and what an attacker tries."""

from __future__ import annotations

import pytest

from tests.rigs.sip.messages import SOURCE, read_request, request_bytes
from vetlla.domain.clock import MINUTE_US, SECOND_US
from vetlla.protocols.sip.answering import respond
from vetlla.protocols.sip.digest.client import Challenge, Credentials, authorization, challenge_of
from vetlla.protocols.sip.digest.hashing import MD5, SHA256, proof, read_fields, secret_of, write_fields
from vetlla.protocols.sip.digest.server import DigestServer, Proof
from vetlla.protocols.sip.message import Request, Response
from vetlla.protocols.sip.reading import read_datagram

KEY = bytes(range(32))
REALM = "arc.example"
URI = "sip:arc@192.0.2.1"
UNIT = Credentials("26317", 'w"ord\\')


def secret(user: str, algorithm: str) -> str | None:
    return secret_of(algorithm, user, REALM, UNIT.password) if user == UNIT.username else None


def challenged(values: list[str], status: int = 401, header: str = "WWW-Authenticate") -> Challenge | None:
    """Return what our client makes of challenges."""
    headers = [(header, value) for value in values]
    data = respond(read_request(request_bytes()), status, tag="t", source=SOURCE, headers=headers)
    response = read_datagram(data)
    assert isinstance(response, Response)
    return challenge_of(response)


def proven(
    challenge: Challenge | None, *, who: Credentials = UNIT, count: int = 1, uri: str = URI, method: str = "MESSAGE"
) -> Request:
    """Return a request with the proof of our client."""
    assert challenge is not None
    name, value = authorization(challenge, who, method, uri, cnonce="0a4f113b", count=count)
    return read_request(request_bytes("MESSAGE", headers=(f"{name}: {value}",)))


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (SHA256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard(algorithm: str, expected: str) -> None:
    """RFC 7616, 3.9.1."""
    fields = {
        "uri": "/dir/index.html",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "qop": "auth",
    }
    known = secret_of(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert proof(algorithm, known, "GET", fields) == expected


def test_the_example_of_the_old_standard() -> None:
    """RFC 2617, 3.5, with the response that it has without qop (RFC 2069's form)."""
    known = secret_of(MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
    fields = {"uri": "/dir/index.html", "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093"}
    assert proof(MD5, known, "GET", fields) == "670fd8c2df070c60b045671b8b24ff02"
    with_qop = fields | {"nc": "00000001", "cnonce": "0a4f113b", "qop": "auth"}
    assert proof(MD5, known, "GET", with_qop) == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize("number", [0, 1])
def test_our_client_proves_itself_to_our_server(number: int) -> None:
    """With the first challenge, MD5, and with the second one, SHA-256."""
    server = DigestServer(REALM, KEY)
    challenge = challenged([server.challenges(0)[number]])
    assert challenge is not None
    assert challenge.algorithm == (MD5, SHA256)[number]
    assert server.check(proven(challenge), secret, SECOND_US) == (Proof.RIGHT, UNIT.username)


def test_md5_is_offered_first() -> None:
    """Many terminals try the first one only."""
    algorithms = [read_fields(value)["algorithm"] for value in DigestServer(REALM, KEY).challenges(0)]
    assert algorithms == [MD5, SHA256]


def test_a_proof_is_good_for_one_request() -> None:
    """A recorded request that is sent again proves nothing; the next count with the same nonce does."""
    server = DigestServer(REALM, KEY)
    challenge = challenged(server.challenges(0))
    assert server.check(proven(challenge), secret, 1)[0] is Proof.RIGHT
    assert server.check(proven(challenge), secret, 2)[0] is Proof.STALE
    assert server.check(proven(challenge, count=3), secret, 3)[0] is Proof.RIGHT
    assert server.check(proven(challenge, count=2), secret, 4)[0] is Proof.STALE


def test_without_qop_a_nonce_is_good_for_one_request() -> None:
    """RFC 2069 has no count."""
    server = DigestServer(REALM, KEY)
    challenge = challenged(server.challenges(0))
    assert challenge is not None
    old = challenge._replace(has_qop=False)
    assert server.check(proven(old), secret, 1)[0] is Proof.RIGHT
    assert server.check(proven(old), secret, 2)[0] is Proof.STALE


def test_an_old_nonce_is_stale_and_a_new_one_is_given() -> None:
    server = DigestServer(REALM, KEY)
    challenge = challenged(server.challenges(0))
    assert server.check(proven(challenge), secret, 5 * MINUTE_US - 1)[0] is Proof.RIGHT
    assert server.check(proven(challenge, count=2), secret, 5 * MINUTE_US)[0] is Proof.STALE
    again = challenged(server.challenges(5 * MINUTE_US, is_stale=True))
    assert again is not None
    assert again.is_stale
    assert server.check(proven(again), secret, 5 * MINUTE_US)[0] is Proof.RIGHT


def test_a_nonce_of_another_server_is_stale() -> None:
    """Such as ours before it was started again: the terminal's password is not wrong."""
    challenge = challenged(DigestServer(REALM, bytes(32)).challenges(0))
    assert DigestServer(REALM, KEY).check(proven(challenge), secret, 1)[0] is Proof.STALE


def test_what_is_wrong_is_told_from_what_is_missing() -> None:
    server = DigestServer(REALM, KEY)
    assert server.check(read_request(request_bytes()), secret, 0)[0] is Proof.MISSING
    other = challenged(DigestServer("another.example", KEY).challenges(0))
    assert server.check(proven(other), secret, 1)[0] is Proof.MISSING
    challenge = challenged(server.challenges(0))
    wrong = [
        proven(challenge, who=UNIT._replace(password="guess")),
        proven(challenge, who=Credentials("99999", UNIT.password)),
        proven(challenge, uri="sip:other@192.0.2.1"),
        proven(challenge, method="OPTIONS"),
    ]
    assert [server.check(request, secret, 1)[0] for request in wrong] == [Proof.WRONG] * 4
    for line in ("Digest", "Basic dTpw", 'Digest realm="arc.example"', f'Digest realm="{REALM}", nc=1, qop=auth'):
        request = read_request(request_bytes(headers=(f"Authorization: {line}",)))
        assert server.check(request, secret, 1)[0] in {Proof.MISSING, Proof.WRONG, Proof.STALE}


def test_an_unknown_user_cannot_prove_anything() -> None:
    """Not even with what an empty secret would give."""
    server = DigestServer(REALM, KEY)
    challenge = challenged(server.challenges(0))
    assert challenge is not None
    fields = {"nonce": challenge.nonce, "uri": URI, "nc": "00000001", "cnonce": "c", "qop": "auth"}
    answer = proof(MD5, "", "MESSAGE", fields)
    named = {"username": "99999", "realm": REALM} | fields | {"response": answer}
    request = read_request(request_bytes(headers=(f"Authorization: {write_fields(named)}",)))
    assert server.check(request, secret, 1)[0] is Proof.WRONG
    assert server.check(request, lambda _user, _algorithm: "", 1)[0] is Proof.RIGHT


def test_a_crowd_of_nonces_has_a_bound_and_none_can_be_used_twice() -> None:
    """A nonce whose count was dropped is stale from then on."""
    server = DigestServer(REALM, KEY, nonces_most=2)
    challenges = [challenged(server.challenges(at)) for at in range(1, 5)]
    assert [server.check(proven(one), secret, 9)[0] for one in challenges] == [Proof.RIGHT] * 4
    assert [server.check(proven(one), secret, 9)[0] for one in challenges] == [Proof.STALE] * 4
    assert server.check(proven(challenges[3], count=2), secret, 9)[0] is Proof.RIGHT


@pytest.mark.parametrize(
    ("values", "algorithm", "has_qop"),
    [
        (['Digest realm="a",nonce="n"'], MD5, False),
        (['digest REALM = "a" , Nonce="n" ,qop="auth-int,auth", algorithm=md5'], MD5, True),
        (['Digest realm="a", nonce="n", algorithm=SHA-512-256, qop="auth"', 'Digest realm="a", nonce="n"'], MD5, False),
        (['Digest realm="a", opaque="x, Basic realm=b", nonce="n"'], MD5, False),
        (['Basic realm="a", Digest realm="a", nonce="n", algorithm=SHA-256, qop=auth'], SHA256, True),
    ],
)  # fmt: skip
def test_the_first_challenge_that_we_can_meet_is_taken(values: list[str], algorithm: str, has_qop: bool) -> None:  # noqa: FBT001
    """RFC 8760, 2.4: a server may offer several, in several headers or in one."""
    for status, header in ((401, "WWW-Authenticate"), (407, "Proxy-Authenticate")):
        found = challenged(values, status, header)
        assert found is not None
        assert (found.realm, found.nonce, found.algorithm, found.has_qop) == ("a", "n", algorithm, has_qop)
        assert found.header == {401: "Authorization", 407: "Proxy-Authorization"}[status]


@pytest.mark.parametrize(
    "value",
    ["", "Digest", 'Basic realm="a"', 'Digest realm="a"', 'Digest realm="a", nonce="n", qop="auth-int"',
     'Digest nonce="n", algorithm=MD5-sess'],
)  # fmt: skip
def test_a_challenge_that_we_cannot_meet_is_none(value: str) -> None:
    assert challenged([value]) is None
    assert challenged(['Digest realm="a", nonce="n"'], status=403) is None
