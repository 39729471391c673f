"""A running daemon under strace: faults of the disk that begin and end when a test says so, and a record of calls."""

from __future__ import annotations

import shutil
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.daemon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.acceptance.daemon import Daemon


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
