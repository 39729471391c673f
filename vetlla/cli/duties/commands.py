"""``vetlla duties`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.duties import acts, checking, files, indexing, looking

app = typer.Typer(no_args_is_help=True, help="Keep what the service owes, each with its clock, and judge it.")
app.command("open")(acts.open_duty)
app.command("event")(acts.record_event)
app.command("withdraw")(acts.withdraw_event)
app.command("show")(looking.show)
app.command("list")(looking.list_)
app.command("due")(looking.due)
app.command("kinds")(looking.kinds)
app.command("import")(files.import_)
app.command("export")(files.export)
app.command("reindex")(indexing.reindex)
app.command("check")(checking.check_clocks)
