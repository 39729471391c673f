"""A real Kannel with its own simulated network: a gateway of the GET kind that is not ours.

Without its Debian packages the tests are skipped, which .ci/run refuses. Its programs end with the test run by
``setpriv``: Python must run nothing between fork and exec, because smpp34 has threads in this process.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bench.killing.receiver import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 30.0
PLACES = "/usr/bin:/usr/sbin:/usr/lib/kannel/test"
CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = secret
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-level = 1

group = smsc
smsc = fake
smsc-id = network
port = {network}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1
mo-recode = true

group = sendsms-user
username = vetlla
password = secret
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{callback}/reply?token=word&from=%p&text=%b&id=%I"
"""


def _program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=PLACES)
    if found is None:
        pytest.skip(f"needs Debian package {package}")
    return found


@dataclass
class Kannel:
    """A running Kannel."""

    directory: Path
    ports: dict[str, int]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address that takes messages."""
        return f"http://127.0.0.1:{self.ports['send']}/cgi-bin/sendsms"

    def run(self, name: str, package: str, *arguments: str) -> Path:
        """Start a program. Return the file of what it prints."""
        printed = self.directory / f"{name}.log"
        with printed.open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", _program(name, package), *arguments],
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )
        return printed

    def network(self, *messages: str) -> Path:
        """Start the simulated network, from which these messages of citizens come. Return what it prints."""
        count = ("-m", str(len(messages))) if messages else ("-m", "0")
        arguments = ("-H", "127.0.0.1", "-r", str(self.ports["network"]), "-i", "0.1", *count)
        return self.run("fakesmsc", "kannel-extras", *arguments, *(messages or ("1 2 text nothing",)))

    def await_listening(self, name: str) -> None:
        """Wait until a port is open."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.ports[name])) == 0:
                    return
            time.sleep(0.05)
        logs = "".join(
            file.read_text(encoding="utf-8", errors="replace")[-2000:] for file in self.directory.glob("*.log")
        )
        raise AssertionError(f"Kannel does not listen on its port {name}: {logs}")


@contextmanager
def running_kannel(directory: Path, callback: str) -> Iterator[Kannel]:
    """Run Kannel during the block. ``callback`` is the address below which it sends replies."""
    kannel = Kannel(directory, {name: free_port() for name in ("admin", "box", "network", "send")})
    config = directory / "kannel.conf"
    config.write_text(CONFIG.format(**kannel.ports, callback=callback), encoding="utf-8")
    try:
        kannel.run("bearerbox", "kannel", str(config))
        kannel.await_listening("box")
        kannel.run("smsbox", "kannel", str(config))
        kannel.await_listening("send")
        yield kannel
    finally:
        for process in reversed(kannel.processes):
            process.kill()
            process.wait()
