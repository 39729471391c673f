"""``vetlla support`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.support import acts, checking, looking, reporting

app = typer.Typer(
    no_args_is_help=True, help="Keep the tickets of the support desk, and its clocks in the hours of the desk."
)
app.command("open")(acts.open_ticket)
app.command("answer")(acts.answer_ticket)
app.command("pause")(acts.pause_ticket)
app.command("resume")(acts.resume_ticket)
app.command("solve")(acts.solve_ticket)
app.command("reopen")(acts.reopen_ticket)
app.command("severity")(acts.change_severity)
app.command("note")(acts.note_ticket)
app.command("list")(looking.list_tickets)
app.command("show")(looking.show_ticket)
app.command("check")(checking.check_clocks)
app.command("report")(reporting.report)
app.command("levels")(looking.list_levels)
app.command("redact")(acts.redact_ticket)
