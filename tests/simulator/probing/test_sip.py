"""Probes of SIP servers that are not ours: Kamailio over UDP, TCP and TLS with passwords, and SIPp with odd answers."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.rigs.certificates import Authority
from tests.rigs.loops import each_loop
from tests.rigs.sip.messages import request_bytes
from tests.rigs.sip.servers import PASSWORD, REALM, SIPP_OK, Kamailio, running_kamailio, running_sipp
from tests.simulator.probing.test_rounds import component, once, one, run_of
from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import ConfigError
from vetlla.domain.probes import ProbedPart, ProbeResult, SeenThrough
from vetlla.protocols.sip.answering import respond
from vetlla.protocols.sip.message import Request
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.via import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.domain.probes import Probe


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kamailio]:
    with running_kamailio(tmp_path_factory.mktemp("edge")) as kamailio:
        yield kamailio


@pytest.fixture
def password(tmp_path: Path) -> Path:
    return secret(tmp_path / "password", PASSWORD)


def secret(file: Path, text: str) -> Path:
    file.write_text(f"{text}\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def outcome(probe: Probe) -> tuple[ProbeResult, str, SeenThrough]:
    return probe.result, probe.reason, probe.through


OK = (ProbeResult.OK, "", SeenThrough.ACK)


@each_loop
async def test_an_edge_answers_over_every_transport(edge: Kamailio, tmp_path: Path) -> None:
    """It proves the answer alone, for no account."""
    to, secure = f"127.0.0.1:{edge.plain}", f"localhost:{edge.secure}"
    text = "".join(component("sip", name=way, to=to, transport=way) for way in ("udp", "tcp"))
    text += component("sip", name="tls", to=secure, transport="tls", ca=edge.authority)
    text += component("sip", name="user", to=to, uri="sip:arc@example.cat", sender="sip:probe@example.cat")
    found = await once(run_of(tmp_path, text))
    assert {name: outcome(probe) for name, probe in found.items()} == dict.fromkeys(("udp", "tcp", "tls", "user"), OK)
    assert all(probe.account == "" and probe.part is ProbedPart.SYSTEM for probe in found.values())
    assert all(0 < probe.duration_us < 5 * SECOND_US for probe in found.values())


@pytest.mark.parametrize("user", ["closed", "guarded"])
@pytest.mark.parametrize("algorithm", ["", "SHA-256"])
async def test_a_server_that_asks_for_a_password_gets_a_proof(
    tmp_path: Path, password: Path, user: str, algorithm: str
) -> None:
    """401 of a server and 407 of a proxy, with MD5 and SHA-256, over UDP and TCP. The password itself is never sent."""
    wrong = secret(tmp_path / "wrong", "guess")
    with running_kamailio(tmp_path / "edge", algorithm) as kamailio:
        given = {"to": f"127.0.0.1:{kamailio.plain}", "uri": f"sip:{user}@127.0.0.1"}
        text = component("sip", name="udp", username="u", password_file=password, **given)
        text += component("sip", name="tcp", username="u", password_file=password, transport="tcp", **given)
        text += component("sip", name="wrong", username="u", password_file=wrong, **given)
        text += component("sip", name="none", **given)
        found = await once(run_of(tmp_path, text))
        assert (algorithm or "MD5") in asked(kamailio, user)
    status = {"closed": "401 Unauthorized", "guarded": "407 Proxy Authentication Required"}[user]
    refused = f"status {status}, expected 200"
    assert {name: (probe.result, probe.reason) for name, probe in found.items()} == {
        "udp": (ProbeResult.OK, ""),
        "tcp": (ProbeResult.OK, ""),
        "wrong": (ProbeResult.FAILED, f"{refused}, the user or the password is wrong"),
        "none": (ProbeResult.FAILED, refused),
    }


def asked(kamailio: Kamailio, user: str) -> str:
    """Return the algorithm of a challenge, MD5 if it names none; so the test knows what it tested."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.connect(("127.0.0.1", kamailio.plain))
        wire.settimeout(5)
        wire.send(request_bytes("OPTIONS", uri=f"sip:{user}@127.0.0.1"))
        answer = wire.recv(4_096).decode()
    assert REALM in answer
    return "SHA-256" if "SHA-256" in answer else "MD5"


