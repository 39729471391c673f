"""What tests of commands share: a configured place, a runner that gives an error's exit status, inventories."""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest
import typer.main
from typer.testing import CliRunner

from tests.rigs.nursery import Nursery, nursery
from tests.rigs.service_year import ServiceYear, build
from vetlla.cli.kit.exits import status_of
from vetlla.cli.main import command_line
from vetlla.domain.errors import VetllaError
from vetlla.domain.permissions import explained
from vetlla.simulator.park import generate, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


COMMAND_LINE = typer.main.get_command(command_line())
"""Made once, because a command line of all commands takes longer to make than most commands to run."""
ON = ("--day", "2024-04-01")
HOMES = "code,district,base,level,alone\nH1,01,NORD,2,yes\nH2,01,NORD,3,no\n"
DEVICES = """\
type,serial,ownership,place,home,made,first_installed,last_battery
terminal_gsm,T1,municipal,home,H1,2018-W10,2018-05-02,
ucr,U1,municipal,home,H1,2018-W10,2018-05-02,2022-05-02
smoke,S1,leased,warehouse,,2024-W05,,
"""


class Done(NamedTuple):
    """What a command printed; ``error`` is the message with which it ended."""

    status: int
    out: str
    talk: str
    error: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """Return the answer's JSON objects."""
        return [json.loads(line) for line in self.out.splitlines()]


class Vetlla(Protocol):
    """Runs a command."""

    def __call__(self, *arguments: object, stdin: str | bytes | None = None) -> Done:
        """Return the result."""
        ...


CATALONIA = "CET-1CEST,M3.5.0,M10.5.0/3"
"""The zone of the service as POSIX writes it, because the machine need not have a zone database."""


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the zone of the service for this process and the programs that it starts."""
    monkeypatch.setenv("TZ", CATALONIA)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a state directory that the machine's configuration names, as where Vetlla is installed."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o750)
    file = tmp_path / "vetlla.toml"
    file.write_text(
        f'state_dir = "{folder}"\n[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = 0\n', encoding="utf-8"
    )
    monkeypatch.setenv("VETLLA_CONFIG", str(file))
    reminders = tmp_path / "reminders.toml"
    reminders.write_text(f'state_dir = "{folder}"\n', encoding="utf-8")
    monkeypatch.setenv("VETLLA_REMINDERS_CONFIG", str(reminders))
    names = (
        "VETLLA_STATE_DIR",
        "VETLLA_REMINDERS_DIR",
        "VETLLA_KEYS_FILE",
        "CREDENTIALS_DIRECTORY",
        "SUDO_USER",
    )
    for variable in names:
        monkeypatch.delenv(variable, raising=False)
    return folder


@pytest.fixture
def config(tmp_path: Path, state_dir: Path) -> Path:
    """Return the file of the machine's configuration."""
    assert state_dir.is_dir()
    return tmp_path / "vetlla.toml"


@pytest.fixture
def vetlla(state_dir: Path) -> Vetlla:
    """Run commands in this process, on the configured state directory unless they name another."""
    assert state_dir.is_dir()

    def run(*arguments: object, stdin: str | bytes | None = None) -> Done:
        status: object = 0
        error = ""
        with CliRunner().isolation(stdin) as (out, talk, _):
            try:
                COMMAND_LINE.main([str(argument) for argument in arguments], prog_name="vetlla")
            except SystemExit as end:
                status = end.code or 0
            except VetllaError as raised:
                cause = explained(raised)
                status, error = status_of(cause), str(cause)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
            printed, told = (file.getvalue().decode().replace("\r\n", "\n") for file in (out, talk))
        assert isinstance(status, int)
        return Done(status, printed, told, error)

    return run


@pytest.fixture(scope="module")
def program() -> Iterator[Nursery]:
    """Run a process from which each run of the program is forked."""
    with nursery() as started:
        yield started


@pytest.fixture
def park(tmp_path: Path) -> Path:
    folder = tmp_path / "park"
    write(generate(300, 5), folder)
    return folder


@pytest.fixture
def stocked(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Make a registry with two homes, a terminal and a UCR in one, a smoke detector in the warehouse."""
    (tmp_path / "homes.csv").write_text(HOMES, encoding="utf-8")
    (tmp_path / "devices.csv").write_text(DEVICES, encoding="utf-8")
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    assert vetlla("inventory", "import", tmp_path / "devices.csv", "--day", "2024-04-01").status == 0
    return vetlla


def imported(vetlla: Vetlla, park: Path) -> None:
    for what in ("homes", "people", "devices"):
        assert vetlla("inventory", "import", park / f"{what}.csv", "--what", what, *ON).status == 0


@pytest.fixture(scope="session")
def built_years() -> list[ServiceYear]:
    """Keep the generated year of this process, once a test has asked for it."""
    return []


@pytest.fixture
def service_year(
    vetlla: Vetlla, state_dir: Path, built_years: list[ServiceYear], tmp_path_factory: pytest.TempPathFactory
) -> ServiceYear:
    """Put a generated year into the state directory."""
    if built_years:
        shutil.copytree(built_years[0].state, state_dir, dirs_exist_ok=True)
    else:
        built_years.append(build(vetlla, state_dir, tmp_path_factory.mktemp("generated")))
    return built_years[0]
