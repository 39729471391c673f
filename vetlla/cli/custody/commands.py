"""``vetlla custody`` and its commands."""

from __future__ import annotations

import typer

from vetlla.cli.custody import acts, certificate, checking, files, looking

app = typer.Typer(no_args_is_help=True, help="Keep the keys of homes: where each one is, who has it, every hand-over.")
app.command("cede")(acts.cede)
app.command("take")(acts.take)
app.command("bring-back")(acts.bring_back)
app.command("move")(acts.move)
app.command("use")(acts.use)
app.command("lost")(acts.lost)
app.command("found")(acts.found)
app.command("return")(acts.return_key)
app.command("destroy")(acts.destroy)
app.command("certificate")(certificate.write_again)
app.command("list")(looking.list_)
app.command("show")(looking.show)
app.command("check")(checking.check_keys)
app.command("left")(checking.left)
app.command("inventory")(files.inventory)
app.command("import")(files.import_)
app.command("export")(files.export)
