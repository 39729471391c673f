"""SIGHUP at a running receiver: it takes all of a new configuration or nothing, and new TLS files with lines open."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import ssl
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from tests.rigs.certificates import Authority, Pair
from tests.rigs.daemon import PATIENCE_S, Daemon, Ended, bound_by_permissions, vetlla
from tests.rigs.registered_homes import keep_key, register
from tests.rigs.terminal import Terminal
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Secure:
    """A receiver with a TLS listener, and the files of its configuration."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(directory / "ca")
        self.pair = self.authority.issue("receiver", days=30)
        self.daemon = Daemon(directory, config=self.config(self.pair))

    def config(self, pair: Pair, more: str = "", *, client_ca: Path | None = None, port: int = 0) -> str:
        """Return the configuration's text."""
        asked = f', client_ca = "{client_ca}"' if client_ca else ""
        return (
            f"[store]\nmin_free_mib = 1\n{more}\n"
            f'[[listen]]\nname = "secure"\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = {port}\ntransports = ["tcp"]\n'
            f'tls = {{ certificate = "{pair.certificate}", key = "{pair.key}"{asked} }}\n'
        )

    @property
    def port(self) -> int:
        """Return the port of the TLS listener."""
        return self.port_of("secure")

    def port_of(self, name: str) -> int:
        """Return the port of a listener."""
        return next(int(place["port"]) for place in self.daemon.status()["listening"] if place["name"] == name)

    @contextmanager
    def line(self, *, show: Pair | None = None) -> Iterator[ssl.SSLSocket]:
        """Dial over TLS."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if show:
            context.load_cert_chain(show.certificate, show.key)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as line,
        ):
            yield line

    def start_again(self) -> None:
        """Stop the receiver, and start it with the files now on the disk."""
        self.daemon.stop()
        self.daemon.start(preexec=bound_by_permissions)

    def shown(self) -> int:
        """Return the serial number of the certificate that a new connection gets."""
        with self.line() as line:
            certificate = line.getpeercert(binary_form=True)
            assert certificate is not None
            return x509.load_der_x509_certificate(certificate).serial_number


def serial(pair: Pair) -> int:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number


def says(line: ssl.SSLSocket, number: int) -> bool:
    """Send a report over an open line. Return True if it is acknowledged."""
    terminal = Terminal(0)
    terminal.number = number
    line.sendall(terminal.frame())
    return b'"ACK"' in line.recv(4096)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    made = Secure(tmp_path)
    made.daemon.start(preexec=bound_by_permissions)
    yield made
    made.daemon.close()


def test_renewed_certificates_count_for_new_connections(secure: Secure) -> None:
    """An open line keeps its certificate. Metric and status follow the files in use."""
    daemon = secure.daemon
    before = daemon.metric("vetlla_certificate_not_after_seconds", listener="secure", use="certificate")
    assert before == pytest.approx(datetime.now(UTC).timestamp() + 30 * 86_400, abs=120)
    with secure.line() as line:
        assert says(line, 1)
        old = secure.shown()
        renewed = secure.authority.issue("receiver", days=90)
        assert secure.shown() == old, "a file on the disk changes nothing by itself"
        daemon.reload()
        assert secure.shown() == serial(renewed) != old
        assert says(line, 2), "the open line continues"
    after = daemon.metric("vetlla_certificate_not_after_seconds", listener="secure", use="certificate")
    assert after == pytest.approx(datetime.now(UTC).timestamp() + 90 * 86_400, abs=120)
    assert daemon.metric("vetlla_reloads_total", outcome="taken") == 1


def test_files_of_other_names_count_without_a_restart(secure: Secure) -> None:
    """If the configuration names other TLS files for the same listener, a reload takes them."""
    other = secure.authority.issue("other", days=60)
    secure.daemon.configure(secure.config(other))
    secure.daemon.reload()
    assert secure.shown() == serial(other)
    secure.daemon.await_log("receiver.reloaded")
    assert not secure.daemon.logged("receiver.restart_needed")


def test_another_authority_of_clients_counts_at_once(secure: Secure) -> None:
    """The receiver no longer accepts terminals of a removed authority."""
    ours, theirs = Authority(secure.directory / "ours"), Authority(secure.directory / "theirs")
    bundle = secure.directory / "clients.pem"
    shutil.copy(theirs.certificate, bundle)
    secure.daemon.configure(secure.config(secure.pair, client_ca=bundle))
    secure.daemon.reload()
    pendant = ours.issue("pendant")
    with suppress(ssl.SSLError, ConnectionError), secure.line(show=pendant) as line:
        assert not says(line, 1)
    shutil.copy(ours.certificate, bundle)
    secure.daemon.reload()
    with secure.line(show=pendant) as line:
        assert says(line, 1)


class Broker:
    """The TLS side of an MQTT broker. It reads the certificate that a receiver presents, and hangs up."""

    def __init__(self, authority: Authority) -> None:
        pair = authority.issue("broker")
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE_S)
        self.port = self._listening.getsockname()[1]

    def shown(self) -> int:
        """Return the serial number of the certificate of the next connection."""
        plain, _ = self._listening.accept()
        plain.settimeout(PATIENCE_S)
        with self._context.wrap_socket(plain, server_side=True) as line:
            certificate = line.getpeercert(binary_form=True)
            assert certificate is not None
            return x509.load_der_x509_certificate(certificate).serial_number

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()


def test_a_broker_is_shown_the_renewed_certificate_at_the_next_connection(tmp_path: Path) -> None:
    """The receiver is a client of the broker, and a reload reads its own certificate again too."""
    authority = Authority(tmp_path / "ca")
    broker, pair = Broker(authority), authority.issue("arc-1")
    tls = f'{{ ca = "{authority.certificate}", certificate = "{pair.certificate}", key = "{pair.key}" }}'
    table = f'[[mqtt]]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "arc-1"\nretry_max_s = 0.2\ntls = {tls}\n'
    daemon = Daemon(tmp_path, config=f"[store]\nmin_free_mib = 1\n{table}")
    try:
        daemon.start()
        old = serial(pair)
        assert broker.shown() == old
        renewed = serial(authority.issue("arc-1"))
        assert broker.shown() == old
        daemon.reload()
        daemon.await_log("receiver.reloaded")
        broker.shown()  # this connection may have begun before the reload
        assert broker.shown() == renewed
        assert {(one["name"], one["use"]) for one in daemon.status()["certificates"]} == {
            ("mqtt", "ca"),
            ("mqtt", "certificate"),
        }
    finally:
        daemon.close()
        broker.close()


def missing(secure: Secure) -> str:
    secure.pair.certificate.unlink()
    return "receiver.pem: no such file"


def broken(secure: Secure) -> str:
    secure.pair.certificate.write_bytes(secure.pair.certificate.read_bytes()[:300])
    return "receiver.pem: holds nothing"


def unreadable(secure: Secure) -> str:
    secure.pair.key.chmod(0)
    return "receiver.key: Permission denied"


def of_another(secure: Secure) -> str:
    secure.authority.issue("another").key.replace(secure.pair.key)
    return "is not the key of"


def no_protocol(secure: Secure) -> str:
    text = '[[listen]]\nprotocol = "dc9"\nhost = "127.0.0.1"\nport = 0\n'
    secure.daemon.configure(secure.config(secure.pair, REFUSE + text))
    return "unknown protocol 'dc9'"


def no_group(secure: Secure) -> str:
    secure.daemon.configure(secure.config(secure.pair, f'{REFUSE}[control]\noperators = "no-such-group"\n'))
    return "there is no group no-such-group"


def no_listener(secure: Secure) -> str:
    secure.daemon.config_file.write_text(f"http = {{ port = 0 }}\n{REFUSE}", encoding="utf-8")
    return "nothing to listen on"


def address_of_another(secure: Secure) -> str:
    text = '[[listen]]\nprotocol = "eview"\nhost = "192.0.2.1"\nport = 9010\n'
    secure.daemon.configure(secure.config(secure.pair, REFUSE + text))
    return "cannot listen on 192.0.2.1:9010"


def keys_for_everybody(secure: Secure) -> str:
    keep_key(secure.daemon.state_dir, "north", bytes(16))
    (secure.daemon.state_dir / "keys.toml").chmod(0o644)
    secure.daemon.configure(secure.config(secure.pair, REFUSE))
    return "others than its owner can read or write it"


def no_password(secure: Secure) -> str:
    text = '[[mqtt]]\nhost = "127.0.0.1"\nnode = "arc-1"\nusername = "arc"\npassword_file = "/missing"\n'
    secure.daemon.configure(secure.config(secure.pair, REFUSE + text))
    return "/missing: No such file"


def malformed(secure: Secure) -> str:
    secure.daemon.config_file.write_text("[store\n", encoding="utf-8")
    return "not TOML"


REFUSE = '[intake]\nunknown_accounts = "refuse"\n'
"""A setting that shows whether a reload took any part of the configuration."""
SPOILT: list[Callable[[Secure], str]] = [
    *(missing, broken, unreadable, of_another),
    *(
        no_protocol,
        no_group,
        no_listener,
        address_of_another,
        keys_for_everybody,
        no_password,
        malformed,
    ),
]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__.replace("_", " "))
def test_a_configuration_that_a_start_would_refuse_is_refused_whole(
    secure: Secure, spoil: Callable[[Secure], str]
) -> None:
    """The log shows the reason, and certificates, accounts and policy stay. The next start refuses the same files."""
    daemon = secure.daemon
    old = secure.shown()
    expected = spoil(secure)

    daemon.reload()

    line = daemon.await_log("receiver.reload_refused")
    assert expected in line["why"]
    assert daemon.metric("vetlla_reloads_total", outcome="refused") == 1
    assert expected in daemon.status()["reload"]["refused"]
    assert secure.shown() == old
    with Terminal(secure.port, "4711") as terminal, secure.line() as secured:
        secured.sendall(terminal.frame())
        assert b'"ACK"' in secured.recv(4096), "the policy in the same file was not taken either"
    assert expected in daemon.ask("outlook")["refused"] or spoil is keys_for_everybody
    checked = vetlla("check-config", "--config", str(daemon.config_file), state_dir=daemon.state_dir)
    assert (checked.returncode, expected in checked.stderr) == (os.EX_CONFIG, True) or spoil is unreadable
    with pytest.raises(Ended) as ended:
        secure.start_again()
    assert expected in ended.value.told


def test_another_state_directory_is_checked(tmp_path: Path) -> None:
    """A reload checks the journal in another state directory, because the next start would open it."""
    daemon = Daemon(tmp_path)
    here, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    elsewhere.mkdir()
    try:
        daemon.configure(f'state_dir = "{here}"\n[store]\nmin_free_mib = 1\n')
        daemon.start(options=("--config", str(daemon.config_file)))
        with closing(sqlite3.connect(elsewhere / JOURNAL)) as connection:
            connection.execute("PRAGMA user_version = 9999")
        daemon.configure(f'state_dir = "{elsewhere}"\n[store]\nmin_free_mib = 1\n')
        daemon.reload()
        assert "schema 9999 is newer" in daemon.await_log("receiver.reload_refused")["why"]
        (elsewhere / JOURNAL).unlink()
        daemon.reload()
        assert daemon.await_log("receiver.restart_needed")["changed"] == ["state_dir"]
        assert daemon.status()["process"]["keys_file"] == str(here / "keys.toml")
    finally:
        daemon.close()


def test_a_new_address_waits_for_a_restart_and_is_reported(secure: Secure) -> None:
    """Log, status and doctor show what a reload cannot change. The rest of the configuration counts."""
    daemon = secure.daemon
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    daemon.configure(secure.config(secure.pair, REFUSE + "\n[log]\nlevel = 'debug'\n", port=port))
    assert daemon.ask("outlook")["waiting"] == ["log", "listen"]
    assert daemon.ask("outlook")["unread"] == ["intake"]
    daemon.reload()
    line = daemon.await_log("receiver.restart_needed")
    assert line["changed"] == ["log", "listen"] == daemon.status()["reload"]["waiting"]
    assert daemon.ask("outlook")["unread"] == []
    assert secure.port != port


def test_a_port_in_use_is_refused(secure: Secure) -> None:
    """The next start could not open a port in use. It could open the receiver's own ports."""
    daemon = secure.daemon
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon.configure(secure.config(secure.pair, port=port))
        daemon.reload()
    assert (
        f"listen secure: cannot listen on 127.0.0.1:{port}: Address already in use"
        in (daemon.await_log("receiver.reload_refused")["why"])
    )
    daemon.listen_port = secure.port_of("dc09")
    daemon.configure(secure.config(secure.pair, port=secure.port))
    daemon.reload()
    assert daemon.metric("vetlla_reloads_total", outcome="taken") == 1


def test_accounts_are_taken_while_the_configuration_is_being_edited(secure: Secure) -> None:
    """A change of an account reads only accounts and keys, so a half-written configuration does not stop it."""
    malformed(secure)
    done = vetlla("accounts", "set", "1234", "--home", "H-1", state_dir=secure.daemon.state_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert secure.daemon.status()["counts"]["accounts"] == 1
    assert secure.daemon.status()["reload"]["refused"] == ""


def test_a_reload_during_the_start_waits_for_it(tmp_path: Path) -> None:
    """After SIGHUP before READY the receiver reads the configuration once more when everything is open."""
    register(tmp_path / "state", "1234,H-1,,")
    daemon = Daemon(tmp_path, config="[store]\nmin_free_mib = 1\n")
    try:
        daemon.start(ready=False)
        deadline = time.monotonic() + PATIENCE_S
        lock = daemon.state_dir / "journal.lock"
        while not lock.exists():  # its signal handlers are set by then
            assert time.monotonic() < deadline
        daemon.reload()
        assert daemon.await_log("receiver.reloaded")["accounts"] == 1
        assert "Traceback" not in daemon.told
        assert daemon.stop() == 0
    finally:
        daemon.close()
