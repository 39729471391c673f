"""A receiver that can be killed at any instant, and started again over its state directory."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.killing.victim import Victim

if TYPE_CHECKING:
    from pathlib import Path

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


class Receiver(Victim):
    """Runs one receiver after the other over one state directory."""

    def __init__(self, directory: Path, *options: str, config: str = "") -> None:
        """Add ``config`` to the common configuration. ``options`` go to the command."""
        self.state_dir = directory / "state"
        directory.mkdir(exist_ok=True)
        file = directory / "chaos.toml"
        file.write_text(f"{CONFIG}{config}", encoding="utf-8")
        command = (sys.executable, "-m", "vetlla", "receiver", "--config", file, "--state-dir", self.state_dir)
        super().__init__([*command, *options], directory / "receiver.log")

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
