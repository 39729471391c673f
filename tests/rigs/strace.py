"""A running daemon under strace: disk faults that a test starts and ends, and a record of system calls."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.rigs.daemon import Daemon


def program() -> str:
    """Return the path of strace, or skip the test if it is not installed."""
    if (path := shutil.which("strace")) is None:
        pytest.skip("needs Debian package strace")
    return path


@contextmanager
def attached(daemon: Daemon, *options: str) -> Iterator[None]:
    """Trace all threads of a running daemon with these options. After the block the daemon runs on."""
    process = subprocess.Popen(
        [program(), "-f", *options, "-p", str(daemon.process.pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        told = ""
        while " attached" not in told:
            line = process.stderr.readline()
            assert line, told
            told += line
        yield
    finally:
        process.send_signal(signal.SIGINT)  # strace detaches from the daemon
        process.stderr.read()
        process.wait(timeout=PATIENCE_S)
        process.stderr.close()


@contextmanager
def failing(daemon: Daemon, call: str, error: str, paths: Sequence[Path]) -> Iterator[None]:
    """Let every system call of this name on these files fail with an error during the block."""
    only = [option for path in paths for option in ("-P", str(path))]
    with attached(daemon, *only, "-e", f"trace={call}", "-e", f"inject={call}:error={error}"):
        yield


@contextmanager
def slow_disk(daemon: Daemon, delay: str) -> Iterator[None]:
    """Delay each sync (``50ms``), or only the first one (``50ms:when=1``), during the block."""
    with attached(daemon, "-e", "trace=fdatasync", "-e", f"inject=fdatasync:delay_enter={delay}"):
        yield


@contextmanager
def recorded(directory: Path, calls: Sequence[str], *options: str) -> Iterator[Recording]:
    """Record calls of a daemon that starts with the recording's ``wrapper``. The record is complete at its end."""
    recording = Recording(
        directory / "calls", [program(), "-D", "-f", "-y", "-y", "-xx", "-s", "65536", *options], calls
    )
    recording.start()
    try:
        yield recording
    finally:
        # Open it once for writing, so that the reader ends even if strace never started.
        os.close(os.open(recording.pipe, os.O_RDWR | os.O_NONBLOCK))
        recording.join(PATIENCE_S)


class Recording(Thread):
    """The output of strace from a pipe. The end of the pipe is the end of the record."""

    def __init__(self, pipe: Path, command: list[str], calls: Sequence[str]) -> None:
        super().__init__(name="strace-reader", daemon=True)
        os.mkfifo(pipe)
        self.pipe = pipe
        self.wrapper = [*command, "--seccomp-bpf", "-e", f"trace={','.join(calls)}", "-o", str(pipe), "--"]
        self._lines: list[str] = []

    def run(self) -> None:
        """Read to the end."""
        with self.pipe.open(encoding="ascii") as lines:
            self._lines = lines.readlines()

    def lines(self) -> list[str]:
        """Return the record. Call this after the daemon has ended."""
        self.join(PATIENCE_S)
        assert not self.is_alive(), "strace did not end"
        return self._lines
