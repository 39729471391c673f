"""Sockets: TLS. Handshakes count and end like connections."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from tests.rigs.core import until
from tests.rigs.door import Door, ack, door, frame
from tests.rigs.loops import each_loop
from vetlla.domain.accounts import Account
from vetlla.domain.errors import ConfigError
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners import accept
from vetlla.receiver.listeners.connection import TcpConnection
from vetlla.receiver.listeners.tcp import TcpBounds
from vetlla.receiver.listeners.tls import server_context
from vetlla.settings.listen import Listen, Tls

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path


HOME = Account(account="1234", home="H1")

# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Make a certificate for this run alone."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.invalid")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Tls(certificate=folder / "cert.pem", key=folder / "key.pem")


def issued(folder: Path, tls: Tls, account: str) -> Tls:
    """Return a terminal's certificate of the same authority, which names an account."""
    authority = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    signer = serialization.load_pem_private_key(tls.key.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, account)]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(authority.not_valid_before_utc)
        .not_valid_after(authority.not_valid_after_utc)
        .sign(signer, hashes.SHA256())
    )
    (folder / "terminal.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "terminal.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Tls(certificate=folder / "terminal.pem", key=folder / "terminal.key")


def trusting(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.certificate))
    context.check_hostname = False
    return context


@each_loop
async def test_tls_carries_the_same_frames(tmp_path: Path, tls_files: Tls) -> None:
    """A terminal is served over TLS like over TCP, and its signals record the transport."""
    async with door(tmp_path, tls=tls_files) as opened:
        terminal = await opened.dial(ssl=trusting(tls_files))
        terminal.send(frame(1) + frame(2)[:10])
        await terminal.hear(ack(1))
        terminal.send(frame(2)[10:])
        await terminal.hear(ack(2))
        terminal.writer.close()
        await until(lambda: not opened.tcp.connections)
        assert opened.core.read("SELECT DISTINCT transport FROM signals") == [{"transport": "tls"}]


@each_loop
async def test_a_handshake_that_fails_is_counted(tmp_path: Path, tls_files: Tls) -> None:
    """A TLS listener drops a peer that does not use TLS, and a client without the required certificate."""
    guarded = tls_files.model_copy(update={"client_ca": tls_files.certificate, "client_accounts": "any"})
    async with door(tmp_path, tls=guarded) as opened:
        plain = await opened.dial()
        plain.send(frame(1))
        await plain.ended()
        await until(lambda: opened.refused(Refusal.TLS) == 1)
        nameless = await opened.dial(ssl=trusting(tls_files))  # TLS 1.3: the client sees the refusal when it reads
        await nameless.ended()
        await until(lambda: opened.refused(Refusal.TLS) == 2)
        assert opened.core.counters.connections_open == 0
        named = trusting(tls_files)
        named.load_cert_chain(tls_files.certificate, tls_files.key)
        terminal = await opened.dial(ssl=named)
        terminal.send(frame(1))
        await terminal.hear(ack(1))


@each_loop
async def test_a_handshake_counts_as_a_connection(tmp_path: Path, tls_files: Tls) -> None:
    """Peers that never finish their handshake count in the budgets, and are dropped when their time is over."""
    limits = {"connections_per_peer": 1}
    async with door(tmp_path, tls=tls_files, limits=limits) as opened:
        silent = await opened.dial()
        await until(lambda: opened.core.counters.connections_open == 1)
        assert await (await opened.dial()).ended() == b""
        assert opened.refused(Refusal.PEER) == 1
        silent.hang_up()
        await until(lambda: opened.core.counters.connections_open == 0)
        terminal = await opened.dial(ssl=trusting(tls_files))
        terminal.send(frame(1))
        await terminal.hear(ack(1))


@each_loop
async def test_a_handshake_has_its_time(tmp_path: Path, tls_files: Tls) -> None:
    """A peer that begins no handshake is dropped."""
    async with door(tmp_path, tls=tls_files, bounds=TcpBounds(handshake_s=0.05)) as opened:
        assert await (await opened.dial()).ended() == b""
        await until(lambda: opened.refused(Refusal.TLS) == 1)
        assert opened.core.counters.connections_open == 0


