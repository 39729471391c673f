"""Operators at their terminals: the command line, run as another user on a terminal of a given size."""

from __future__ import annotations

import fcntl
import os
import pty
import pwd
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

from tests.cli.conftest import CATALONIA
from tests.rigs.daemon import PATIENCE_S
from tests.rigs.terminal_screen import screen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

BECOME = """
import os, sys
from tests.rigs.nursery import load
from vetlla.cli.kit import exits
from vetlla.cli.main import command_line
uid, gid, group = (int(sys.argv.pop(1)) for _ in range(3))
# While root can still read Python and the tree, wherever they lie. All of the program takes a second to load.
load(f"vetlla.cli.{sys.argv[1]}", "vetlla.cli.kit", "vetlla.store")
commands = command_line(sys.argv[1:2])
os.setgroups([group])
os.setgid(gid)
os.setuid(uid)
exits.run(commands)
"""
LINES = 30
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Operator:
    """A user of the machine who is a member of the state directory's group. Needs root."""

    def __init__(self, user: str, state_dir: Path, columns: int) -> None:
        self.user = user
        self._state_dir = state_dir
        self._columns = columns

    def run(self, arguments: Sequence[str]) -> str:
        """Run ``vetlla`` to its end; return the text on the terminal."""
        session = self.begin(arguments)
        shown = plain(screen(session.master))
        session.process.wait(PATIENCE_S)
        os.close(session.master)
        return shown

    def begin(self, arguments: Sequence[str]) -> Session:
        """Start ``vetlla`` on a separate terminal."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", LINES, self._columns, 0, 0))
        found = pwd.getpwnam(self.user)
        identity = (found.pw_uid, found.pw_gid, self._state_dir.stat().st_gid)
        process = subprocess.Popen(
            [sys.executable, "-c", BECOME, *map(str, identity), *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={
                "PATH": os.environ["PATH"],
                "TERM": "xterm",
                "TZ": CATALONIA,
                "LC_ALL": "C.UTF-8",
                "VETLLA_STATE_DIR": str(self._state_dir),
                "VETLLA_REMINDERS_DIR": str(self._state_dir),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
        )
        os.close(slave)
        return Session(master, process)


class Session:
    """A program that runs on a terminal."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.master = master
        self.process = process
        self._shown = ""

    def until(self, fits: Callable[[str], bool]) -> None:
        """Wait until the text shown so far fits."""
        while not fits(self._shown):
            more = plain(screen(self.master, until=b"\n"))
            assert more, f"it ended, and showed: {self._shown}"
            self._shown += more

    def end(self) -> None:
        """Kill the program and close its terminal."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self.master)


def plain(shown: bytes) -> str:
    """Return the readable text in a terminal's bytes."""
    return _ESCAPE.sub("", shown.decode()).replace("\r\n", "\n")
