"""A process that is killed at any instant, and started again over what it left on the disk."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

READY_S = 30.0
"""Longest wait for a process to become ready, or to end."""
_PR_SET_PDEATHSIG = 1
_PRCTL = ctypes.CDLL(None).prctl


class Victim:
    """Runs one process after the other. Each tells ``READY=1`` as systemd's services do."""

    _process: subprocess.Popen[bytes]
    _manager: socket.socket

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        """Prepare the command; what it writes to its standard error is added to ``log``."""
        self._command = command
        self._log = log

    def start(self) -> None:
        """Start the next process. It is not ready yet on return."""
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind("")  # the kernel picks an abstract name
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, "NOTIFY_SOCKET": "@" + self._manager.getsockname()[1:].decode()},
                stderr=log,
                preexec_fn=die_with_us,  # noqa: PLW1509 - takes no lock
            )

    def await_ready(self) -> None:
        """Wait until the process is ready. Raises RuntimeError if it ends or takes too long."""
        ended, told = os.pidfd_open(self._process.pid), self._manager.fileno()
        try:
            while True:
                readable, _, _ = select.select([told, ended], [], [], READY_S)
                if told not in readable:
                    raise RuntimeError(f"the process ended, or did not become ready: see {self._log}")
                if b"READY=1" in self._manager.recv(4096).splitlines():
                    return
        finally:
            os.close(ended)

    def has_told_ready(self) -> bool:
        """Return True if the process told since the last question that it is ready."""
        while select.select([self._manager], [], [], 0)[0]:
            if b"READY=1" in self._manager.recv(4096).splitlines():
                return True
        return False

    def has_ended(self) -> bool:
        """Return True if the process runs no longer. Raises RuntimeError if it ended by itself."""
        status = self._process.poll()
        if status not in {None, -signal.SIGKILL}:
            raise RuntimeError(f"the process ended with status {status}: see {self._log}")
        return status is not None

    def memory_mib(self) -> float:
        """Return the peak memory of the process."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def strike(self) -> None:
        """Send SIGKILL, and do not wait for the end."""
        self._process.send_signal(signal.SIGKILL)

    def kill(self) -> None:
        """End the process at once with SIGKILL."""
        self.strike()
        self._process.wait()
        self._manager.close()

    def stop(self) -> int:
        """End the process with SIGTERM; return its status."""
        self._process.terminate()
        status = self._process.wait(READY_S)
        self._manager.close()
        return status


def die_with_us() -> None:
    """Make the kernel kill the process that is about to start when this one ends (prctl(2)).

    The function is found before: between fork and exec it could wait for ever for a lock of the linker that another
    thread of this process held, such as a thread of smpp34.
    """
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
