"""The handbook's tour of the queue, followed by two operators at terminals of 80 and 132 columns.

The page is the script: each ``console`` block of docs/queue.md is played in its order. ``home$`` sends bytes as the
page does; the other prompts are operators. Every line that the page shows must come, in its order. Times, ages and
names of users are those of this run.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.operators import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[3] / "docs" / "queue.md"
USERS = {"marta": "daemon", "pere": "games"}
"""Operator of the page -> user that every Debian has."""
GROUP = 100
"""Group of the state directory: ``users``."""
CONFIG = """
queue = { lease_s = 3000, hold_s = 3000, t3_warn_s = 3000, t3_max_s = 3000 }
control = { mode = 0o666 }
"""
"""A machine may be busy with other tests, and a slow step must not cause a warning of an alarm. The machine's users are
in no group of the receiver, so all users may use the socket; the journal is readable for the group."""
FIGURES = (
    (re.compile(r"\b\d{4}-\d\d-\d\d "), ""),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d{3})? CES?T"), "TIME"),
    (re.compile(r"\b\d+:\d\d\b|\b\d+(\.\d+)? s\b"), "SPAN"),
    (re.compile(r"─+"), ""),
    (re.compile(r"\s+"), " "),
)


HEADS = "alarm prio home what t3 state by marks"


class Step(NamedTuple):
    """One command of the page, and the lines that the page shows for it."""

    actor: str
    command: str
    shows: list[str]


def steps() -> list[Step]:
    """Return the page's commands in their order."""
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if prompt := re.match(r"(\w+)\$ (.*)", line):
                found.append(Step(prompt[1], prompt[2], []))
            elif line.strip():
                found[-1].shows.append(line)
    return found


def same(line: str) -> str:
    """Return a line without the parts that differ between runs."""
    for name, user in USERS.items():
        line = re.sub(rf"\b{name}\b", user, line)
    for figure, stands_for in FIGURES:
        line = figure.sub(stands_for, line)
    return line.strip()


def missing(step: Step, text: str, columns: int) -> str:
    """Return the first line of the page that a terminal does not show in its place; "" if it shows all."""
    told = [same(line) for line in text.splitlines()]
    left = iter(told)
    for line in map(same, step.shows):
        # A wide terminal shows more in an alarm's line, and what 80 columns show below it.
        wide = columns > 80 and any(all(part in one for part in worked_by(line)) for one in told)
        if not wide and line not in left:
            return line
    return ""


def worked_by(line: str) -> list[str]:
    """Return what a wide terminal shows, too: an alarm's number, priority, home and state; other lines whole."""
    if line == HEADS:
        return ["alarm priority home since t3 state by marks"]
    if row := re.match(r"([●○] \d+ \w+)\w* (\S+) .* SPAN ((?:waiting|claimed|answered)(?: \w+)?)", line):
        return list(row.groups())
    return [line]


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Run a receiver whose state directory a group of operators can use."""
    with tempfile.TemporaryDirectory(prefix="vetlla-tour-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        state = folder / "state"
        state.mkdir()
        os.chown(state, 0, GROUP)
        state.chmod(0o2755)
        registered = "account,home\n1234,H-0017\n5678,H-0020\n"
        assert vetlla("accounts", "import", "-", "--format", "csv", stdin=registered, state_dir=state).returncode == 0
        with running(folder, config=CONFIG) as started:
            yield started


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two operators")
@pytest.mark.parametrize("columns", [80, 132])
def test_two_operators_follow_the_tour(daemon: Daemon, columns: int) -> None:
    """Each step shows what the page says, on a real terminal and as the right user."""
    operators = {name: Operator(user, daemon.state_dir, columns) for name, user in USERS.items()}
    script = steps()
    assert len(script) > 15
    (watched,) = [step for step in script if "queue watch" in step.command]
    watch = operators[watched.actor].begin(words(watched)[1:])
    try:
        watch.until(lambda text: "0 alarms are open" in text)
        for step in script:
            if step.actor == "home":
                call(daemon, step.command)
            elif step is not watched:
                shown = operators[step.actor].run(words(step)[1:])
                assert not missing(step, shown, columns), (step, shown)
        watch.until(lambda text: not missing(watched, text, 80))
    finally:
        watch.end()


def words(step: Step) -> list[str]:
    """Return the words of a command, with the names of this machine's users."""
    return [USERS.get(word, word) for word in shlex.split(step.command)]


def call(daemon: Daemon, command: str) -> None:
    """Let a home send the bytes that ``printf`` sends on the page; wait for the acknowledgement."""
    data = shlex.split(command)[1].encode().decode("unicode_escape").encode("ascii")
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as line:
        line.sendall(data)
        assert b"ACK" in line.recv(200)
