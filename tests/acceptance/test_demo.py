"""``vetlla demo``, which ``make run`` starts: it starts everything, runs, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import PATIENCE_S, VETLLA, vetlla

if TYPE_CHECKING:
    from collections.abc import Iterator


class Demo:
    """A demonstration on its own terminal, or with its output in a pipe."""

    def __init__(self, directory: Path, *options: str, terminal: bool) -> None:
        self.directory = directory
        self.shown = b""
        environment = {**os.environ, "TMPDIR": str(directory), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        if terminal:
            self._reading, theirs = pty.openpty()
        else:
            self._reading, theirs = os.pipe()
        command = [VETLLA, "demo", *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)

    def until(self, pattern: bytes) -> None:
        """Read the output until the pattern appears."""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, self.shown):
            readable, _, _ = select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, f"no {pattern!r} in {self.shown.decode()}"
            assert self._read(), f"it ended: {self.shown.decode()}"

    def end(self) -> int:
        """Read the output to its end; return the exit status."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        try:
            chunk = os.read(self._reading, 65536)
        except OSError:  # Linux returns EIO when the other side closed the terminal
            chunk = b""
        self.shown += chunk
        return bool(chunk)

    def close(self) -> None:
        """End the demonstration and close its terminal."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
        os.close(self._reading)

    def processes(self) -> list[int]:
        """Return the processes whose command line names the demonstration's directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue  # it ended meanwhile
                if os.fsencode(self.directory) in command and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
        return found


@contextmanager
def demonstrated(directory: Path, *options: str, terminal: bool = False) -> Iterator[Demo]:
    demo = Demo(directory, *options, terminal=terminal)
    try:
        yield demo
    finally:
        demo.close()


@pytest.fixture
def directory() -> Iterator[Path]:
    # tmp_path is too long: a socket's path in the demonstration's directory must be shorter than 108 characters.
    with tempfile.TemporaryDirectory(prefix="demo-") as made:
        yield Path(made)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_nothing_is_left(directory: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM or a closed terminal ends it with status 0. No report is lost, and nothing is left behind."""
    with demonstrated(directory) as demo:
        demo.until(rb" [1-9][0-9.]* signals/s" if number is signal.SIGINT else rb"ready")
        assert len(demo.processes()) == 1, "the receiver is a separate process"
        demo.process.send_signal(number)
        assert demo.end() == 0, demo.shown.decode()
        said = re.search(rb"(\d+) of (\d+) reports acknowledged", demo.shown)
        assert said is not None
        assert said[1] == said[2]
        assert b"Traceback" not in demo.shown
        assert list(directory.iterdir()) == []
        assert demo.processes() == []


def test_it_draws_the_board_on_a_terminal(directory: Path) -> None:
    """On a terminal it shows the live board. Ctrl-C restores the terminal and prints a summary."""
    with demonstrated(directory, terminal=True) as demo:
        demo.until(rb"H-00[0-9][0-9].*(periodic|mains|battery|emergency|smoke|fall)")
        demo.process.send_signal(signal.SIGINT)
        assert demo.end() == 0
        _, _, after = demo.shown.rpartition(b"\x1b[?1049l")
        assert re.search(rb"\d+ of \d+ reports acknowledged, \d+ alarms handled", after)
        assert b"Traceback" not in demo.shown


def test_it_stops_by_itself_and_keeps_its_directory_if_asked(directory: Path) -> None:
    """--for ends it. --state-dir keeps a sound journal with the invented homes, and a second run continues with it."""
    state = directory / "state"
    for _ in range(2):
        with demonstrated(directory, "--for", "6s", "--state-dir", str(state)) as demo:
            assert demo.end() == 0, demo.shown.decode()
    accounts = [json.loads(row) for row in vetlla("accounts", "list", "--json", state_dir=state).stdout.splitlines()]
    assert len(accounts) == 40
    assert {account["key_name"] != "" for account in accounts} == {True, False}
    assert vetlla("audit", "verify", state_dir=state).returncode == 0


def test_if_the_receiver_ends_the_demo_shows_the_end_of_its_log(directory: Path) -> None:
    """If the receiver's process ends by itself, the demonstration ends with status 69 and prints the reason."""
    with demonstrated(directory) as demo:
        demo.until(rb"ready")
        (receiver,) = demo.processes()
        os.kill(receiver, signal.SIGKILL)
        assert demo.end() == os.EX_UNAVAILABLE
        assert b"ended by itself, with status -9" in demo.shown
        assert b"receiver.ready" in demo.shown
        assert list(directory.iterdir()) == []


def test_if_the_receiver_cannot_start_the_demo_says_so(directory: Path) -> None:
    """If the receiver does not start, the demonstration prints the end of its log."""
    state = directory / "state"
    state.mkdir()
    (state / "journal.db").write_bytes(b"this is no database" * 1000)
    with demonstrated(directory, "--state-dir", str(state)) as demo:
        assert demo.end() == os.EX_UNAVAILABLE
        assert b"ended by itself" in demo.shown
        assert b"journal.db" in demo.shown
