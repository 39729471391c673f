"""The command line: every command group registers here, by name, in one list."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla import __version__
from vetlla.cli import (
    accounts,
    board,
    config,
    demo,
    doctor,
    exits,
    inventory,
    keys,
    maintenance,
    queue,
    receiver,
    renewals,
    simulate,
)

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


app.command()(receiver.receiver)
app.command()(receiver.status)
app.command("check-config")(config.check_config)
app.command()(doctor.doctor)
app.command()(board.board)
app.command()(simulate.simulate)
app.command()(demo.demo)
app.add_typer(queue.app, name="queue")
app.add_typer(accounts.app, name="accounts")
app.add_typer(keys.app, name="keys")
app.add_typer(inventory.app, name="inventory")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(renewals.app, name="renewals")


def main() -> None:
    """Entry point of the ``vetlla`` command."""
    exits.run(app)
