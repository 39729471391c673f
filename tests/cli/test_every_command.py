"""What holds for every command there is: output that nobody takes, missing permission, Ctrl-C."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.lived_in import INVOCATIONS, Place, lived_in
from tests.cli.nursery import Nursery, nursery
from tests.cli.tree import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = [command.path for command in commands()]
ENDLESS = {"queue watch"}
"""These go on until Ctrl-C, or until they cannot write any more."""


@pytest.fixture(scope="module")
def program() -> Iterator[Nursery]:
    with nursery() as started:
        yield started


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with lived_in() as made:
        yield made


def test_every_command_is_called_here() -> None:
    """A new command comes with a call that lets it say something."""
    assert set(INVOCATIONS) == set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_output_that_cannot_be_written(program: Nursery, place: Place, path: str) -> None:
    """A full disk or a closed output is one line and 74; a reader that has read enough is nothing at all."""
    if path in ENDLESS:
        speaks = True
        usual = os.EX_OK
    else:
        left = program.run(*place.words(path), environment=place.environment)
        assert "Traceback" not in left.err
        assert left.status in {0, 1, 2}, left.err
        speaks, usual = bool(left.out), left.status
    for stdout in ("full", "gone"):
        left = program.run(*place.words(path), environment=place.environment, stdout=stdout)
        assert "Traceback" not in left.err
        told = [line for line in left.err.splitlines() if line.startswith("vetlla: ")]
        if not speaks:
            assert (left.status, told) == (usual, [])
        elif stdout == "gone":
            assert left.status in {os.EX_OK, usual}, left.err
            assert told == []
        else:
            assert left.status == os.EX_IOERR, left.err
            (line,) = told
            assert line == "vetlla: standard output cannot be written: No space left on device"


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

OWN_END = {
    "receiver": "ends in order, with 0",
    "demo": "ends in order, with 0",
    "simulate": "lets homes finish and tells what came of their calls",
    "queue watch": "Ctrl-C is how it ends",
}
"""Commands for which Ctrl-C is the usual end, and what they do then."""


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in OWN_END])
@pytest.mark.parametrize("event", [1, 2, 3])
def test_ctrl_c_is_130_and_one_line(program: Nursery, place: Place, path: str, event: int) -> None:
    """Whenever it is pressed: nothing is taken for damage, a finding or a fault of the program."""
    left = program.run(*place.words(path), environment=place.environment, interrupt=event)
    if left.status != 130:
        assert event > 1, left  # it had ended before
        return
    assert left.err.splitlines()[-1] == "vetlla: interrupted"
    assert not [line for line in left.err.splitlines() if "Traceback" in line or "not whole" in line]


# --- permission -------------------------------------------------------------------------------------------------------

STRANGER = (65534, [65534])
NAGIOS = {"doctor", "inventory check"}
"""Checks: what cannot be looked at is UNKNOWN."""
ELSEWHERE = {
    "demo": "help",
    "receiver": "help",
    "decode": "reads its recording alone",
    "simulate": "dials",
    "db verify": "reads the backup",
}
"""Commands that do not touch the state directory in this call."""


@pytest.fixture(params=["state directory", "its files", "configuration"])
def closed(place: Place, request: pytest.FixtureRequest) -> Iterator[str]:
    """Close the place to strangers, in one of three ways."""
    state = place.state_dir
    files = [path for path in state.rglob("*") if path.is_file() or path.is_socket()]
    what = {"state directory": [state], "its files": files, "configuration": [place.directory / "vetlla.toml"]}
    modes = {path: path.stat().st_mode for path in what[request.param]}
    usual = state.stat().st_mode
    if request.param != "state directory":
        state.chmod(0o755)
    for path in modes:
        path.chmod(0o000)
    yield request.param
    for path, mode in modes.items():
        path.chmod(mode)
    state.chmod(usual)


def test_without_permission(program: Nursery, place: Place, closed: str) -> None:
    """Each command says in one message what the user may not, and who may: 77; a check is UNKNOWN: 3."""
    user = STRANGER if os.geteuid() == 0 else None
    for path in COMMANDS:
        left = program.run(*place.words(path), environment=place.environment, user=user)
        assert "Traceback" not in left.err, (path, left.err)
        print(path, left.status, left.err[:200])
