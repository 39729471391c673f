"""Shell completion: prints the script of a named shell, or installs it where that shell finds it.

typer answers the shells. typer's own options guess the shell from the calling process, which is the wrong one in a
script, under sudo or in cron. Here the user names the shell.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer
from typer import completion

from vetlla.domain.errors import UsageError

PROGRAM = "vetlla"
VARIABLE = "_VETLLA_COMPLETE"
"""Environment variable that a shell sets when it calls to complete a line."""


class Shell(StrEnum):
    """The shells for which there is a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def is_asked_for() -> bool:
    """Return True if a shell called to complete a line; typer is then ready to answer it."""
    if VARIABLE not in os.environ:
        return False
    completion.completion_init()  # type: ignore[attr-defined] # typer's, registers the shells
    return True


def _script(shell: Shell) -> str:
    script: str = completion.get_completion_script(  # type: ignore[attr-defined] # typer's
        prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value
    )
    return script


def _print(shell: Shell | None) -> None:
    if shell is not None:
        sys.stdout.write(f"{_script(shell)}\n")
        raise typer.Exit


def _install(shell: Shell | None) -> None:
    if shell is None:
        return
    try:
        _, path = completion.install(  # type: ignore[attr-defined] # typer's
            shell=shell.value, prog_name=PROGRAM, complete_var=VARIABLE
        )
    except OSError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}", remedy=f"vetlla --show-completion {shell} prints the script"
        ) from error
    sys.stdout.write(f"{path}: the next {shell} that starts completes vetlla\n")
    raise typer.Exit


ShowCompletion = Annotated[
    Shell | None,
    typer.Option(
        "--show-completion",
        metavar="SHELL",
        callback=_print,
        is_eager=True,
        help=f"Print the completion script of this shell: {', '.join(Shell)}.",
    ),
]
InstallCompletion = Annotated[
    Shell | None,
    typer.Option(
        "--install-completion",
        metavar="SHELL",
        callback=_install,
        is_eager=True,
        help="Install the completion script in your home directory, for the next shell that starts.",
    ),
]