@each_loop
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_connection_that_makes_room_as_it_is_made_gives_its_place_back_once(
    tmp_path: Path, tls_files: Tls, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """If a new peer needs the place in the turn in which a handshake ends, the count of connections stays right."""
    made = TcpConnection.connection_made
    async with door(tmp_path, tls=tls_files, limits={"connections": 1}) as opened:
        budget = opened.core.budget

        def connection_made(self: TcpConnection, transport: asyncio.BaseTransport) -> None:
            if moment == "after":
                made(self, transport)
            opened.core.clock.advance(3)
            assert budget.connect("198.51.100.7") is None  # the terminal is dropped to make room
            if moment == "before":
                made(self, transport)

        monkeypatch.setattr(TcpConnection, "connection_made", connection_made)
        try:
            terminal = await opened.dial(ssl=trusting(tls_files))
            assert await terminal.ended() == b""
        except (ConnectionError, ssl.SSLError):
            pass  # the terminal had not finished its handshake
        await until(lambda: opened.core.counters.connections_open == 1 and not opened.tcp.connections)
        assert opened.refused(Refusal.UNPROVEN) == 1
        budget.disconnect("198.51.100.7")
        assert (opened.core.counters.connections_open, budget._connections, budget._unproven) == (0, {}, {})


@each_loop
async def test_a_stop_ends_handshakes(tmp_path: Path, tls_files: Tls) -> None:
    """A stop does not wait for peers that have not begun their handshake."""
    async with door(tmp_path, tls=tls_files) as opened:
        silent = await opened.dial()
        await until(lambda: opened.core.counters.connections_open == 1)
        opened.tcp.stop()
        assert await silent.ended() == b""


@each_loop
@pytest.mark.parametrize("tls", [False, True])
async def test_a_stop_in_the_turn_of_a_connection_gives_its_place_back(
    tmp_path: Path, tls_files: Tls, *, tls: bool
) -> None:
    """The place and the socket are free again, although the task that sets the connection up had not started."""
    async with door(tmp_path, tls=tls_files if tls else None) as opened:
        near, far = socket.socketpair()
        with far:
            far.settimeout(0)
            near.settimeout(0)
            opened.tcp._acceptor._admit(near, ("198.51.100.7", 40_000))
            opened.tcp.stop()
            await until(lambda: opened.core.counters.connections_open == 0)
            assert (far.recv(1), near.fileno()) == (b"", -1)


# --- sockets ----------------------------------------------------------------------------------------------------------


def test_a_certificate_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    """The error names the files."""
    files = Tls(certificate=tmp_path / "none.pem", key=tmp_path / "none.key")
    with pytest.raises(ConfigError, match=r"none\.pem"):
        server_context(files)


@each_loop
async def test_a_port_for_tls_has_no_datagrams_in_clear(tmp_path: Path, tls_files: Tls) -> None:
    """The receiver would take them from any sender, on the same port, without a certificate."""
    async with door(tmp_path, tls=tls_files) as opened:
        assert opened.udp is None
    with pytest.raises(ValueError, match="plain udp needs a"):
        Listen(protocol="dc09", host="127.0.0.1", port=0, transports=("tcp", "udp"), tls=tls_files)


@each_loop
@pytest.mark.parametrize("known", [False, True])
async def test_a_press_in_clear_at_a_port_for_tls_reaches_an_operator(
    tmp_path: Path, tls_files: Tls, *, known: bool
) -> None:
    """Its reports would all be lost, so a known home gets a LIFE alarm, and a stranger one under its address."""
    async with door(tmp_path, tls=tls_files, accounts=[HOME] if known else []) as opened:
        terminal = await opened.dial()
        terminal.send(frame(1, "1234"))
        assert await terminal.ended() == b""
        await opened.core.sync()
        (alarm,) = await opened.core.open_alarms()
        assert (alarm["home"], alarm["priority"]) == (("H1", "LIFE") if known else ("127.0.0.1", "TECHNICAL"))
        assert "sent in clear to a port for TLS" in alarm["why"]
        (row,) = opened.core.read("SELECT raw, reason FROM rejects")
        assert (bytes(row["raw"]).strip(), row["reason"]) == (frame(1, "1234").strip(), "wrong_port")
        assert opened.core.read("SELECT id FROM signals") == []
        assert opened.refused(Refusal.TLS) == 1


def spied(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the list of bytes that decoders are given from now on."""
    given: list[bytes] = []
    feed = Dc09Decoder.feed

    def spy(self: Dc09Decoder, data: bytes) -> Any:  # noqa: ANN401 - what feed returns
        given.append(data)
        return feed(self, data)

    monkeypatch.setattr(Dc09Decoder, "feed", spy)
    return given


def heard(given: list[bytes], said: bytes) -> bool:
    """Return True when decoders were given all bytes that were sent."""
    return b"".join(given) == said


async def told(opened: Door) -> list[tuple[str, str]]:
    """Return the homes that wait for an operator, with their priorities."""
    await opened.core.sync()
    return sorted((alarm["home"], alarm["priority"]) for alarm in await opened.core.open_alarms())


@each_loop
@pytest.mark.parametrize("cuts", [(1, 2), (1, 20, 40)])
async def test_a_press_in_clear_may_come_in_segments(
    tmp_path: Path, tls_files: Tls, monkeypatch: pytest.MonkeyPatch, cuts: tuple[int, ...]
) -> None:
    """A modem may cut a frame anywhere; the alarm still names the home, and has the same priority."""
    given = spied(monkeypatch)
    async with door(tmp_path, tls=tls_files, accounts=[HOME]) as opened:
        terminal = await opened.dial()
        whole = frame(1, "1234")
        for begin, end in pairwise((0, *cuts, len(whole))):
            terminal.send(whole[begin:end])
            await until(partial(heard, given, whole[:end]))
        assert await terminal.ended() == b""
        assert await told(opened) == [("H1", "LIFE")]
        assert [bytes(row["raw"]) for row in opened.core.read("SELECT raw FROM rejects")] == [whole.rstrip()]
        assert (opened.refused(Refusal.TLS), opened.core.counters.connections_open) == (1, 0)


@each_loop
@pytest.mark.parametrize("end", ["its time is over", "too much", "the peer ends", "it makes room"])
async def test_bytes_in_clear_that_are_no_report_are_shown_with_their_address(
    tmp_path: Path, tls_files: Tls, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """However it ends, the bytes until then are evidence, and the address is put before an operator."""
    given = spied(monkeypatch)
    bounds = TcpBounds(clear_s=0.05) if end == "its time is over" else TcpBounds()
    async with door(tmp_path, tls=tls_files, accounts=[HOME], limits={"connections": 1}, bounds=bounds) as opened:
        terminal = await opened.dial()
        said = b"A" * (accept.CLEAR_MAX + 1) if end == "too much" else frame(1, "1234")[:12]
        terminal.send(said)
        await until(lambda: b"".join(given) == said[: accept.CLEAR_MAX])
        if end == "the peer ends":
            terminal.writer.write_eof()
        elif end == "it makes room":
            opened.core.clock.advance(3)
            await opened.dial()
        assert await terminal.ended() == b""
        assert await told(opened) == [("127.0.0.1", "TECHNICAL")]
        (row,) = opened.core.read("SELECT raw, reason FROM rejects")
        assert (bytes(row["raw"]), row["reason"]) == (said[: accept.CLEAR_MAX], "wrong_port")


@each_loop
@pytest.mark.parametrize("broken", ["__init__", "feed", "finish"])
async def test_a_decoder_that_fails_on_bytes_in_clear_keeps_no_connection(
    tmp_path: Path, tls_files: Tls, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """It may be a third party's. The log has its stack, the place is free, and an operator is shown the address."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with door(tmp_path, tls=tls_files) as opened:
        monkeypatch.setattr(Dc09Decoder, broken, fail)
        terminal = await opened.dial()
        with capture_logs() as log:
            terminal.send(b"hello")
            terminal.writer.write_eof()
            assert await terminal.ended() == b""
            await until(lambda: opened.core.counters.connections_open == 0)
        assert [line["event"] for line in log] == ["decoder.failed"]
        assert await told(opened) == [("127.0.0.1", "TECHNICAL")]
        assert opened.refused(Refusal.TLS) == 1


@each_loop
async def test_a_decoder_that_cannot_be_made_keeps_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a port in clear, too, the place is free again and the log has the reason."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with door(tmp_path) as opened:
        monkeypatch.setattr(Dc09Decoder, "__init__", fail)
        with capture_logs() as log:
            assert await (await opened.dial()).ended() == b""
            await until(lambda: opened.core.counters.connections_open == 0)
        assert [line["event"] for line in log] == ["connection.failed"]


@each_loop
async def test_each_home_behind_a_gateway_in_clear_reaches_an_operator(tmp_path: Path, tls_files: Tls) -> None:
    """A gateway reports for many homes; no press joins another home's alarm, and a stranger's is not dropped."""
    homes = [HOME, Account(account="1235", home="H2")]
    async with door(tmp_path, tls=tls_files, accounts=homes) as opened:
        gateway = await opened.dial()
        gateway.send(frame(1, "1234") + frame(2, "1235") + frame(3, "9999"))
        assert await gateway.ended() == b""
        assert await told(opened) == [("127.0.0.1", "TECHNICAL"), ("H1", "LIFE"), ("H2", "LIFE")]
        rejects = opened.core.read("SELECT account, reason FROM rejects ORDER BY account")
        assert [(row["account"], row["reason"]) for row in rejects] == [
            ("", "wrong_port"),
            ("1234", "wrong_port"),
            ("1235", "wrong_port"),
        ]


@each_loop
@pytest.mark.parametrize(("policy", "stored"), [("named", 1), ("any", 2)])
async def test_a_certificate_reports_for_the_account_that_it_names(
    tmp_path: Path, tls_files: Tls, policy: Literal["named", "any"], stored: int
) -> None:
    """A stolen certificate of a terminal reports only for its own home; a gateway may be allowed to report for many."""
    guarded = Tls(
        certificate=tls_files.certificate,
        key=tls_files.key,
        client_ca=tls_files.certificate,
        client_accounts=policy,
    )
    mine = issued(tmp_path, tls_files, "12ab")
    context = trusting(tls_files)
    context.load_cert_chain(mine.certificate, mine.key)
    async with door(tmp_path, tls=guarded, accounts=[HOME]) as opened:
        terminal = await opened.dial(ssl=context)
        terminal.send(frame(1, "12AB"))
        await terminal.hear(ack(1, "12AB"))
        terminal.send(frame(2, "1234"))
        answer = await terminal.reader.readuntil(b"\r")
        assert (b"ACK" in answer) is (policy == "any")
        await opened.core.sync()
        assert len(opened.core.read("SELECT id FROM signals")) == stored
        homes = {alarm["home"] for alarm in await opened.core.open_alarms()}
        assert "H1" in homes  # a refusal in a home's name is put before an operator
