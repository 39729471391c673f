"""A real mockpost: an emulator of WhatsApp and Twilio that is not ours, on free ports of loopback.

It also opens servers for mail and files, which get free ports of their own. It signs no webhook, and writes times of
webhooks as ISO 8601.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bench.killing.receiver import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 60.0
_PORTS = ("HTTP_PORT", "SMTP_PORT", "FTP_PORT", "FTPS_PORT", "FTPS_IMPLICIT_PORT", "SFTP_PORT")


@contextmanager
def running_mockpost(directory: Path) -> Iterator[str]:
    """Run mockpost during the block, with its credentials checked. Yield its address without a slash at its end."""
    ports = {f"MOCKPOST_{name}": str(free_port()) for name in _PORTS}
    passive = free_port()
    environment = os.environ | ports | {
        "MOCKPOST_HOST": "127.0.0.1",
        "MOCKPOST_SMTP_HOST": "127.0.0.1",
        "MOCKPOST_FTP_PASSIVE_PORTS": f"{passive}-{passive}",
        "MOCKPOST_STRICT_AUTH": "1",
        "MOCKPOST_LOG_LEVEL": "warning",
        "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    (directory / "data").mkdir(parents=True)
    url = f"http://127.0.0.1:{ports['MOCKPOST_HTTP_PORT']}"
    with (directory / "mockpost.log").open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "mockpost.cli"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _await(url, process, directory / "mockpost.log")
        yield url
    finally:
        process.kill()
        process.wait()


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"mockpost did not start: {log.read_text(encoding='utf-8', errors='replace')}")
