"""``vetlla month`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.month import closing, reporting, showing, verifying

app = typer.Typer(
    no_args_is_help=True,
    help="Report a month, close it, verify a closed one, and restate one that was corrected since.",
)
app.command("close")(closing.close)
app.command("verify")(verifying.verify)
app.command("show")(showing.show)
app.command("list")(showing.list_)
app.command("export")(showing.export)
app.command("report")(reporting.report)
