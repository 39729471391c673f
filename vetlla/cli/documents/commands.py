"""``vetlla documents`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.documents import acts, looking

app = typer.Typer(no_args_is_help=True, help="Keep the documents that the city must get: calendar, deliveries, proof.")
app.command("plan")(acts.plan)
app.command("calendar")(looking.show_calendar)
app.command("due")(looking.due)
app.command("list")(looking.list_)
app.command("deliver")(acts.deliver)
app.command("reject")(acts.reject)
app.command("request")(acts.request)
