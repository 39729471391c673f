"""``vetlla invoice`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.invoice import checking, explaining, making

app = typer.Typer(no_args_is_help=True, help="Count the invoice of a month, explain its lines, check a received one.")
app.command("make")(making.make)
app.command("explain")(explaining.explain)
app.command("check")(checking.check)
