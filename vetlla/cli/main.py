"""The command line: every command group registers here, by name, in one list."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla import __version__
from vetlla.cli import exits

app = typer.Typer(
    name="vetlla",
    help="Vetlla watches over: the alarm receiver of a telecare service and the toolkit of its engineers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"vetlla {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Vetlla watches over: the alarm receiver of a telecare service and the toolkit of its engineers."""


def main() -> None:
    """Entry point of the ``vetlla`` command."""
    exits.run(app)
