"""The two measured receivers, each as a separate process on loopback."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.receiving.load import account

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_S = 300.0
"""Longest wait for a receiver. A million accounts take about 20 s."""
KEY_NAME = "bench"


class Peer(NamedTuple):
    """A receiver under load."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    ready_s: float = 0.0
    """Seconds from its start until it took reports."""

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        return time.clock_gettime(~self.process.pid << 3 | 2)  # its processor clock, as in clock_getcpuclockid(3)

    def memory_mib(self, which: str = "VmHWM") -> float:
        """Return its peak memory in MiB, or with ``VmRSS`` its current memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition(f"{which}:")[2].split()[0]) / 1024


@contextmanager
def vetlla(
    accounts: int, key: bytes | None, state_dir: Path | None = None, *, protocol: str = "dc09", interval_s: int = 0
) -> Iterator[Peer]:
    """Run vetlla, which syncs every frame to disk before the ACK. With ``interval_s`` it supervises the accounts."""
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as temporary:
        state = state_dir or Path(temporary)
        command = [sys.executable, "-m", "vetlla"]
        if accounts:
            _register(command, state, _rows(accounts, key, protocol, interval_s), key)
        began = time.perf_counter()
        with (state / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "receiver", "--listen", f"{protocol}=127.0.0.1:0", "--state-dir", state], stderr=log
            )
        with ended(process):
            status = subprocess.run(
                [*command, "status", "--wait", str(READY_S), "--json", "--state-dir", state],
                check=True,
                capture_output=True,
            )
            ready_s = time.perf_counter() - began
            yield Peer("vetlla", json.loads(status.stdout)["listening"][0]["port"], process, ready_s)


def _rows(accounts: int, key: bytes | None, protocol: str, interval_s: int) -> str:
    name, expected = KEY_NAME if key else "", interval_s or ""
    return "account,home,key_name,clock_window,interval_s,labels\n" + "".join(
        f"{account(number, protocol)},H{number:05},{name},off,{expected},operator:{'abc'[number % 3]}\n"
        for number in range(accounts)
    )


def _register(command: list[str], state: Path, rows: str, key: bytes | None) -> None:
    if key:
        subprocess.run(
            [*command, "keys", "set", KEY_NAME, "--hex", "--state-dir", state],
            input=key.hex().encode(),
            check=True,
            capture_output=True,
        )
    subprocess.run(
        [*command, "accounts", "import", "-", "--format", "csv", "--state-dir", state],
        input=rows.encode(),
        check=True,
        capture_output=True,
    )


_PYSIAALARM = """
import asyncio, json, sys
from pysiaalarm import SIAAccount
from pysiaalarm.aio import SIAClient

async def handle(event):
    pass

async def main(port, accounts, key):
    accounts = [SIAAccount(account, key, allowed_timeband=None) for account in accounts]
    client = SIAClient("127.0.0.1", port, accounts, function=handle)
    await client.async_start(reuse_port=True)
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*json.load(sys.stdin)))
"""


@contextmanager
def pysiaalarm(accounts: int, key: bytes | None) -> Iterator[Peer]:
    """Run pysiaalarm's asyncio server. It stores nothing, and acknowledges before it calls the user's function."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", _PYSIAALARM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with ended(process):
        assert process.stdin
        assert process.stdout
        text = key.decode("ascii") if key else None
        process.stdin.write(json.dumps([port, [account(number) for number in range(accounts)], text]).encode())
        process.stdin.close()
        assert process.stdout.readline() == b"ready\n"
        yield Peer("pysiaalarm", port, process)


def make_key() -> bytes:
    """Return an AES-128 key that is also text, because pysiaalarm takes keys only as text."""
    return secrets.token_hex(8).encode()


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Terminate a process at the end of the block, and kill it if it does not end in time."""
    try:
        yield
    finally:
        process.terminate()
        deadline = time.monotonic() + READY_S
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
