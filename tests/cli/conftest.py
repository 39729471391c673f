"""What tests of commands share: a configured place to work in, and a runner that tells an error's exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest
from typer.testing import CliRunner

from vetlla.cli.exits import STATUS
from vetlla.cli.main import command_line
from vetlla.errors import VetllaError

if TYPE_CHECKING:
    from pathlib import Path


COMMAND_LINE = command_line()


class Done(NamedTuple):
    """What a command left behind; ``error`` is the message it ended with."""

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
        """Return what became of it."""
        ...


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a state directory that the machine's configuration names, as on a machine where Vetlla is installed."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o750)
    file = tmp_path / "vetlla.toml"
    file.write_text(
        f'state_dir = "{folder}"\n[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = 0\n', encoding="utf-8"
    )
    monkeypatch.setenv("VETLLA_CONFIG", str(file))
    for variable in ("VETLLA_STATE_DIR", "VETLLA_KEYS_FILE", "CREDENTIALS_DIRECTORY", "SUDO_USER"):
        monkeypatch.delenv(variable, raising=False)
    return folder


@pytest.fixture
def vetlla(state_dir: Path) -> Vetlla:
    """Run commands in this process, on the configured state directory unless they name another."""
    assert state_dir.is_dir()

    def run(*arguments: object, stdin: str | bytes | None = None) -> Done:
        result = CliRunner().invoke(COMMAND_LINE, [str(argument) for argument in arguments], input=stdin)
        if isinstance(result.exception, VetllaError):
            family = next(kind for kind in type(result.exception).__mro__ if kind in STATUS)
            return Done(STATUS[family], result.stdout, result.stderr, str(result.exception))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr, "")

    return run
