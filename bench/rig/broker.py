"""A separate Mosquitto process on a loopback port. It can be killed and started again over its stored state."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from bench.killing.receiver import free_port
from bench.killing.victim import die_with_us

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 30.0

OPEN = """
user root
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {directory}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 1000
log_type error
log_type warning
"""
"""Every client may do everything. A killed broker loses up to a second, as a real one loses up to its save interval.

``user`` is root, because a broker that root starts would change to its package's user, who cannot enter the directory.
"""


class NoBrokerError(Exception):
    """Mosquitto is not on this machine, or did not start."""


def mosquitto() -> str:
    """Return the path of the broker; Debian installs it outside a user's PATH. Raises NoBrokerError."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise NoBrokerError("mosquitto is missing: apt-get install mosquitto")
    return program


class Broker:
    """One Mosquitto over a directory. ``start`` may be called again after ``kill`` or ``stop``."""

    process: subprocess.Popen[bytes]

    def __init__(self, directory: Path, config: str = OPEN) -> None:
        self.directory = directory
        self.port = free_port()
        directory.mkdir(parents=True, exist_ok=True)
        self._file = directory / "mosquitto.conf"
        self._file.write_text(config.format(port=self.port, directory=directory), encoding="utf-8")

    def start(self) -> Broker:
        """Start the broker, and wait until it listens."""
        with (self.directory / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                [mosquitto(), "-c", str(self._file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_us,  # noqa: PLW1509 - takes no lock
            )
        self._await_listening()
        return self

    def _await_listening(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
                break
        raise NoBrokerError((self.directory / "mosquitto.log").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """End the broker at once with SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Stop the broker normally."""
        self.process.terminate()
        self.process.wait(PATIENCE_S)
