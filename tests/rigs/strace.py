"""A running daemon under strace: faults of the disk that begin and end when a test says so, and a record of calls."""

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
    """Return strace, or skip the test where there is none."""
    if (path := shutil.which("strace")) is None:
        pytest.skip("needs Debian package strace")
    return path


@contextmanager
def attached(daemon: Daemon, *options: str) -> Iterator[None]:
    """Trace all threads of a running daemon with these options; the daemon runs on when the block is left."""
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
        process.send_signal(signal.SIGINT)  # it lets go of what it traces
        process.stderr.read()
        process.wait(timeout=PATIENCE_S)
        process.stderr.close()


@contextmanager
def failing(daemon: Daemon, call: str, error: str, paths: Sequence[Path]) -> Iterator[None]:
    """Let a system call on these files fail with an error, as often as it is made, until the block is left."""
    only = [option for path in paths for option in ("-P", str(path))]
    with attached(daemon, *only, "-e", f"trace={call}", "-e", f"inject={call}:error={error}"):
        yield


@contextmanager
def slow_disk(daemon: Daemon, delay: str) -> Iterator[None]:
    """Let each sync take so long (``50ms``), or only the first one (``50ms:when=1``), until the block is left."""
    with attached(daemon, "-e", "trace=fdatasync", "-e", f"inject=fdatasync:delay_enter={delay}"):
        yield


@contextmanager
def recorded(directory: Path, calls: Sequence[str], *options: str) -> Iterator[Recording]:
    """Record calls of a daemon that is started with the recording's ``wrapper``; whole once the daemon has ended."""
    recording = Recording(
        directory / "calls", [program(), "-D", "-f", "-y", "-y", "-xx", "-s", "65536", *options], calls
    )
    recording.start()
    try:
        yield recording
    finally:
        # Opened for writing once more, in case that no strace ever came: the reader must end.
        os.close(os.open(recording.pipe, os.O_RDWR | os.O_NONBLOCK))
        recording.join(PATIENCE_S)


class Recording(Thread):
    """What strace writes, taken from a pipe: its end is the end of the record."""

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
        """Return the record; call it when the daemon has ended."""
        self.join(PATIENCE_S)
        assert not self.is_alive(), "strace did not end"
        return self._lines
