"""``vetlla sanctions`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.sanctions import action, ledger, recording

app = typer.Typer(
    no_args_is_help=True, help="Keep the ledger of faults (tender, sections 17 and 22) and the corrective actions."
)
app.command("ledger")(ledger.show_ledger)
app.command("explain")(ledger.explain)
app.command("forecast")(ledger.forecast)
app.command("faults")(recording.faults)
app.command("record")(recording.record)
app.command("withdraw")(recording.withdraw)
app.command("recorded")(recording.recorded)
app.command("check")(action.check)
app.add_typer(action.app, name="action")
