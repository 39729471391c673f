"""Sockets: TLS, whose handshakes count and end like connections."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.receiver.core import run, until
from tests.receiver.door import ack, door, each_loop, frame
from vetlla.errors import ConfigError
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners import accept
from vetlla.receiver.listeners.tls import server_context
from vetlla.settings.model import Tls

if TYPE_CHECKING:
    from pathlib import Path


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


def trusting(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.certificate))
    context.check_hostname = False
    return context


@each_loop
def test_tls_carries_the_same_frames(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """Over TLS a terminal is served as over TCP, and its signals say so."""

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files) as opened:
            terminal = await opened.dial(ssl=trusting(tls_files))
            terminal.send(frame(1) + frame(2)[:10])
            await terminal.hear(ack(1))
            terminal.send(frame(2)[10:])
            await terminal.hear(ack(2))
            terminal.writer.close()
            await until(lambda: not opened.tcp.connections)
            assert opened.core.read("SELECT DISTINCT transport FROM signals") == [{"transport": "tls"}]

    run(scenario(), loop)


@each_loop
def test_a_handshake_that_fails_is_counted(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """Whoever speaks no TLS to a TLS listener is dropped, and so is a client without the certificate asked for."""

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files.model_copy(update={"client_ca": tls_files.certificate})) as opened:
            plain = await opened.dial()
            plain.send(frame(1))
            await plain.ended()
            await until(lambda: opened.refused(Refusal.TLS) == 1)
            nameless = await opened.dial(ssl=trusting(tls_files))  # TLS 1.3: the client believes in it until it reads
            await nameless.ended()
            await until(lambda: opened.refused(Refusal.TLS) == 2)
            assert opened.core.counters.connections_open == 0
            named = trusting(tls_files)
            named.load_cert_chain(tls_files.certificate, tls_files.key)
            terminal = await opened.dial(ssl=named)
            terminal.send(frame(1))
            await terminal.hear(ack(1))

    run(scenario(), loop)


@each_loop
def test_a_handshake_counts_as_a_connection(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """Peers that never finish their handshake are within the budgets, and dropped when their time is over."""

    async def scenario() -> None:
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

    run(scenario(), loop)


@each_loop
def test_a_handshake_has_its_time(tmp_path: Path, loop: str, tls_files: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that begins no handshake is dropped."""
    monkeypatch.setattr(accept, "HANDSHAKE_S", 0.05)

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files) as opened:
            assert await (await opened.dial()).ended() == b""
            await until(lambda: opened.refused(Refusal.TLS) == 1)
            assert opened.core.counters.connections_open == 0

    run(scenario(), loop)


@each_loop
def test_a_stop_ends_handshakes(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """A stop does not wait for peers that never said hello."""

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files) as opened:
            silent = await opened.dial()
            await until(lambda: opened.core.counters.connections_open == 1)
            opened.tcp.stop()
            assert await silent.ended() == b""

    run(scenario(), loop)


# --- sockets ----------------------------------------------------------------------------------------------------------


def test_a_certificate_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """The error names the files."""
    files = Tls(certificate=tmp_path / "none.pem", key=tmp_path / "none.key")
    with pytest.raises(ConfigError, match=r"none\.pem"):
        server_context(files)
