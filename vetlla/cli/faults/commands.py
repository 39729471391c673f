"""``vetlla faults`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.faults import acts, looking

app = typer.Typer(
    no_args_is_help=True, help="Open and solve faults of equipment, by hand or from what terminals report."
)
app.command("open")(acts.open_fault)
app.command("solve")(acts.solve)
app.command("cancel")(acts.cancel)
app.command("from-alarms")(acts.from_alarms)
app.command("list")(looking.list_)
app.command("show")(looking.show)
app.command("report")(looking.report)
