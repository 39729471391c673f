# ruff: noqa: SIM115 - standard streams stay open
"""Runs the program many times, each time in a child process forked from one that has already loaded all of it.

A test of every command cannot wait half a second for each to load. The child is the program from its entry point on,
with its own standard streams, user and exit status.
"""

from __future__ import annotations

import encodings
import importlib
import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import rich
import typer

import vetlla.__main__
from tests.rigs.disk import DISK
from vetlla.store.sqlite.migrate import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE_S = 60
_NOT_LOADED = re.compile(r".*(_win|mbcs|oem).*|typer\.__main__")
"""Modules that are not loaded: those of Windows, and one that is a program."""


class Left(NamedTuple):
    """The result of a run of the program."""

    status: int
    out: str
    err: str


class Nursery:
    """The process that forks the children."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self,
        *argv: object,
        stdout: str = "file",
        encoding: str = "utf-8",
        user: tuple[int, Sequence[int]] | None = None,
        interrupt: int = 0,
        environment: dict[str, str] | None = None,
        directory: Path | None = None,
    ) -> Left:
        """Run ``vetlla`` with these words.

        ``stdout`` is file, full (/dev/full), gone (a pipe without a reader) or closed. ``user`` has the uid and groups;
        the first group is the main one. ``interrupt`` sends Ctrl-C at this event, counted from 1; events are opened
        files and databases, connected sockets and written texts. The program runs in ``directory``, if one is given.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "argv": [str(word) for word in argv],
            "stdout": stdout,
            "encoding": encoding,
            "user": user,
            "interrupt": interrupt,
            "environment": environment or {},
            "directory": str(directory or ""),
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Left(**json.loads(self._process.stdout.readline()))


@contextmanager
def nursery(environment: Mapping[str, str] | None = None) -> Iterator[Nursery]:
    """Run the forking process during the block, with some variables more in its environment."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.rigs.nursery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | dict(environment or {}),
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


# --- the process itself -----------------------------------------------------------------------------------------------


def load(*parts: str) -> None:
    """Import all of the program or some packages of it, so that no child has to, even if it may not read the files."""
    ours = [importlib.import_module(part) for part in parts] or [vetlla]
    for package in (*ours, encodings, typer, rich):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not _NOT_LOADED.fullmatch(module.name):
                importlib.import_module(module.name)
    for database in ("journal", "registry", "cards"):
        migrations(database)


def _serve() -> None:
    load()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_run(json.loads(line))) + "\n")
        sys.stdout.flush()


def _run(order: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _be_the_program(order, out, err)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        texts = (file.read().decode(errors="replace") for file in (out, err))
        return dict(zip(("status", "out", "err"), (os.waitstatus_to_exitcode(status), *texts), strict=True))


def _be_the_program(order: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> None:
    signal.alarm(PATIENCE_S)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(err.fileno(), 2)
    match order["stdout"]:
        case "file":
            os.dup2(out.fileno(), 1)
        case "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        case "gone":
            reader, writer = os.pipe()
            os.close(reader)
            os.dup2(writer, 1)
        case "closed":
            os.close(1)
    os.environ.update(order["environment"])
    time.tzset()
    if order["directory"]:
        os.chdir(order["directory"])
    if order["user"]:
        uid, groups = order["user"]
        os.setgroups(groups)
        os.setgid(groups[0])
        os.setuid(uid)
    # Make the streams as the interpreter does at its start.
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = None if order["stdout"] == "closed" else open(1, "w", encoding=order["encoding"], closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.argv = ["vetlla", *order["argv"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["interrupt"]:
        _press_ctrl_c(order["interrupt"])
    status: object = 1
    try:
        vetlla.__main__.main()
    except SystemExit as end:
        status = end.code
    except BaseException as error:  # noqa: BLE001 - the interpreter would print any of them
        os.write(2, f"Traceback of {error!r}\n".encode())
    os._exit(status if isinstance(status, int) else 0)


def _press_ctrl_c(event: int) -> None:
    """Send SIGINT to this process at the event with this number."""
    left = event
    outside = (tempfile.gettempdir(), str(DISK))

    def hook(name: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if name in {"sqlite3.connect", "socket.connect"} or (name == "open" and str(arguments[0]).startswith(outside)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGINT)

    sys.addaudithook(hook)


if __name__ == "__main__":
    _serve()
