"""``vetlla doctor`` checks a running receiver, and not the shell in which it runs itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.certificates import Authority
from tests.rigs.daemon import Daemon, vetlla
from tests.rigs.nursery import nursery
from tests.rigs.permissions import NOBODY_UID, reachable_directory
from vetlla.checks.connections import kernel_socket
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "[store]\nmin_free_mib = 1\n"
EX_UNKNOWN = 3


class Patient:
    """A receiver with a TLS listener, configured by a file only, as in a service."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(directory / "ca")
        self.pair = self.authority.issue("receiver", days=60)
        self.daemon = Daemon(directory)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.configure()

    def configure(self, more: str = BASE) -> None:
        """Write the configuration."""
        tls = f'tls = {{ certificate = "{self.pair.certificate}", key = "{self.pair.key}" }}'
        listen = f'[[listen]]\nname = "secure"\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = {self.port}\n{tls}\n'
        self.daemon.configure(f'state_dir = "{self.daemon.state_dir}"\n{more}\n{listen}')

    @property
    def taken(self) -> str:
        """What is found of the listener's address while the receiver tells nothing."""
        return f"127.0.0.1:{self.port} is in use by the receiver, which did not answer, or by another program"

    def start(self, **options: Any) -> None:  # noqa: ANN401 - those of the daemon
        """Start it with the file."""
        self.daemon.start(options=("--config", str(self.daemon.config_file)), **options)

    def doctor(self, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Return the exit status, and the findings by check."""
        done = vetlla("doctor", "--json", *(words or ("--config", str(self.daemon.config_file))))
        assert "Traceback" not in done.stderr
        return done.returncode, {one["check"]: one for one in map(json.loads, done.stdout.splitlines())}

    def found(self, check: str) -> tuple[str, str]:
        """Return level and text of one finding."""
        finding = self.doctor()[1][check]
        assert bool(finding["remedy"]) == (finding["level"] != "ok"), finding
        return finding["level"], finding["text"]


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    made = Patient(tmp_path)
    made.start()
    yield made
    made.daemon.close()


def test_the_receiver_is_checked_and_not_the_shell(patient: Patient) -> None:
    """The checked descriptors, process, certificates and sockets are those of the receiver."""
    _, found = patient.doctor()
    process = patient.daemon.process.pid
    assert f"process {process} of user" in found["receiver"]["text"]
    assert found["configuration"]["text"] == "the receiver uses the configuration on the disk"
    assert "for the receiver" in found["descriptors"]["text"]
    assert found["certificate secure"]["level"] == "ok"
    assert found["listener secure"]["text"].endswith("the receiver listens over tcp")
    assert found["listener http"]["text"].endswith(" answers")
    assert found["journal"]["text"].endswith("journal.db: 0 signals")
    assert {name: one for name, one in found.items() if one["level"] in {"critical", "unknown"}} == {}


def test_the_receivers_own_limit_of_descriptors_is_checked(tmp_path: Path) -> None:
    """The limit with which the receiver was started counts, because the shell's own may differ."""
    patient = Patient(tmp_path)
    try:
        patient.start(wrapper=("prlimit", "--nofile=3000:3000"))
        level, text = patient.found("descriptors")
        assert (level, text.partition(",")[0]) == ("warning", "3000 for the receiver")
    finally:
        patient.daemon.close()


def test_the_configuration_on_the_disk_is_compared(patient: Patient) -> None:
    """A change may be not read yet, wait for a restart or be refused; each finding has the command that helps."""
    patient.configure(f'{BASE}[intake]\nunknown_accounts = "refuse"\n')
    assert patient.found("configuration") == ("warning", "changed on the disk, but not read yet: intake")
    patient.daemon.reload()
    assert patient.found("configuration")[0] == "ok"
    patient.configure(f'{BASE}[intake]\nunknown_accounts = "refuse"\n[log]\nlevel = "debug"\n')
    patient.daemon.reload()
    assert patient.found("configuration") == ("warning", "changed on the disk, takes effect after a restart: log")
    patient.configure(f'{BASE}[control]\noperators = "no-such-group"\n')
    level, text = patient.found("configuration")
    assert level == "critical"
    assert "no group no-such-group" in text
    assert patient.doctor()[0] == 2


def test_a_check_of_the_wrong_configuration_is_reported(patient: Patient) -> None:
    """A user who checks the wrong file is shown the right one."""
    other = patient.directory / "other.toml"
    shutil.copy(patient.daemon.config_file, other)
    done = vetlla("doctor", "--json", "--config", str(other))
    told = [one for one in map(json.loads, done.stdout.splitlines()) if one["check"] == "configuration"]
    assert [one["level"] for one in told] == ["warning", "ok"]
    assert told[0]["text"] == f"the receiver runs with {patient.daemon.config_file}, but this command with {other}"


def test_certificates_in_use_are_compared_with_the_files(patient: Patient) -> None:
    """One certificate expires soon, one has expired, and one was renewed but not reloaded."""
    patient.pair = patient.authority.issue("receiver", days=10)
    level, text = patient.found("certificate secure")
    assert level == "warning"
    assert "the receiver still uses the previous one" in text
    patient.daemon.reload()
    assert patient.found("certificate secure")[1].partition(" expires on 20")[0].endswith("receiver.pem (certificate)")
    for days in (1, -1):
        patient.authority.issue("receiver", days=days)
        patient.daemon.reload()
        assert patient.found("certificate secure")[0] == "critical"


def test_a_journal_that_is_not_the_receivers_is_critical(patient: Patient) -> None:
    """If it is moved or replaced, the receiver goes on writing a file that no command reads."""
    state = patient.daemon.state_dir
    (state / JOURNAL).rename(state / "moved")
    assert patient.found("journal")[0] == "critical"
    shutil.copy(state / "moved", state / JOURNAL)
    level, text = patient.found("journal")
    assert (level, "is not the file that the receiver writes" in text) == ("critical", True)


def test_accounts_that_the_receiver_does_not_know_are_reported(patient: Patient) -> None:
    """They were registered without a reload, by a copy from a backup or by SQL."""
    elsewhere = patient.directory / "elsewhere"
    assert vetlla("accounts", "set", "1234", state_dir=elsewhere).returncode == 0
    shutil.copy(elsewhere / REGISTRY, patient.daemon.state_dir)
    assert patient.found("registry") == ("warning", "1 accounts are registered, but the receiver uses 0")


def test_a_listener_that_is_configured_and_not_open_is_critical(patient: Patient) -> None:
    """Until the restart, terminals dial an address at which no program listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    patient.configure(
        f'{BASE}[[listen]]\nprotocol = "eview"\nhost = "127.0.0.1"\nport = {port}\ntransports = ["tcp"]\n'
    )
    level, text = patient.found("listener eview")
    assert (level, text) == ("critical", f"the receiver does not listen on 127.0.0.1:{port}")


def test_a_receiver_that_hangs_is_critical(patient: Patient) -> None:
    """It holds its socket and does not answer, which is worse than no receiver."""
    patient.daemon.tell(signal.SIGSTOP)
    try:
        _, found = patient.doctor()
    finally:
        patient.daemon.tell(signal.SIGCONT)
    assert found["receiver"]["level"] == "critical"
    assert "did not answer within" in found["receiver"]["text"]
    assert (found["listener secure"]["level"], found["listener secure"]["text"]) == ("unknown", patient.taken)


def test_a_damaged_registry_and_journal_are_critical(tmp_path: Path) -> None:
    """They are critical before the start, too."""
    patient = Patient(tmp_path)
    state = patient.daemon.state_dir
    state.mkdir(mode=0o750)
    for name in (JOURNAL, REGISTRY):
        (state / name).write_bytes(b"not a database" * 100)
    assert patient.found("journal")[0] == patient.found("registry")[0] == "critical"
    (state / JOURNAL).unlink()
    with closing(sqlite3.connect(state / JOURNAL)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    assert "schema 9999 is newer" in patient.found("journal")[1]


def test_without_a_receiver_the_configuration_is_checked_as_at_a_start(tmp_path: Path) -> None:
    """Each fault that a start refuses is a finding; an unreadable configuration is one, too."""
    patient = Patient(tmp_path)
    patient.daemon.state_dir.mkdir(mode=0o750)
    assert patient.found("configuration")[0] == "ok"
    patient.configure(f'{BASE}[control]\nengineers = "no-such-group"\n')
    assert patient.found("configuration") == (
        "critical",
        "control.engineers: there is no group no-such-group on this machine",
    )
    patient.daemon.config_file.write_text("[store\n", encoding="utf-8")
    status, found = patient.doctor()
    assert (status, found["configuration"]["level"]) == (2, "critical")


def test_the_kernels_sockets_are_found() -> None:
    """TCP and UDP sockets are found by their port; a free port has no socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(type=socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        tcp, udp = listening.getsockname()[1], heard.getsockname()[1]
        assert kernel_socket("tcp", tcp) == (0, 0)
        with socket.create_connection(("127.0.0.1", tcp)):
            assert kernel_socket("tcp", tcp) == (1, 0)
        assert kernel_socket("udp", udp) == (0, 0)
    assert kernel_socket("tcp", tcp) is None


if os.geteuid() == 0:  # only root can be two users

    def test_a_check_that_this_user_may_not_make_is_unknown() -> None:
        """What another user cannot check is not called good: the exit status is 3, and each check says why."""
        with reachable_directory() as directory:
            patient = Patient(directory)
            try:
                patient.start()
                with nursery() as program:
                    words = ("doctor", "--json", "--config", patient.daemon.config_file)
                    left = program.run(*words, user=(NOBODY_UID, [NOBODY_UID]))
            finally:
                patient.daemon.close()
            found = {one["check"]: one for one in map(json.loads, left.out.splitlines())}
            unknown = {name for name, one in found.items() if one["level"] == "unknown"}
            assert left.status == EX_UNKNOWN
            assert unknown >= {
                "receiver",
                "configuration",
                "journal",
                "registry",
                "keys",
                "files",
                "sqlite",
                "flush",
                "listener secure",
            }
            assert found["listener secure"]["text"] == patient.taken
            assert all(found[name]["remedy"] for name in unknown)
            assert not [one for one in found.values() if one["level"] == "critical"]

    def test_files_that_the_receivers_user_cannot_use_are_named(tmp_path: Path) -> None:
        """Root can read all files, but the receiver is another user."""
        patient = Patient(tmp_path)
        state = patient.daemon.state_dir
        assert vetlla("accounts", "set", "1", state_dir=state).returncode == 0
        os.chown(state, NOBODY_UID, NOBODY_UID)
        for name in ("registry.lock", REGISTRY):
            os.chown(state / name, NOBODY_UID, NOBODY_UID)
        assert patient.found("files")[0] == "ok"
        os.chown(state / REGISTRY, 0, 0)
        level, text = patient.found("files")
        assert (level, text) == ("critical", f"user nobody owns {state} and cannot use registry.db")
