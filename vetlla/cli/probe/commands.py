"""``vetlla probe`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.probe import importing, incidents, looking, running, verifying

app = typer.Typer(
    no_args_is_help=True, help="Probe the service from outside, and prove what time it was available (ANS 18 and 21)."
)
app.command("run")(running.run)
app.command("import")(importing.import_)
app.command("list")(looking.list_)
app.command("report")(looking.report)
app.command("verify")(verifying.verify)
app.add_typer(incidents.app, name="incident")
