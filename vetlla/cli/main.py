"""The command line. Every command is registered here, by name, in one list.

Only the file of the wanted command is imported: an operator's ``vetlla queue claim`` must not wait for the modules that
read spreadsheets.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla import __version__
from vetlla.cli import completion
from vetlla.cli.completion import InstallCompletion, ShowCompletion
from vetlla.cli.kit import exits

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = {
    "receiver": "receiver:receiver",
    "status": "status:status",
    "check-config": "config:check_config",
    "doctor": "doctor:doctor",
    "board": "board.command:board",
    "demo": "demo.command:demo",
    "queue": "queue.commands:app",
    "home": "cards.home:home",
    "cards": "cards.commands:app",
    "supervision": "supervision.commands:app",
    "sinks": "sinks.commands:app",
    "accounts": "accounts.commands:app",
    "keys": "keys:app",
    "signals": "signals.commands:app",
    "position": "position:app",
    "rejects": "rejects:app",
    "audit": "audit:app",
    "db": "db.commands:app",
    "erase": "erase.command:erase",
    "decode": "decode:decode",
    "capture": "capture:capture",
    "probe-line": "probe_line:probe_line",
    "simulate": "simulate.commands:app",
    "inventory": "inventory.commands:app",
    "homes": "homes.commands:app",
    "people": "people:app",
    "maintenance": "maintenance:app",
    "renewals": "renewals.commands:app",
    "calls": "calls.commands:app",
    "month": "month.commands:app",
    "sla": "sla.commands:app",
    "sanctions": "sanctions.commands:app",
    "probe": "probe.commands:app",
    "invoice": "invoice.commands:app",
    "budget": "budget.commands:app",
    "duties": "duties.commands:app",
    "complaints": "complaints.commands:app",
    "custody": "custody.commands:app",
    "documents": "documents.commands:app",
    "dispatch": "dispatch.commands:app",
    "visits": "visits.commands:app",
    "faults": "faults.commands:app",
    "agenda": "agenda.commands:app",
    "reminders": "reminders.commands:app",
    "support": "support.commands:app",
}
"""Name of the command or group -> module in this folder, and the function or the group's ``Typer`` in it."""


def _print_version(*, wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"vetlla {__version__}\n")
        raise typer.Exit


def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    show_completion: ShowCompletion = None,
    install_completion: InstallCompletion = None,
) -> None:
    """Run the alarm receiver of a telecare service, and use the toolkit of its engineers."""


def command_line(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with these commands, by default with all of them."""
    app = typer.Typer(
        name="vetlla",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for name in names:
        file, _, held = COMMANDS[name].partition(":")
        command = getattr(import_module(f"vetlla.cli.{file}"), held)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _wanted() -> Iterable[str]:
    """Return the command that the command line names, or all commands if it names no command."""
    words = sys.argv[1:]
    if completion.is_asked_for():  # the words so far, as bash passes them, else as zsh and fish do
        words = os.environ.get("COMP_WORDS", os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()[1:]
    if words and words[0].partition("=")[0] in {"--version", "--show-completion", "--install-completion"}:
        return ()
    return words[:1] if words and words[0] in COMMANDS else COMMANDS


def main() -> None:
    """Entry point of the ``vetlla`` command."""

    def command() -> object:
        exits.bounded(sys.argv[1:])
        # Not standalone, because typer would print errors through its own console.
        return command_line(_wanted())(standalone_mode=False)

    exits.run(command)
