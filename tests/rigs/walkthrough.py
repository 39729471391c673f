"""Runs the commands of a page of the handbook, and compares what they print with what the page says.

A block of ``console`` has commands after ``$ ``, each with its output below it. A block with another language and a
name, such as ```` ```csv calls.csv ````, is a file that the commands find in their directory.
``python -m tests.rigs.walkthrough PAGE`` writes the real output into the page.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from tests.rigs.nursery import Nursery, nursery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """A command of a page: its words, the output that the page shows, and its place in the page."""

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
        for block in _BLOCK.finditer(self.text):
            if block[1] == "console" and not block[2]:
                yield from self._steps(block)

    @staticmethod
    def _steps(block: re.Match[str]) -> Iterator[Step]:
        start, place = block.start(3), 0
        for part in re.split(r"^(?=\$ )", block[3], flags=re.MULTILINE):
            if part:
                command, _, shown = part.partition("\n")
                yield Step(command.removeprefix("$ "), shown, start + place, start + place + len(part))
            place += len(part)

    def run(self, program: Nursery, directory: Path, environment: dict[str, str]) -> Iterator[tuple[Step, str]]:
        """Write the files of the page, run its commands in order, and yield each with what it really prints."""
        for name, body in self.files.items():
            (directory / name).write_text(body, encoding="utf-8")
        for step in self.steps():
            words = shlex.split(step.command)
            assert words[0] == "vetlla", f"{self.file.name}: {step.command}"
            left = program.run(*words[1:], environment=environment, directory=directory)
            status = f"(exit status {left.status})\n" if left.status else ""
            yield step, _plain(left.out + left.err + status)

    def rewritten(self, real: list[tuple[Step, str]]) -> str:
        """Return the page with the real output of its commands."""
        text = self.text
        for step, printed in reversed(real):
            text = f"{text[: step.start]}$ {step.command}\n{printed}{text[step.end :]}"
        return text


def walked(page: Page, prepare: Callable[[Path], None], program: Nursery) -> list[tuple[Step, str]]:
    """Return the commands of a page with what they print, in a new directory that ``prepare`` fills."""
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        state = directory / "state"
        state.mkdir(mode=0o750)
        prepare(state)
        environment = {"VETLLA_STATE_DIR": str(state), "TZ": "Europe/Madrid", "VETLLA_CONFIG": os.devnull}
        return list(page.run(program, directory, environment))


def _plain(text: str) -> str:
    """Return an output without blanks at the ends of lines, and with a line break at its end."""
    lines = [line.rstrip() for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Write the real output into a page of the handbook."""
    from tests.acceptance.test_walkthrough import PAGES  # noqa: PLC0415 - the test knows what each page needs

    page = Page(Path(sys.argv[1]).resolve())
    with nursery() as program:
        real = walked(page, PAGES[page.file.name], program)
    page.file.write_text(page.rewritten(real), encoding="utf-8")


if __name__ == "__main__":
    main()
