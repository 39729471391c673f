"""Messages between systemd and the daemon, over real sockets and real inherited descriptors."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vetlla.daemon.systemd import inherited_sockets, notify, watchdog_interval_s
from vetlla.domain.errors import ConfigError

ABSTRACT = f"@vetlla-test-{os.getpid()}"


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_notify_reaches_the_manager(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state arrives whole, as one datagram, at a socket of the file system and of the abstract namespace."""
    address = ABSTRACT if kind == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        assert notify("READY=1\nSTATUS=listening")
        assert manager.recv(4096) == b"READY=1\nSTATUS=listening"


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "/nowhere/notify", "@no-listener-here"])
def test_notify_without_a_manager_is_silent(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a service manager nothing is raised, and the caller can see it."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify("WATCHDOG=1")


def test_notify_does_not_wait_for_a_busy_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manager that reads nothing delays the receiver for a moment, but does not stop it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        bound = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) + 2
        assert not all(notify("WATCHDOG=1") for _ in range(bound))


def test_watchdog_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval is systemd's, in seconds, and only if it is meant for this process."""
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_interval_s() is None
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    assert watchdog_interval_s() == 20.0
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert watchdog_interval_s() == 20.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_interval_s() is None


@pytest.mark.parametrize("value", ["", "soon", "-1", "0", "²"])
def test_watchdog_nonsense_is_a_clear_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names a variable that systemd never sets so; an unfed watchdog would kill the receiver later."""
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", value)
    with pytest.raises(ConfigError, match="WATCHDOG_USEC"):
        watchdog_interval_s()


HEIR = """
import json, os, socket
from vetlla.domain.errors import ConfigError
from vetlla.daemon.systemd import inherited_sockets
os.environ["LISTEN_PID"] = os.environ["LISTEN_PID"].replace("self", str(os.getpid()))
try:
    heirs = inherited_sockets()
except ConfigError as error:
    print(json.dumps(str(error)))
else:
    print(json.dumps([
        {"name": h.name, "stream": h.socket.type == socket.SOCK_STREAM, "family": h.socket.family.name,
         "port": h.socket.getsockname()[1], "blocking": h.socket.getblocking(),
         "inheritable": os.get_inheritable(h.socket.fileno())}
        for h in heirs]))
    assert inherited_sockets() == []
    assert not [name for name in os.environ if name.startswith("LISTEN_")] or not heirs
"""


def _inherit(descriptors: list[int], **variables: str) -> object:
    """Start a process that finds ``descriptors`` from 3 on, as systemd arranges it; return its output."""
    moves = " ".join(f"{3 + place}<&{fd}" for place, fd in enumerate(descriptors))
    done = subprocess.run(
        ["bash", "-c", f'exec "$@" {moves}', "bash", sys.executable, "-c", HEIR],
        env={**os.environ, **variables},
        pass_fds=descriptors,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return json.loads(done.stdout)


def _high(number: socket.socket | int) -> int:
    """Duplicate a descriptor to a number far above those that the child's shell uses."""
    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 100)


def test_sockets_are_inherited_with_name_family_and_type() -> None:
    """A TCP, a UDP and an IPv6 socket arrive once, with name, family and type, ready for an event loop."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        descriptors = [_high(tcp), _high(udp)]
        heirs = _inherit(descriptors, LISTEN_PID="self", LISTEN_FDS="2", LISTEN_FDNAMES="dc09:dc09")
        expected = {"name": "dc09", "family": "AF_INET", "blocking": False, "inheritable": False}
        assert heirs == [
            {**expected, "stream": True, "port": tcp.getsockname()[1]},
            {**expected, "stream": False, "port": udp.getsockname()[1]},
        ]
        for fd in descriptors:
            os.close(fd)


def test_sockets_of_an_old_systemd_have_no_name() -> None:
    """Without LISTEN_FDNAMES the name is the one that libsystemd gives."""
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        fd = _high(tcp)
        heirs = _inherit([fd], LISTEN_PID="self", LISTEN_FDS="1")
        os.close(fd)
    assert isinstance(heirs, list)
    assert [heir["name"] for heir in heirs] == ["unknown"]


def test_sockets_meant_for_another_process_are_left_alone() -> None:
    """If a parent left its own LISTEN_PID in the environment, nothing is touched."""
    assert _inherit([], LISTEN_PID="1", LISTEN_FDS="2") == []


def test_a_descriptor_that_is_no_socket_is_refused(tmp_path: Path) -> None:
    """For a FIFO or a file in the socket unit, a configuration error names the descriptor."""
    with (tmp_path / "file").open("wb") as file:
        fd = _high(file.fileno())
        answer = _inherit([fd], LISTEN_PID="self", LISTEN_FDS="1", LISTEN_FDNAMES="odd")
        os.close(fd)
    assert isinstance(answer, str)
    assert "descriptor 3 (odd)" in answer


def test_no_sockets_outside_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is started by hand inherits no sockets."""
    monkeypatch.delenv("LISTEN_PID", raising=False)
    assert inherited_sockets() == []


@pytest.mark.parametrize(("fds", "names"), [("two", ""), ("2", "dc09"), ("1", "dc09:dc09")])
def test_contradicting_variables_are_refused(fds: str, names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and names that do not agree are refused before any descriptor is touched."""
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", fds)
    monkeypatch.setenv("LISTEN_FDNAMES", names)
    with pytest.raises(ConfigError, match="LISTEN_FDS"):
        inherited_sockets()
