"""``vetlla sla`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.sla import explaining, reporting, watching

app = typer.Typer(no_args_is_help=True, help="Report the 23 service levels (ANS) of a month, and explain each figure.")
app.command("report")(reporting.report)

app.command("explain")(explaining.explain_figure)
app.command("watch")(watching.watch_month)