async def test_the_expected_status_is_that_of_the_file(edge: Kamailio, tmp_path: Path) -> None:
    """A PBX that is reached and busy is no PBX that takes calls, unless the file says so."""
    given = {"to": f"127.0.0.1:{edge.plain}", "uri": "sip:busy@127.0.0.1"}
    probe = await one(tmp_path, component("sip", **given))
    assert outcome(probe)[:2] == (ProbeResult.FAILED, "status 503 Service Unavailable, expected 200")
    text = component("sip", **given) + "status = [200, 503]\n"
    assert outcome(await one(tmp_path, text)) == OK
    text = component("sip", **given) + "status = [404, 480]\n"
    assert (await one(tmp_path, text)).reason == "status 503 Service Unavailable, expected 404 or 480"


@each_loop
async def test_a_certificate_of_another_authority_is_no_edge_of_ours(edge: Kamailio, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other").certificate
    text = component("sip", to=f"localhost:{edge.secure}", transport="tls", ca=other)
    probe = await one(tmp_path, text)
    assert probe.result is ProbeResult.FAILED
    assert "certificate" in probe.reason
    text = component("sip", to=f"localhost:{edge.secure}", transport="tls")
    assert (await one(tmp_path, text)).result is ProbeResult.FAILED


TRYING = SIPP_OK.replace("200 OK", "100 Trying").replace(";tag=[call_number]", "")
SLOW = f'<recv request="OPTIONS"/>{TRYING}<pause milliseconds="300"/>{SIPP_OK}'
FOREIGN = SLOW.replace("[last_Via:]", "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKother")


@contextmanager
def scripted(*answers: tuple[int, str] | None) -> Iterator[tuple[str, list[Request]]]:
    """Run a server that gives the next request the next status and challenge, or nothing. Yields its place."""
    heard: list[Request] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def serve() -> None:
            for answer in answers:
                data, peer = server.recvfrom(4_096)
                request = read_datagram(data)
                assert isinstance(request, Request)
                heard.append(request)
                if answer is not None:
                    status, challenge = answer
                    headers = [("WWW-Authenticate", challenge)] if challenge else []
                    server.sendto(respond(request, status, tag="t", source=Source(*peer), headers=headers), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", heard
        finally:
            thread.join()


async def test_requests_that_are_lost_on_the_way_are_sent_again(tmp_path: Path) -> None:
    """The third one is answered; they come at once, after 0.5 s and after 1.5 s (timer E), and are the same."""
    with scripted(None, None, (200, "")) as (place, heard):
        probe = await one(tmp_path, component("sip", to=place, tries=1))
    assert outcome(probe) == OK
    assert 1.5 * SECOND_US <= probe.duration_us < 4 * SECOND_US
    assert heard[0] == heard[1] == heard[2]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_provisional_answer_is_waited_out(tmp_path: Path, transport: str) -> None:
    with running_sipp(tmp_path / "sipp", SLOW, transport) as port:
        probe = await one(tmp_path, component("sip", to=f"127.0.0.1:{port}", transport=transport, tries=1))
    assert outcome(probe) == OK
    assert probe.duration_us >= 0.3 * SECOND_US


async def test_an_answer_to_another_request_is_none(tmp_path: Path) -> None:
    with running_sipp(tmp_path / "sipp", FOREIGN) as port:
        probe = await one(tmp_path, component("sip", to=f"127.0.0.1:{port}", tries=1, timeout_s=0.4))
    assert outcome(probe) == (ProbeResult.TIMEOUT, "no answer in 0.4 s", SeenThrough.NOTHING)


async def test_a_port_without_a_server_and_a_server_without_a_word(tmp_path: Path) -> None:
    """Both are told apart, over UDP by what the machine itself says about its port."""
    with socket.create_server(("127.0.0.1", 0)) as deaf, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        tcp, udp = (f"127.0.0.1:{made.getsockname()[1]}" for made in (deaf, hole))
        text = component("sip", name="udp", to=udp, timeout_s=0.2, tries=2)
        text += component("sip", name="tcp", to=tcp, transport="tcp", timeout_s=0.2, tries=1)
        text += component("sip", name="tls", to=tcp, transport="tls", timeout_s=0.2, tries=1)
        found = await once(run_of(tmp_path, text))
    assert {name: (probe.result, probe.reason) for name, probe in found.items()} == {
        "udp": (ProbeResult.TIMEOUT, "no answer in 0.2 s, 2 times"),
        "tcp": (ProbeResult.TIMEOUT, "no answer in 0.2 s"),
        "tls": (ProbeResult.TIMEOUT, "no answer in 0.2 s"),
    }
    gone = await once(run_of(tmp_path, text))
    assert {probe.result for probe in gone.values()} == {ProbeResult.FAILED}
    assert gone["udp"].reason == "no SIP server there: Connection refused"
    assert gone["tcp"].reason.startswith(f"no connection to {tcp} (tcp): ")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what came is no SIP message"),
        (b"SIP/2.0 200 OK\r\n\r\n", "what came is no SIP message"),  # no length: nothing can be found behind it
        (b"", "the connection was closed unanswered"),
    ],
)
async def test_a_connection_that_speaks_another_protocol_is_no_sip_server(
    tmp_path: Path, answer: bytes, told: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(4_096)
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        probe = await one(tmp_path, component("sip", to=place, transport="tcp", tries=1))
        thread.join()
    assert (probe.result, probe.reason) == (ProbeResult.FAILED, told)


async def test_a_try_without_an_answer_is_followed_by_a_new_request(tmp_path: Path) -> None:
    """It has a branch and a Call-ID of its own, so a server that hangs on the first one is asked again."""
    with scripted(None, (200, "")) as (place, heard):
        probe = await one(tmp_path, component("sip", to=place, tries=2, timeout_s=0.3))
    assert outcome(probe) == OK
    assert len({one.headers.first("call-id") for one in heard}) == 2


async def test_a_password_that_was_refused_is_not_tried_again(tmp_path: Path, password: Path) -> None:
    """The third request would count as another wrong password at the server."""
    with scripted(*[(401, 'Digest realm="a", nonce="n"')] * 2) as (place, heard):
        probe = await one(tmp_path, component("sip", to=place, username="u", password_file=password, timeout_s=1))
    assert probe.reason == "status 401 Unauthorized, expected 200, the user or the password is wrong"
    assert len(heard) == 2


async def test_a_server_that_says_that_each_nonce_is_stale_is_not_asked_for_ever(
    tmp_path: Path, password: Path
) -> None:
    """At most two proofs in one try; the second nonce is a new one, so the password is not to blame yet."""
    answers = [(401, f'Digest realm="a", nonce="n{number}", qop="auth", stale=true') for number in range(3)]
    with scripted(*answers) as (place, heard):
        probe = await one(tmp_path, component("sip", to=place, username="u", password_file=password, tries=1))
    assert probe.result is ProbeResult.FAILED
    assert [one.headers.first("cseq") for one in heard] == ["1 OPTIONS", "2 OPTIONS", "3 OPTIONS"]
    assert len({one.headers.first("call-id") for one in heard}) == 1
    proofs = [one.headers.first("authorization") for one in heard]
    assert [proofs[0], 'nonce="n0"' in proofs[1], 'nonce="n1"' in proofs[2]] == ["", True, True]
    assert PASSWORD not in "".join(proofs)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"username": "u"}, "belong together"),
        ({"uri": "http://a"}, "address of SIP"),
        ({"uri": "sip:a> <sip:b"}, "address of SIP"),
        ({"sender": "sip:a\\r\\nX: y"}, "address of SIP"),
        ({"status": 200}, "status"),
        ({"transport": "sctp"}, "transport"),
        ({"tries": 9}, "tries"),
        ({"account": "1"}, "account"),
        ({"transport": "tls", "ca": "/none.pem"}, "none.pem"),
        ({"username": "u", "password_file": "/none"}, "none"),
    ],
)
def test_a_fault_in_the_file_is_told_before_anything_is_sent(
    tmp_path: Path, more: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        run_of(tmp_path, component("sip", to="127.0.0.1:9", **more))


def test_no_status_expected_is_no_probe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="status"):
        run_of(tmp_path, component("sip", to="127.0.0.1:9") + "status = []\n")
    with pytest.raises(ConfigError, match="status"):
        run_of(tmp_path, component("sip", to="127.0.0.1:9") + "status = [100]\n")
