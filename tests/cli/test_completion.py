"""Shell completion, tested as bash asks the installed program for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.command_tree import commands
from vetlla.cli.completion import Shell

BIN = Path(sys.executable).parent


def _bash(script: str, home: Path) -> list[str]:
    """Run a script in a bash that finds the installed program; return the lines it prints."""
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(home), "SHELL": "/bin/bash", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def _tab(words: str, home: Path, source: str = "source <(vetlla --show-completion bash)") -> list[str]:
    """Return what the Tab key offers at the end of ``words``."""
    script = f"""
{source}
function_name=$(complete -p vetlla | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=({words})
[[ "{words}" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
$function_name vetlla
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return _bash(script, home)


def test_every_command_is_offered(tmp_path: Path) -> None:
    """After the program's name the shell offers every command and group."""
    assert set(_tab("vetlla ", tmp_path)) == {command.path.split()[0] for command in commands()}


def test_every_command_of_a_group_is_offered(tmp_path: Path) -> None:
    """After a group's name come its commands."""
    inside = {command.path.split()[1] for command in commands() if command.path.startswith("queue ")}
    assert set(_tab("vetlla queue ", tmp_path)) == inside


def test_beginnings_are_completed(tmp_path: Path) -> None:
    """The shell completes half an option."""
    assert _tab("vetlla status --wa", tmp_path) == ["--wait"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_answered(shell: str, tmp_path: Path) -> None:
    """The program also answers zsh and fish, which ask in their own variable."""
    asked = f"_VETLLA_COMPLETE=complete_{shell} _TYPER_COMPLETE_FISH_ACTION=get-args"
    answer = "\n".join(_bash(f"{asked} _TYPER_COMPLETE_ARGS='vetlla queue cl' vetlla", tmp_path))
    assert "claim" in answer
    assert "close" in answer
    assert "handover" not in answer


@pytest.mark.parametrize("shell", list(Shell))
def test_the_shell_that_is_named_gets_its_script(shell: Shell, tmp_path: Path) -> None:
    """The script is always that of the named shell, also if another shell, cron or an installer calls."""
    script = "\n".join(_bash(f"vetlla --show-completion {shell} | cat; exit ${{PIPESTATUS[0]}}", tmp_path))
    assert f"_VETLLA_COMPLETE=complete_{shell}" in script
    installed = _bash(f"vetlla --install-completion={shell}; exit $?", tmp_path)[0].partition(":")[0]
    assert Path(installed).read_text(encoding="utf-8").strip() == script


def test_a_shell_without_a_script_is_told_so(tmp_path: Path) -> None:
    """Help, handbook and program name the same shells."""
    (status, *told) = _bash("vetlla --show-completion csh 2>&1 >/dev/null | tr '\n' ' '; echo; echo $?", tmp_path)[::-1]
    assert status == "0"
    assert all(f"'{shell}'" in told[0] for shell in Shell)
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    named = re.search(r"commands and options with Tab: (\w+), (\w+) and (\w+)\.", page)
    assert named is not None
    assert set(named.groups()) == set(Shell)


def test_completion_can_be_installed(tmp_path: Path) -> None:
    """``--install-completion`` puts what the next shell needs into the user's home, and nowhere else."""
    _bash("vetlla --install-completion bash", tmp_path)
    assert _tab("vetlla que", tmp_path, source=f"source {tmp_path}/.bashrc") == ["queue"]
