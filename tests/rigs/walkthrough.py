"""Runs the commands of a page of the handbook, and compares what they print with what the page says.

A block of ``console`` has commands after ``$ ``, each with its output below it. A line such as ``# 2026-11-02 09:05``
sets the clock of the commands below it: each runs as a real program, and libfaketime holds its clock at that time. A
block with another language and a name, such as ```` ```csv calls.csv ````, is a file in the directory of the commands.
``python -m tests.rigs.walkthrough PAGE`` writes the real output into the page.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from tests.rigs.nursery import Nursery, nursery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
ZONE = "Europe/Madrid"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CLOCK = re.compile(r"# (\d{4}-\d\d-\d\d \d\d:\d\d)\b")
_FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class Step(NamedTuple):
    """A command of a page: when it runs, its words, the output that the page shows, and its place in the page."""

    at: str
    command: str
    shown: str
    start: int
    end: int


class Page:
    """A page with commands."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.text = file.read_text(encoding="utf-8")
        self.files = {name: body for _, name, body in _BLOCK.findall(self.text) if name}

    def steps(self) -> Iterator[Step]:
        """Yield the commands in their order."""
        at = ""
        for block in _BLOCK.finditer(self.text):
            if block[1] != "console" or block[2]:
                continue
            place = block.start(3)
            for part in re.split(r"^(?=\$ |# )", block[3], flags=re.MULTILINE):
                if part.startswith("$ "):
                    command, _, shown = part.removeprefix("$ ").partition("\n")
                    yield Step(at, command, shown, place, place + len(part))
                elif part:
                    clock = _CLOCK.match(part)
                    assert clock, f"{self.file.name}: {part!r} is neither a command nor a time"
                    at = clock[1]
                place += len(part)

    def rewritten(self, real: list[tuple[Step, str]]) -> str:
        """Return the page with the real output of its commands."""
        text = self.text
        for step, printed in reversed(real):
            text = f"{text[: step.start]}$ {step.command}\n{printed}{text[step.end :]}"
        return text


class Clock:
    """The file that tells libfaketime the time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def set(self, at: str) -> None:
        """Let each program that starts now find this local time, such as 2026-11-02 09:05."""
        self._file.write_text(f"{at}:00\n", encoding="utf-8")


@contextmanager
def frozen(folder: Path) -> Iterator[tuple[Nursery, Clock]]:
    """Run a process from which each run of the program is forked, with a clock that stands."""
    assert _FAKETIME, "libfaketime is not installed"
    file = folder / "time"
    clock = Clock(file)
    clock.set("2026-01-01 00:00")
    environment = {
        "LD_PRELOAD": str(_FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": ZONE,
    }
    with nursery(environment) as program:
        yield program, clock


def walked(page: Page, prepare: Callable[[Path], None]) -> list[tuple[Step, str]]:
    """Return the commands of a page with what they print, in a new directory whose state ``prepare`` makes."""
    with TemporaryDirectory() as outside, TemporaryDirectory() as folder, frozen(Path(outside)) as (program, clock):
        directory = Path(folder)
        state = directory / "state"
        state.mkdir(mode=0o750)
        prepare(state)
        for name, body in page.files.items():
            (directory / name).write_text(body, encoding="utf-8")
        environment = {"VETLLA_STATE_DIR": str(state), "TZ": ZONE, "VETLLA_CONFIG": "none", "SUDO_USER": "office"}
        return [(step, _printed(step, program, clock, directory, environment)) for step in page.steps()]


def _printed(step: Step, program: Nursery, clock: Clock, directory: Path, environment: dict[str, str]) -> str:
    words = shlex.split(step.command)
    assert words[0] == "vetlla", step.command
    clock.set(step.at)
    left = program.run(*words[1:], environment=environment, directory=directory)
    status = f"(exit status {left.status})\n" if left.status else ""
    return _plain(left.out + left.err + status)


def _plain(text: str) -> str:
    """Return an output without blanks at the ends of lines, and with a line break at its end."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def comparable(output: str) -> str:
    """Return an output without what differs from one machine to another: the user, and the width of their name."""
    return re.sub(r"\(as [^)]+\)", "(as root)", re.sub(" {2,}", "  ", output))


def main() -> None:
    """Write the real output into a page of the handbook."""
    from tests.acceptance.test_walkthrough import PAGES  # noqa: PLC0415 - the test knows what each page needs

    page = Page(Path(sys.argv[1]).resolve())
    page.file.write_text(page.rewritten(walked(page, PAGES[page.file.name])), encoding="utf-8")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
