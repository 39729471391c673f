"""What holds for every command: output that cannot be written, missing permission, Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_tree import commands
from tests.rigs.daemon import VETLLA
from tests.rigs.lived_in import INVOCATIONS, Place, lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rigs.nursery import Nursery

COMMANDS = [command.path for command in commands()]
NOT_KEPT = 1
"""Exit status of a report that says that the standard was not kept."""
NAGIOS = {
    "doctor", "inventory check", "reminders doctor", "reminders texts lint", "sinks check", "support check",
    "custody check", "dispatch check", "duties check", "sanctions check",
}  # fmt: skip
"""Checks, which report UNKNOWN for what they cannot read."""
ENDLESS = {"queue watch"}
"""Commands that go on until Ctrl-C, or until they can no longer write."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with lived_in() as made:
        yield made


def test_every_command_is_called_here() -> None:
    """A new command needs a call here that makes it print something."""
    assert set(INVOCATIONS) == set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_output_that_cannot_be_written(program: Nursery, place: Place, path: str) -> None:
    """A full disk or a closed output gives one line and status 74; if the reader has ended, there is no message."""
    if path in ENDLESS:
        speaks = True
        usual = os.EX_OK
    else:
        left = program.run(*place.words(path), environment=place.environment)
        assert "Traceback" not in left.err
        assert left.status in ({0, 1, 2} if path in NAGIOS else {0, 1}), left.err
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


EXPORTS = [
    *(f"inventory export - --format {kind}" for kind in ("csv", "xlsx", "json", "ndjson")),
    "inventory report --month 2024-05 --out - --format json",
    "renewals export - --format csv",
    "signals export --csv",
    "accounts list --json",
]


@pytest.mark.parametrize("words", EXPORTS)
def test_exports_that_cannot_be_written(program: Nursery, place: Place, words: str) -> None:
    """The same holds for bytes: one line and status 74, or no message if the reader has ended."""
    assert program.run(*words.split(), environment=place.environment).status == os.EX_OK
    for stdout, status in (("full", os.EX_IOERR), ("closed", os.EX_IOERR), ("gone", os.EX_OK)):
        left = program.run(*words.split(), environment=place.environment, stdout=stdout)
        told = [line for line in left.err.splitlines() if not line.startswith("* ")]
        assert (left.status, len(told)) == (status, status and 1), left
    left = program.run("inventory", "export", "/dev/full", "--format", "csv", environment=place.environment)
    assert (left.status, left.err.partition("\n")[0]) == (os.EX_IOERR, "vetlla: /dev/full: No space left on device")


