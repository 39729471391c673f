"""``vetlla dispatch`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.dispatch import acts, checking, looking, reporting, units

app = typer.Typer(no_args_is_help=True, help="Send emergency units to homes, and measure how fast they get in.")
app.command("type")(acts.set_type)
app.command("send")(acts.send)
app.command("recalled")(acts.recalled)
app.command("arrived")(acts.arrived)
app.command("access")(acts.access)
app.command("no-access")(acts.no_access)
app.command("cancelled")(acts.cancelled)
app.command("finished")(acts.finished)
app.command("show")(looking.show)
app.command("board")(looking.board)
app.command("propose")(looking.propose)
app.command("check")(checking.check_emergencies)
app.command("report")(reporting.report)
app.add_typer(units.app, name="units")
