"""``vetlla complaints`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.complaints import acts, looking

app = typer.Typer(no_args_is_help=True, help="Keep complaints, claims and suggestions, their answers and verdicts.")
app.command("open")(acts.open_complaint)
app.command("acknowledge")(acts.acknowledge)
app.command("answer")(acts.answer)
app.command("judge")(acts.judge)
app.command("list")(looking.list_)
app.command("show")(looking.show)
app.command("report")(looking.report)
