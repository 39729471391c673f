"""``vetlla visits`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.visits import acts, looking, planned

app = typer.Typer(no_args_is_help=True, help="Promise visits to homes, and record what became of them.")
app.command("schedule")(acts.schedule)
app.command("move")(acts.move)
app.command("arrived")(acts.arrived)
app.command("done")(acts.done)
app.command("absent")(acts.absent)
app.command("cancel")(acts.cancel)
app.command("list")(looking.list_)
app.command("route")(looking.route)
app.command("free")(looking.free)
app.command("from-plan")(planned.from_plan)
