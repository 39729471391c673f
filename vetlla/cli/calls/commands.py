"""``vetlla calls``: the calls of the service. This module registers its commands."""

from __future__ import annotations

import typer

from vetlla.cli.calls import importing, looking, reporting

app = typer.Typer(
    help="Keep the calls of the PBX: import them, tie them to homes and alarms, report on them.", no_args_is_help=True
)
app.command("import")(importing.import_)
app.command()(importing.export)
app.command("list")(looking.list_)
app.command()(looking.show)
app.command()(looking.tie)
app.command()(reporting.report)
app.command()(reporting.verify)
