"""``vetlla agenda`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.agenda import acts, looking, planning

app = typer.Typer(no_args_is_help=True, help="Plan the calls to homes and people, hand them out, and keep the result.")
app.command("plan")(planning.plan_month)
app.command("next")(acts.next_)
app.command("done")(acts.done)
app.command("called")(acts.called)
app.command("no-answer")(acts.no_answer)
app.command("postpone")(acts.postpone)
app.command("unanswered")(acts.unanswered)
app.command("list")(looking.list_)
app.command("report")(looking.report)
