"""A receiver that can be killed at any instant, and started again over its state directory."""

from __future__ import annotations

import ctypes
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

READY_S = 30.0
"""Longest wait for the receiver."""
CONFIG = """
http = { enabled = false }
[store]
min_free_mib = 1
checkpoint_pages = 50
[log]
level = "warning"
"""
"""Checkpoints are frequent, so that some kills hit one."""
PORTS = range(20_000, 32_000)
"""Ports below those that Linux gives to callers (ip_local_port_range)."""
TRIES = 100
_PR_SET_PDEATHSIG = 1
_PRCTL = ctypes.CDLL(None).prctl


class Receiver:
    """Runs one receiver after the other over one state directory."""

    _process: subprocess.Popen[bytes]
    _manager: socket.socket

    def __init__(self, directory: Path, *options: str, config: str = "") -> None:
        """Add ``config`` to the common configuration. ``options`` go to the command."""
        self.state_dir = directory / "state"
        self._directory = directory
        self._options = options
        directory.mkdir(exist_ok=True)
        (directory / "chaos.toml").write_text(f"{CONFIG}{config}", encoding="utf-8")

    def register(self, accounts: str) -> None:
        """Import the accounts of a CSV text."""
        self.tell("accounts", "import", "-", "--format", "csv", text=accounts)

    def tell(self, *command: str, text: str) -> None:
        """Run a vetlla command on the state directory."""
        subprocess.run(
            [sys.executable, "-m", "vetlla", *command, "--state-dir", self.state_dir],
            input=text,
            text=True,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start the next receiver. It is not ready yet on return."""
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind("")  # the kernel picks an abstract name
        command = [sys.executable, "-m", "vetlla", "receiver", "--config", str(self._directory / "chaos.toml")]
        with (self._directory / "receiver.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--state-dir", self.state_dir, *self._options],
                env={**os.environ, "NOTIFY_SOCKET": "@" + self._manager.getsockname()[1:].decode()},
                stderr=log,
                preexec_fn=die_with_us,  # noqa: PLW1509 - takes no lock
            )

    def await_ready(self) -> None:
        """Wait until the receiver is ready. Raises RuntimeError if it ends or takes too long."""
        ended, told = os.pidfd_open(self._process.pid), self._manager.fileno()
        try:
            while True:
                readable, _, _ = select.select([told, ended], [], [], READY_S)
                if told not in readable:
                    raise RuntimeError("the receiver ended, or did not become ready: see receiver.log")
                if b"READY=1" in self._manager.recv(4096).splitlines():
                    return
        finally:
            os.close(ended)

    def memory_mib(self) -> float:
        """Return the peak memory of the receiver."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def kill(self) -> None:
        """End the receiver at once with SIGKILL."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._manager.close()


def die_with_us() -> None:
    """Make the kernel kill the process that is about to start when this one ends (prctl(2)).

    The function is found before: between fork and exec it could wait for ever for a lock of the linker that another
    thread of this process held, such as a thread of smpp34.
    """
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def free_port() -> int:
    """Return a port that is free for TCP and UDP.

    It is not one that the kernel gives to callers. Clients dial it while no process listens, and a client that got
    the same port as its own would be connected to itself.
    """
    for port in secrets.SystemRandom().sample(PORTS, TRIES):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port among {TRIES} of {PORTS}")