@pytest.mark.parametrize(
    "words", ["inventory show", "inventory find", "accounts show", "signals list --home", "audit list --actor"]
)
def test_words_of_another_encoding_are_reported(place: Place, words: str) -> None:
    """Latin-1 input to a program that reads UTF-8 gives one message, and not a fault of Vetlla's own."""
    done = subprocess.run(
        [VETLLA, *words.split(), b"N\xfaria"],
        env={**os.environ, **place.environment, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == os.EX_USAGE
    assert done.stderr.startswith("vetlla: 'N\\udcfaria' is not UTF-8 text\n  -> ")


@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_other_streams_may_be_closed(place: Place, redirected: str) -> None:
    """A message that cannot be written changes no status, and a closed input counts as its end."""
    words = "import -" if "<" in redirected else "show NONE"
    script = f'exec "$0" accounts {words} {redirected}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, VETLLA],
        env={**os.environ, **place.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
    assert "Traceback" not in done.stderr


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

OWN_END = {
    "receiver": "ends in order, with 0",
    "demo": "ends in order, with 0",
    "simulate dial": "lets homes finish and prints the results of their calls",
    "simulate mqtt": "lets terminals finish and prints the results of their events",
    "simulate receiver": "lets the last messages be acknowledged and prints the results",
    "probe-line": "prints what it found",
    "probe run": "ends after the round that has begun",
    "queue watch": "Ctrl-C is how it ends",
    "reminders simulate-qmatic": "Ctrl-C is how it ends",
    "reminders simulate-channels": "Ctrl-C is how it ends",
}
"""Commands that usually end by Ctrl-C, and what they then do."""


AT_ONCE = {
    "inventory parameters", "budget tender", "budget offer", "reminders run", "reminders demo", "reminders texts lint",
    "reminders texts preview", "support levels", "duties kinds", "documents calendar", "sanctions faults",
}  # fmt: skip
"""Commands that open no outside file or database during which Ctrl-C could come."""


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in {*OWN_END, *AT_ONCE}])
@pytest.mark.parametrize("event", [1, 3])
def test_ctrl_c_is_130_and_one_line(program: Nursery, place: Place, path: str, event: int) -> None:
    """Ctrl-C at any time is not reported as damage, as a finding or as a fault of the program."""
    left = program.run(*place.words(path), environment=place.environment, interrupt=event)
    if left.status != 130:
        assert event > 1, left  # it had ended before
        return
    assert left.err.splitlines()[-1] == "vetlla: interrupted"
    assert not [line for line in left.err.splitlines() if "Traceback" in line or "not whole" in line]


WHILE_LOADING = """
import os, signal, sys
def hook(event, about):
    if event == "import" and about[0] == "rich.table":
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
from vetlla.__main__ import main
main()
"""


def test_ctrl_c_while_the_program_loads() -> None:
    """A user may stop a mistyped command before it has begun; the message is the same one line."""
    done = subprocess.run(
        [sys.executable, "-c", WHILE_LOADING, "accounts", "list"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "vetlla: interrupted\n")


# --- permission -------------------------------------------------------------------------------------------------------

STRANGER = (65534, [65534])
ELSEWHERE = {
    "demo", "receiver", "decode", "capture", "probe-line", "probe run", "simulate dial", "simulate mqtt",
    "simulate receiver", "simulate year", "duties kinds",
    "db verify", "db restore", "supervision report", "cards rekey",
    "inventory parameters", "inventory sample", "budget tender", "budget offer",
    "reminders understand", "reminders segments",
    "reminders run", "reminders demo", "reminders simulate-qmatic", "reminders simulate-channels",
    "reminders texts lint", "reminders texts preview", "support levels", "documents calendar", "sanctions faults",
}  # fmt: skip
"""Commands whose call in this test does not touch the state directory."""


@pytest.fixture(params=["state directory", "its files", "configuration"])
def closed(place: Place, request: pytest.FixtureRequest) -> Iterator[str]:
    """Close the place to strangers, in one of three ways."""
    state = place.state_dir
    files = [path for path in state.rglob("*") if path.is_file() or path.is_socket()]
    what = {"state directory": [state], "its files": files, "configuration": [place.directory / "vetlla.toml", state]}
    modes = {path: path.stat().st_mode for path in (state, *what[request.param])}
    state.chmod(0o755)
    for path in what[request.param]:
        path.chmod(0o000)
    yield request.param
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.mark.usefixtures("closed")
def test_without_permission(program: Nursery, place: Place) -> None:
    """One message says what the user may not do, and who may, with status 77; a check is UNKNOWN, with status 3."""
    user = STRANGER if os.geteuid() == 0 else None
    for path in COMMANDS:
        left = program.run(*place.words(path), environment=place.environment, user=user)
        assert "Traceback" not in left.err, (path, left.err)
        if path in ELSEWHERE:
            unknown = {3} if path in NAGIOS else set()  # a part of it looks into the state directory
            assert left.status in {os.EX_OK, NOT_KEPT, os.EX_NOPERM, *unknown}, (path, left)
        elif path in NAGIOS:
            # The place's reminder service has no source, which is CRITICAL by itself.
            assert left.status == (2 if path == "reminders doctor" else 3), (path, left)
            assert "UNKNOWN" in left.out
        else:
            assert left.status == os.EX_NOPERM, (path, left)
            assert len([line for line in left.err.splitlines() if line.startswith("vetlla: ")]) == 1, (path, left)
            assert left.err.splitlines()[-1].startswith("  -> "), (path, left)


# --- output that the terminal has no characters for -----------------------------------------------------------------


def test_characters_that_the_terminal_does_not_have(program: Nursery, place: Place) -> None:
    """The command gives one line and 74 if it cannot write the stored text; otherwise it writes it."""
    words = ("accounts", "set", "A001", "--home", "Castell\u00f3")
    assert program.run(*words, environment=place.environment).status == os.EX_OK
    for encoding, status in (("utf-8", os.EX_OK), ("latin-1", os.EX_OK), ("ascii", os.EX_IOERR)):
        for form in ((), ("--json",)):
            shown = ("accounts", "show", "A001", *form)
            left = program.run(*shown, environment=place.environment, encoding=encoding)
            assert left.status == status, left
            if status:
                (line,) = left.err.splitlines()
                assert line.startswith("vetlla: standard output takes ascii text, which has no '\\xf3'")


@pytest.mark.parametrize("path", COMMANDS)
def test_the_help_can_be_written_everywhere(program: Nursery, path: str) -> None:
    """The help needs only ASCII; if it cannot be written, the error is that of any answer."""
    assert program.run(*path.split(), "--help", encoding="ascii").status == os.EX_OK
    left = program.run(*path.split(), "--help", stdout="closed")
    assert (left.status, left.err) == (os.EX_IOERR, "vetlla: standard output cannot be written: it is closed\n")
